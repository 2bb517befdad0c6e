/** English words that say little about what a question is about. `may` is missing on purpose: it is a month. */
const STOP_WORDS = new Set(
  (
    "a about above after again against all am an and any are aren as at be because been before being below between " +
    "both but by can cannot could couldn did didn do does doesn doing don down during each few for from further " +
    "had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its " +
    "itself just me might mightn more most must mustn my myself need needn no nor not now of off on once only " +
    "or other our ours ourselves out over own same shan she should shouldn so some such than that the their " +
    "theirs them themselves then there these they this those through to too under until up very was wasn we were " +
    "weren what when where which while who whom why will with won would wouldn you your yours yourself yourselves"
  ).split(" "),
);

/**
 * The stop words that are no words of another language that is written without accents: German has `in`, `am`, `will`
 * and `was`, Spanish `no`, `me` and `once`, Italian `in` and `do`. One of them shows that a question is in English.
 */
const ENGLISH_ONLY = new Set(
  (
    "about above again against and any are because been before being below between both but by can could did does doing " +
    "during each few for from further had has have having he her here him his how if into is it its might must " +
    "my not of other our out should such than that the their them then there these they this those through too until " +
    "very were what when where which while who whom why with would you your"
  ).split(" "),
);

/** Given names that are stop words. They may begin a sentence. */
const NAMES = new Set(["don", "will"]);

/** Stop words that titles capitalise, but no name or abbreviation consists of. */
const IN_TITLES = new Set("and as at but by for from in is of on or the to with".split(" "));

/** Whether a word in lower case says little about what a question is about. */
export const isStopWord = (word: string): boolean => STOP_WORDS.has(word);

/** Whether a word in lower case shows that its text is in English. */
export const isEnglishOnly = (word: string): boolean => ENGLISH_ONLY.has(word);

/** Whether a stop word in lower case may be a name or an abbreviation if it is capitalised. */
export const mayBeName = (word: string): boolean =>
  STOP_WORDS.has(word) && word !== "i" && !IN_TITLES.has(word);

/** Whether a stop word in lower case is also a given name. */
export const isGivenName = (word: string): boolean => NAMES.has(word);
