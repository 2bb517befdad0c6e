/** Three quarters of a word per token is the usual rule of thumb for English. */
export const WORDS_PER_TOKEN = 0.75;

const CHARS_PER_TOKEN = 4;

/** How `estimateTokens` estimates, in words for people who read its figures. */
export const ESTIMATE =
  "Estimated: one token for every four ASCII characters and for every other character. Providers count differently.";

/** About how many tokens a text takes; no two providers count alike. */
export function estimateTokens(text: string): number {
  let others = 0;
  let ascii = 0;
  for (const character of text) {
    if (character.charCodeAt(0) < 0x80) ascii++;
    else others++;
  }
  return others + Math.ceil(ascii / CHARS_PER_TOKEN);
}
