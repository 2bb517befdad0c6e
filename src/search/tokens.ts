import { fold } from "./fold.ts";
import { isGivenName, mayBeName } from "./stop-words.ts";

/** Change it when this module changes: an index with tokens of another version is rebuilt. */
export const TOKENS_VERSION = "2";

/** The FTS5 tokenizer for texts that consist of tokens. It only separates them at spaces, and stems English. */
export const FTS5_TOKENIZER = `porter unicode61 remove_diacritics 0 categories ''L* M* N* Co''`;

/**
 * A part of a text that is searched for.
 * `word`: a word, or a part of one with humps, such as `user` in `getUserName`. `whole`: a word of several parts in one,
 * such as `wifi` for `Wi-Fi`. `capital`: a stop word that is used as a name, such as `IT` or `Will`; follows its word and
 * ends in `CAPITAL`. `run`: characters of a script that writes no spaces between words.
 */
export interface Token {
  readonly kind: "word" | "whole" | "capital" | "run";
  readonly text: string;
  /** The letters and the digits of a whole: `iphone 15` for `iphone15`, `42` for `42nd`. */
  readonly apart?: string;
}

/** The rest of an index's entry is in lower case, so this distinguishes names from stop words. */
export const CAPITAL = "\ue000cap";

/** Longer tokens are cut: nobody types them, and they are as distinct by their beginning. */
const MAX_TOKEN_CHARS = 64;
/** More parts than this are no word, but an encoded value. */
const MAX_PARTS = 6;

