import { sliceWhole } from "../shared/text.ts";
import { fold } from "./fold.ts";
import { searchedWords } from "./query.ts";

/** A place in a text that matches a word of the query. */
interface Match {
  readonly start: number;
  readonly end: number;
  /** The number of the word in the query. */
  readonly word: number;
  readonly weight: number;
}

/** A part of a text, from `start` to `end`, and what it is worth. */
interface Passage {
  readonly start: number;
  readonly end: number;
  readonly worth: number;
}

/** What a query looks for in a text; see `passageWords`. */
export type PassageWords = readonly string[];

/** Anti-DoS: how many words of a query count, and how many characters of each. */
const MAX_WORDS = 64;
const MAX_WORD_CHARS = 64;
/** What a word is worth that the query has in another form, and one that the passage has already. */
const OTHER_FORM = 0.7;
const REPEATED = 0.05;
/** Forms of a word differ in at most so many letters at their end, and share so many at their beginning. */
const ENDING = 4;
const STEM = 3;
/** A passage begins up to this share of its length before the first match. */
const LEAD_SHARE = 0.2;
/** Two passages are shown instead of one if the second has words that the first one lacks. */
const GAP = " ... ";

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are compared by pairs of characters: those without spaces between words, and Hangul. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Hangul}]/u;
const UNSPACED_RUN = new RegExp(`(?:${UNSPACED.source})+`, "gu");

/**
 * Returns the part of a text that answers a query best, in at most about `max` characters, or two parts of half that
 * length if the words of the query are far apart. Three dots mark what is left out. Words match in other forms and
 * without their accents, as in the search index. Without a match, returns the beginning. Takes linear time.
 */
export function passageOf(text: string, words: PassageWords, max: number): string {
  if (text.length <= max) return text;

  const matches = matchesIn(text, words);
  const whole = bestPassage(matches, max, new Set());
  if (!whole) return cut(text, 0, max);
  const half = Math.floor((max - GAP.length) / 2);
  const first = bestPassage(matches, half, new Set());
  const found = new Set(
    matches
      .filter(({ start, end }) => first && start >= first.start && end <= first.end)
      .map(({ word }) => word),
  );
  const second = bestPassage(matches, half, found);
  if (!first || !second || second.worth < 1 || first.worth + second.worth <= whole.worth + OTHER_FORM)
    return around(text, whole, max);
  return joined(text, [first, second], half);
}

/** Returns how well the best part of a text answers a query: 0 if no word matches, and about 1 for each that does. */
export const passageScore = (text: string, words: PassageWords): number =>
  bestPassage(matchesIn(text, words), COMPARED_CHARS, new Set())?.worth ?? 0;

/** The length of the parts that `passageScore` compares. */
const COMPARED_CHARS = 400;

/**
 * Returns what passages are chosen by: the words that the index is searched for, and pairs of characters of scripts
 * without spaces, whatever groups the index has. Call it once per search, because it parses the query.
 */
export function passageWords(query: string): PassageWords {
  const words = searchedWords(query).filter((word) => !UNSPACED.test(word));
  const runs = query.slice(0, MAX_WORDS * MAX_WORD_CHARS).match(UNSPACED_RUN) ?? [];
  const pairs = runs.flatMap((run) => {
    const characters = Array.from(run);
    return characters.length === 1
      ? characters
      : characters.slice(1).map((next, at) => `${characters[at]}${next}`);
  });
  return [...new Set([...words.map((word) => word.slice(0, MAX_WORD_CHARS)), ...pairs])].slice(0, MAX_WORDS);
}

/** Returns a word in the form in which the index has it, before stemming. */
const plain = (word: string): string => fold(word).toLowerCase();

