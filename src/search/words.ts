/** Words that stand in every question and in every answer. `may` is not among them: it is a month. */
const STOP_WORDS = new Set(
  (
    "a about above after again against all am an and any are aren as at be because been before being below between " +
    "both but by can cannot could couldn d did didn do does doesn doing don down during each few for from further " +
    "had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its " +
    "itself just ll m me might mightn more most must mustn my myself need needn no nor not now o of off on once only " +
    "or other our ours ourselves out over own re s same shan she should shouldn so some such t than that the their " +
    "theirs them themselves then there these they this those through to too under until up ve very was wasn we were " +
    "weren what when where which while who whom why will with won would wouldn y you your yours yourself yourselves"
  ).split(" "),
);

const WORD = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
/** Scripts that put no space between words: SQLite would take a whole sentence for one word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/gu;
const UNSPACED_RUN = new RegExp(`(?:${UNSPACED.source})+`, "gu");

/** A text as it is indexed: characters of scripts without spaces stand as words of their own. */
export const spaced = (text: string): string => text.replace(UNSPACED, " $& ");

/** The words of a text in lower case, each once, in order. Scripts without spaces give pairs of characters. */
export function wordsOf(text: string): readonly string[] {
  const words = (text.toLowerCase().match(WORD) ?? []).flatMap(splitUnspaced);
  return [...new Set(words)];
}

export const isStopWord = (word: string): boolean => STOP_WORDS.has(word);

function splitUnspaced(word: string): readonly string[] {
  const rest = word.split(UNSPACED_RUN).filter(Boolean);
  const pairs = (word.match(UNSPACED_RUN) ?? []).flatMap((run) => {
    const characters = Array.from(run);
    if (characters.length === 1) return [run];
    return characters.slice(1).map((character, index) => `${characters[index]} ${character}`);
  });
  return [...rest, ...pairs];
}