const LINK = /['_-]/u;
const ASCII_LETTERS = /^[A-Za-z]+$/u;
/** At least two letters and then digits, or digits and then at least two letters. Codes alternate more often. */
const LETTERS_AND_DIGITS = /^(?:([^\p{N}]{2,})(\p{N}+)|(\p{N}+)([^\p{N}]{2,}))$/u;
const HAS_HUMPS = /\p{Ll}\p{Lu}|\p{Lu}\p{Lu}\p{Ll}/u;

const WORD = String.raw`[\p{L}\p{N}\p{M}\p{Co}]+`;
/**
 * A word with the signs that belong to it, or words that are linked by a hyphen, an underscore or an apostrophe, or the
 * groups of a number. The alternatives begin differently or share no link, so matching takes linear time.
 */
const LINKED = new RegExp(String.raw`${WORD}(?:['_\-]${WORD})*`, "gu");
const NUMBER_GROUPS = /(?<![\p{N}.,'])\p{N}{1,3}(?:[,.']\p{N}{3})+(?![\p{N}])/gu;
const ABBREVIATION = /(?<![\p{L}\p{N}.])(?:\p{L}\.){2,8}(?![\p{L}\p{N}])/gu;
/** Names that consist of a letter and signs, such as `C++` and `F#`, and `.NET`, also in `ASP.NET`. */
const SIGNED = /(?<![\p{L}\p{N}])(?:(\p{L})(?:(\+\+)|#)(?![\p{L}+#])|\.net\b)|\.NET\b/gu;

/** What an apostrophe separates from an English word: `it's`, `don't`, `we're`. */
const CONTRACTED = /^(?:s|t|re|ve|ll|d|m)$/iu;
const ORDINAL = /^(?:st|nd|rd|th)$/iu;

/**
 * Scripts without spaces between words. SQLite would treat a whole sentence as one word, so they are indexed in groups
 * of characters: in pairs where characters are syllables or words, in triples where they are letters.
 */
const IN_PAIRS = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Hangul}`;
const IN_TRIPLES = String.raw`\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const UNSPACED = new RegExp(`^[${IN_PAIRS}${IN_TRIPLES}]`, "u");
const STARTS_TRIPLE = new RegExp(`^[${IN_TRIPLES}]`, "u");
const SEGMENT = new RegExp(`[${IN_PAIRS}]+|[${IN_TRIPLES}]+|[^${IN_PAIRS}${IN_TRIPLES}]+`, "gu");
/** The parts of a word like `getHTTPServer`: capitals, or a capital and what follows up to the next one. */
const HUMP = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[^\p{Lu}]+|\p{Lu}/gu;
/** The end of a sentence or line, or the colon after a speaker. */
const SENTENCE_END = /[.!?:;\n"“(¿¡–—]\s*$/u;
const LOWER_CASE = /\p{Ll}/u;

const ARABIC = /^\p{Script=Arabic}/u;
/** The article, with the conjunctions and prepositions that are written as one word with it. */
const ARABIC_ARTICLE = /^(?:[وف]?[بك]?ال|[وف]?لل)(?=.{3})/u;

/** Returns the tokens of a text in order, folded and in lower case. Takes linear time. */
export function tokensOf(text: string): readonly Token[] {
  const folded = withoutSigns(fold(text));
  const isShouted = !LOWER_CASE.test(folded);
  const tokens: Token[] = [];
  for (const match of folded.matchAll(LINKED)) {
    const [linked] = match;
    if (!LINK.test(linked)) {
      addWord(linked, tokens);
      if (!isShouted && isCapital(folded, linked, match.index)) tokens.push(capital(linked));
      continue;
    }
    const words = linked.split(LINK);
    const [first = "", last = ""] = words;
    if (words.length === 2 && linked.includes("'") && CONTRACTED.test(last)) addWord(first, tokens);
    else {
      for (const word of words) addWord(word, tokens);
      if (words.length <= MAX_PARTS) tokens.push({ kind: "whole", text: cut(words.join("").toLowerCase()) });
    }
  }
  return tokens;
}

/** Returns a text for indexing: its tokens, separated by spaces. */
export function indexedText(text: string): string {
  const indexed: string[] = [];
  for (const token of tokensOf(text)) {
    if (token.kind === "run") for (const group of groupsOf(token.text, true)) indexed.push(group);
    else if (token.apart === undefined) indexed.push(token.text);
    else indexed.push(token.apart, token.text);
  }
  return indexed.join(" ");
}

/**
 * Returns the groups of adjacent characters of a run, one for each character: pairs or triples. With `withEnd`, also the
 * shorter ones at its end, so that a query of a single character finds each group that begins with it.
 */
export function groupsOf(run: string, withEnd: boolean): readonly string[] {
  const size = groupSize(run);
  const characters = Array.from(run);
  const starts = withEnd ? characters : characters.slice(0, Math.max(1, characters.length - size + 1));
  return starts.map((_, start) => characters.slice(start, start + size).join(""));
}

/** Returns how many characters the groups of a run have. */
export const groupSize = (run: string): 2 | 3 => (STARTS_TRIPLE.test(run) ? 3 : 2);

/** Returns the token of a stop word that is used as a name. */
const capital = (word: string): Token => ({ kind: "capital", text: `${word.toLowerCase()}${CAPITAL}` });

/** `1,500,000` becomes `1500000`, `U.S.A.` `USA`, `C++` `cplusplus`, and `.NET` `dotnet`. */
const withoutSigns = (text: string): string =>
  text
    .replaceAll(NUMBER_GROUPS, (number) => number.replaceAll(/[,.']/gu, ""))
    .replaceAll(ABBREVIATION, (letters) => letters.replaceAll(".", ""))
    .replaceAll(SIGNED, (_match, letter: string | undefined, pluses: string | undefined) => {
      if (letter === undefined) return " dotnet";
      return `${letter.toLowerCase()}${pluses === undefined ? "sharp" : "plusplus"} `;
    });

/** Adds the tokens of a word, which may change between scripts. */
function addWord(word: string, tokens: Token[]): void {
  if (ASCII_LETTERS.test(word)) return addSpaced(word, tokens);
  for (const [segment] of word.matchAll(SEGMENT)) {
    if (UNSPACED.test(segment)) tokens.push({ kind: "run", text: segment });
    else addSpaced(segment, tokens);
  }
}

/** Adds a word, and its parts if it has some: `getUserName` is also `get user name`. */
function addSpaced(word: string, tokens: Token[]): void {
  const text = cut(word.toLowerCase());
  if (ARABIC.test(text)) {
    tokens.push({ kind: "word", text: text.replace(ARABIC_ARTICLE, "") });
    return;
  }
  const apart = apartFrom(text);
  if (apart !== undefined) tokens.push({ kind: "whole", text, apart });
  else if (addHumps(word, tokens)) tokens.push({ kind: "whole", text });
  else tokens.push({ kind: "word", text });
}

/** Returns the letters and the digits of a word that consists of some letters and some digits, without `nd` of `2nd`. */
function apartFrom(text: string): string | undefined {
  const [, letters = "", digits = "", digitsBefore = "", lettersAfter = ""] =
    LETTERS_AND_DIGITS.exec(text) ?? [];
  if (digits !== "") return `${letters} ${digits}`;
  if (digitsBefore !== "")
    return ORDINAL.test(lettersAfter) ? digitsBefore : `${digitsBefore} ${lettersAfter}`;
  return undefined;
}

/** Adds the parts of a word that begin with capitals. Returns whether there are any. */
function addHumps(word: string, tokens: Token[]): boolean {
  if (!HAS_HUMPS.test(word) || word.length > MAX_TOKEN_CHARS) return false;

  const humps = word.match(HUMP) ?? [];
  if (humps.length < 2 || humps.length > MAX_PARTS || humps.some(({ length }) => length === 1)) return false;
  for (const hump of humps) tokens.push({ kind: "word", text: hump.toLowerCase() });
  return true;
}

/** Whether a stop word is written like a name or an abbreviation: `Will`, `IT`, the `D` of `vitamin D`. */
function isCapital(text: string, word: string, index: number): boolean {
  const lower = word.toLowerCase();
  if (word === lower || !mayBeName(lower)) return false;
  if (isGivenName(lower)) return true;
  if (word.length > 1 && word === word.toUpperCase()) return true;
  return index > 0 && !SENTENCE_END.test(text.slice(Math.max(0, index - 3), index));
}

const cut = (word: string): string => word.slice(0, MAX_TOKEN_CHARS).toWellFormed();