function matchesIn(text: string, words: PassageWords): readonly Match[] {
  const byWord = new Map(words.map((word, index) => [word, index]));
  const byStem = Map.groupBy(words.keys(), (index) => words[index]?.slice(0, STEM) ?? "");
  const matches: Match[] = [];

  for (const { 0: found, index } of text.matchAll(WORD)) {
    if (UNSPACED.test(found)) addUnspaced(found, index, byWord, matches);
    else {
      const word = plain(found.slice(0, MAX_WORD_CHARS));
      const same = byWord.get(word);
      const other = same ?? byStem.get(word.slice(0, STEM))?.find((at) => isForm(word, words[at] ?? ""));
      if (other !== undefined)
        matches.push({
          start: index,
          end: index + found.length,
          word: other,
          weight: same === undefined ? OTHER_FORM : 1,
        });
    }
  }
  return matches;
}

function addUnspaced(
  run: string,
  index: number,
  byWord: ReadonlyMap<string, number>,
  matches: Match[],
): void {
  let at = index;
  let before = "";
  for (const character of run) {
    const pair = byWord.get(before + character);
    const single = byWord.get(character);
    if (pair !== undefined)
      matches.push({ start: at - before.length, end: at + character.length, word: pair, weight: 1 });
    else if (single !== undefined)
      matches.push({ start: at, end: at + character.length, word: single, weight: 1 });
    before = character;
    at += character.length;
  }
}

/** Whether two words are forms of one: `runs` and `run`, `harbours` and `harbour`, `cities` and `city`. */
function isForm(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  if (shorter < STEM || Math.abs(one.length - other.length) > ENDING) return false;
  let shared = STEM;
  while (shared < shorter && one[shared] === other[shared]) shared++;
  return shared >= shorter - 1;
}

/** Returns the passage of at most `max` characters with the most words that are not in `known`; `undefined` without any. */
function bestPassage(
  matches: readonly Match[],
  max: number,
  known: ReadonlySet<number>,
): Passage | undefined {
  const open = matches.filter(({ word }) => !known.has(word));
  const counts = new Map<number, number>();
  let best: Passage | undefined;
  let worth = 0;
  let from = 0;

  for (const [to, match] of open.entries()) {
    worth += add(match, counts);
    while ((open[from]?.start ?? 0) < match.end - max && from < to) worth -= remove(open[from++], counts);
    const start = open[from]?.start ?? match.start;
    if (!best || worth > best.worth + 1e-9) best = { start, end: match.end, worth };
  }
  return best;
}

function add({ word, weight }: Match, counts: Map<number, number>): number {
  const count = counts.get(word) ?? 0;
  counts.set(word, count + 1);
  return count === 0 ? weight : REPEATED;
}

function remove(match: Match | undefined, counts: Map<number, number>): number {
  if (!match) return 0;
  const count = (counts.get(match.word) ?? 1) - 1;
  counts.set(match.word, count);
  return count === 0 ? match.weight : REPEATED;
}

/** Returns `max` characters of a text around a passage. */
function around(text: string, { start, end }: Passage, max: number): string {
  const lead = Math.min(Math.floor(max * LEAD_SHARE), Math.max(0, max - (end - start)));
  const from = Math.min(Math.max(0, start - lead), Math.max(0, text.length - max));
  return cut(text, from, from + max);
}

function joined(text: string, passages: readonly Passage[], max: number): string {
  return passages
    .toSorted((a, b) => a.start - b.start)
    .map((passage) => around(text, passage, max))
    .join(" ")
    .replace("... ...", "...");
}

/** Returns a part of a text, from word to word, with three dots where something is left out. */
function cut(text: string, from: number, to: number): string {
  const start =
    from === 0 ? 0 : from + Math.max(0, text.slice(from, from + MAX_SKIPPED).search(/(?<=\s)\S/u));
  const isEnd = to >= text.length;
  const gap = isEnd ? -1 : text.slice(to - MAX_SKIPPED, to).search(/\s\S*$/u);
  const end = isEnd ? text.length : gap < 0 ? to : to - MAX_SKIPPED + gap;
  return `${start > 0 ? "..." : ""}${sliceWhole(text, start, end)}${isEnd ? "" : "..."}`;
}

/** How many characters a cut moves at most, so that it falls between two words. */
const MAX_SKIPPED = 20;
