/** How many tokens models read, by the beginning of what follows the maker's name. As of 2026-11-22; careful where unsure. */
const WINDOWS: readonly (readonly [pattern: RegExp, tokens: number])[] = [
  [/claude-(?:2|instant)/u, 100_000],
  [/claude/u, 200_000],
  [/gpt-3\.5/u, 16_385],
  [/gpt-4\.1/u, 1_047_576],
  [/gpt-4(?:o|-turbo)|chatgpt-4o/u, 128_000],
  [/gpt-4/u, 8_192],
  [/gpt-(?:[5-9]|\d\d)/u, 272_000],
  [/gpt-oss/u, 128_000],
  [/(?:^|\/)o\d/u, 128_000],
  [/gemini/u, 1_000_000],
  [/nova-micro/u, 128_000],
  [/nova-(?:lite|pro|premier)/u, 300_000],
  [/grok/u, 128_000],
  [/llama-?(?:3[.-][1-9]|[4-9])/u, 128_000],
  [/mistral-(?:large|medium|small)|deepseek/u, 64_000],
];

/** What is assumed of a model that nothing is known of. */
const UNKNOWN_TOKENS = 32_000;

/** How many tokens a model reads at most; a careful guess where it is not known. */
export const contextTokensOf = (model: string): number =>
  WINDOWS.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1] ?? UNKNOWN_TOKENS;
