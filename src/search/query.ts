import { isStopWord, wordsOf } from "./words.ts";

/** What somebody searches for, as the index understands it. */
export type Query =
  /** Nothing: everything matches. */
  | { readonly kind: "everything" }
  /** Any of these words; each is a term of FTS5's, quoted. */
  | { readonly kind: "words"; readonly terms: readonly string[] }
  /** A text without a word in it, such as an emoji: memories that hold it as it stands. */
  | { readonly kind: "literal"; readonly text: string };

/** Each word costs a walk through the index; a question has fewer, and a pasted page is described by its beginning. */
const MAX_WORDS = 32;

/** Stop words are left out unless nothing else is there: `"to be or not to be"` is a search, too. */
export function parseQuery(text: string): Query {
  const trimmed = text.trim();
  if (trimmed === "") return { kind: "everything" };

  const words = wordsOf(trimmed);
  if (words.length === 0) return { kind: "literal", text: trimmed };

  const telling = words.filter((word) => !isStopWord(word));
  const terms = (telling.length > 0 ? telling : words).slice(0, MAX_WORDS).map(quoted);
  return { kind: "words", terms };
}

/** The match expression that finds any of the terms. */
export const anyOf = (terms: readonly string[]): string => terms.join(" OR ");

/** In quotes nothing is syntax; words hold no quotes. */
const quoted = (word: string): string => `"${word}"`;
