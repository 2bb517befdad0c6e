import { normalized } from "../shared/text.ts";
import { isEnglishOnly, isStopWord } from "./stop-words.ts";
import { CAPITAL, groupsOf, groupSize, type Token, tokensOf } from "./tokens.ts";

/** A word of a query. */
interface Term {
  /** The FTS5 expression that finds it. */
  readonly match: string;
  /** The word as it is indexed, before stemming, for people and models to read. Several terms may have the same. */
  readonly word: string;
}

/** A query that matches any of its words. */
export interface WordQuery {
  readonly kind: "words";
  readonly terms: readonly Term[];
  /** An expression of the stop words, which find nothing but decide between matches; `undefined` if there are none. */
  readonly weak: string | undefined;
  /** All words in order, stop words included. */
  readonly words: readonly string[];
  /** The beginning of the query as it was asked. */
  readonly text: string;
}

/** A parsed search query. */
export type Query =
  /** An empty query, which matches everything. */
  | { readonly kind: "everything" }
  /** Matches any of its words. */
  | WordQuery
  /** A text without words, such as an emoji. Matches texts that contain its first 64 characters. */
  | { readonly kind: "literal"; readonly text: string };

/** Each word costs an index scan. A question has fewer, even with a paragraph before it. */
const MAX_WORDS = 64;
/** Only the beginning of a longer text is searched for words. */
const MAX_CHARS = 10_000;
/** Precomposed letters that no other widely written language has. */
const VIETNAMESE = /[ơƠưƯ\u1ea0-\u1ef9]/u;
/** Anti-DoS: a substring search costs the product of both lengths. */
const MAX_LITERAL_CHARS = 64;
/** Whether a character is shown as text or as an emoji. */
const VARIATION = /[\ufe0e\ufe0f]/gu;
/** A longer word also matches words with the same beginning. Languages other than English inflect what follows. */
const PREFIX_CHARS = 5;
const HAS_DIGIT = /\p{N}/u;

export function parseQuery(text: string): Query {
  const trimmed = text.trim();
  if (trimmed === "") return { kind: "everything" };

  const beginning = trimmed.slice(0, MAX_CHARS);
  const tokens = [...tokensOf(beginning)];
  const hasPrefixes = !tokens.some(({ text: word }) => isEnglishOnly(word));
  const { strong, weak } = byWeight(tokens, hasPrefixes);
  if (strong.length > 0)
    return {
      kind: "words",
      terms: [...strong, ...(isVietnamese(beginning) ? pairsOf(tokens) : [])].slice(0, MAX_WORDS),
      weak: weak.length > 0 ? anyOf(weak.slice(0, MAX_WORDS)) : undefined,
      words: tokens.slice(0, MAX_WORDS).map(({ text: word }) => word),
      text: beginning,
    };

  // Takes twice as many UTF-16 units as characters, so that no surrogate pair is cut in half.
  const characters = Array.from(trimmed.slice(0, 2 * MAX_LITERAL_CHARS).replaceAll(VARIATION, "")).slice(
    0,
    MAX_LITERAL_CHARS,
  );
  return { kind: "literal", text: characters.join("") };
}

/** Returns the distinct words to search for. */
export const searchedWords = (text: string): readonly string[] => {
  const query = parseQuery(text);
  return query.kind === "words" ? [...new Set(query.terms.map(({ word }) => word))] : [];
};

/**
 * Separates the words that a query is about from the expressions of its stop words. Both are distinct. Stop words are
 * what it is about if there is nothing else, as in "to be or not to be".
 */
function byWeight(tokens: readonly Token[], hasPrefixes: boolean) {
  const strong = new Map<string, Term>();
  const weak = new Map<string, Term>();
  for (const token of tokens) {
    const terms = token.kind === "word" && isStopWord(token.text) ? weak : strong;
    for (const term of termsOf(token, hasPrefixes)) terms.set(term.match, term);
  }
  if (strong.size === 0) return { strong: [...weak.values()], weak: [] };
  return { strong: [...strong.values()], weak: Array.from(weak.values(), ({ match }) => match) };
}

/** Returns the terms of a token. Characters that are fewer than a group are the beginning of one. */
function termsOf({ kind, text, apart }: Token, hasPrefixes: boolean): readonly Term[] {
  if (kind === "run") {
    const isShort = Array.from(text).length < groupSize(text);
    return groupsOf(text, false).map((group) => ({
      word: text,
      match: isShort ? `${quoted(group)}*` : quoted(group),
    }));
  }
  if (apart !== undefined) return [{ word: text, match: `(${quoted(text)} OR ${quoted(apart)})` }];
  if (kind === "capital") return [{ word: text.slice(0, -CAPITAL.length), match: quoted(text) }];
  if (!hasPrefixes || text.length <= PREFIX_CHARS || HAS_DIGIT.test(text))
    return [{ word: text, match: quoted(text) }];
  return [{ word: text, match: `(${quoted(text)} OR ${quoted(text.slice(0, PREFIX_CHARS))}*)` }];
}

/** Returns each word with the next one. Vietnamese writes words of several syllables as several words. */
const pairsOf = (tokens: readonly Token[]): readonly Term[] =>
  tokens.slice(1).flatMap(({ kind, text }, index) => {
    const before = tokens[index];
    if (kind !== "word" || before?.kind !== "word") return [];
    const word = `${before.text} ${text}`;
    return [{ word, match: quoted(word) }];
  });

/** Whether a text holds letters that only Vietnamese uses. */
const isVietnamese = (text: string): boolean => VIETNAMESE.test(normalized(text, "NFC"));

/** Returns an FTS5 match expression that finds any of the terms. */
export const anyOf = (terms: readonly string[]): string => terms.join(" OR ");

/** Quoting disables FTS5 syntax. Tokens never contain quotes. */
const quoted = (word: string): string => `"${word}"`;
