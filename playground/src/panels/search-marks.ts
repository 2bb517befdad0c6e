/** A piece of a found text. */
export interface Piece {
  readonly text: string;
  /** Whether it is a word that was searched for. */
  readonly isMatch: boolean;
}

/** The part of a found text that is shown at first. */
export interface Excerpt {
  readonly text: string;
  /** Whether text before or after it is left out. */
  readonly isCutBefore: boolean;
  readonly isCutAfter: boolean;
}

/** How many characters of a long text are shown at first: about six lines beside a chat. */
const EXCERPT_CHARS = 360;
/** How many characters are shown before the first match. */
const LEAD_CHARS = 80;
/** Shorter words match as a whole only, or "a" would mark half of a text. */
const MIN_STEM = 3;

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu;

/**
 * Divides a text into pieces, and marks the words that a search has matched. A word matches a term if both are the same apart from
 * case, accents and an ending of up to three letters: the service compares stems, which depend on the language. Takes linear time
 * for each term.
 */
export function markTerms(text: string, terms: readonly string[]): readonly Piece[] {
  const wanted = terms.map(plain).filter((term) => term !== "");
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(WORD)) {
    const word = plain(found[0]);
    if (!wanted.some((term) => isSameStem(word, term))) continue;
    if (found.index > end) pieces.push({ text: text.slice(end, found.index), isMatch: false });
    pieces.push({ text: found[0], isMatch: true });
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), isMatch: false });
  return pieces;
}

/** Returns the part of a text around the first word that was searched for, or its beginning. Cuts between words where it can. */
export function excerptOf(text: string, terms: readonly string[]): Excerpt {
  if (text.length <= EXCERPT_CHARS) return { text, isCutBefore: false, isCutAfter: false };

  const pieces = markTerms(text, terms);
  const first = pieces.findIndex(({ isMatch }) => isMatch);
  const position = pieces.slice(0, Math.max(0, first)).reduce((sum, piece) => sum + piece.text.length, 0);
  const wanted = Math.max(0, Math.min(position - LEAD_CHARS, text.length - EXCERPT_CHARS));
  const start = wanted === 0 ? 0 : nextWord(text, wanted);
  const end = Math.min(text.length, start + EXCERPT_CHARS);
  const lastSpace = end < text.length ? text.lastIndexOf(" ", end) : -1;
  const cut = lastSpace > start + EXCERPT_CHARS / 2 ? lastSpace : end;
  return { text: text.slice(start, cut), isCutBefore: start > 0, isCutAfter: cut < text.length };
}

/** Returns where the next word begins, if that is near; otherwise `from`, but never the middle of a character. */
function nextWord(text: string, from: number): number {
  const space = text.indexOf(" ", from);
  if (space !== -1 && space < from + LEAD_CHARS / 2) return space + 1;
  const unit = text.charCodeAt(from);
  return unit >= 0xdc00 && unit <= 0xdfff ? from + 1 : from;
}

/** Returns a word without case and accents. */
const plain = (word: string): string =>
  word.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll("’", "'").toLowerCase();

function isSameStem(word: string, term: string): boolean {
  if (word === term) return true;
  const [short, long] = word.length < term.length ? [word, term] : [term, word];
  return short.length >= MIN_STEM && long.length - short.length <= 3 && long.startsWith(short);
}

/** What the notes of a search mean, in sentences for people. */
const NOTES: Readonly<Record<string, string>> = {
  "nothing-stored": "Nothing is stored yet.",
  "index-building": "The index is still being built, so some results may be missing.",
  "index-rebuilt": "The search was updated, and the index was built again.",
  "embeddings-pending": "Some texts are found by their words only, until their meaning is indexed.",
  "embeddings-failed": "The search by meaning has failed, so these results were found by their words.",
  "reranking-failed": "The results could not be put into a better order.",
  "base-unavailable": "A knowledge base did not answer and was left out.",
  "base-gone": "A knowledge base has been deleted and was left out.",
};

/** Returns the notes of a search as sentences. `nothing-matched` is left out, because an empty list says it. */
export const noteSentences = (notes: readonly string[]): readonly string[] =>
  notes.flatMap((note) => (note === "nothing-matched" ? [] : (NOTES[note] ?? note)));
