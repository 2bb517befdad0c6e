import { isRefusal } from "../llm/refusal.ts";
import { countWords } from "../shared/text.ts";
import { asLines, MAX_LINE_CHARS } from "./lines.ts";
import { wordsIn } from "./model.ts";

/** The share of its limit that a block is brought down to. */
const TARGET_SHARE = 0.5;
/** Of a block of so many lines each line becomes a memory of its own; where there are more, neighbours share one. */
const MAX_MEMORIES = 128;
/** The longest memory that is made of lines; three bytes a character still fit what a memory may hold. */
const MAX_MEMORY_CHARS = 30_000;

/** How many words a block may hold after its compaction. */
export const targetWords = (wordLimit: number): number => Math.floor(wordLimit * TARGET_SHARE);

/** The oldest lines, which have to go so that the others hold `target` words at most, and those others. */
export function withoutOldest(lines: readonly string[], target: number) {
  let words = wordsIn(lines);
  let gone = 0;
  while (words > target) words -= countWords(lines[gone++] ?? "");

  return { moved: lines.slice(0, gone), kept: lines.slice(gone) };
}

/**
 * The lines of a summary, or nothing where it is none: empty, a refusal, longer than `target` words, longer than what it sums up,
 * or with lines that no block may have.
 */
export function summaryLines(
  text: string,
  original: readonly string[],
  target: number,
): readonly string[] | undefined {
  const unmarked = text.split("\n").map((line) => line.replace(/^\s*[-*•]\s+/u, ""));
  const lines = asLines(unmarked);

  const isSummary =
    lines.length > 0 &&
    !isRefusal(lines) &&
    wordsIn(lines) <= target &&
    charsIn(lines) <= charsIn(original) &&
    lines.every((line) => line.length <= MAX_LINE_CHARS);
  return isSummary ? lines : undefined;
}

/** The characters of lines. Scripts without spaces have few words, and can be long all the same. */
export const charsIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + line.length, 0);

/**
 * The archival memories that keep lines, word by word. The same lines make the same memories, however often: a
 * compaction that was broken off begins again and finds what it has stored.
 */
export function memoriesOf(lines: readonly string[]): readonly string[] {
  const told = lines.filter((line) => line.trim() !== "");
  const perMemory = Math.ceil(told.length / MAX_MEMORIES);

  const contents: string[] = [];
  for (let at = 0; at < told.length; at += perMemory)
    contents.push(...pieces(told.slice(at, at + perMemory).join("\n")));
  return [...new Set(contents)];
}

/** A text in pieces that a memory can hold, cut between words where there are any. */
function pieces(text: string): readonly string[] {
  const cut: string[] = [];
  let rest = text.trim();

  while (rest.length > MAX_MEMORY_CHARS) {
    const gap = rest.slice(0, MAX_MEMORY_CHARS + 1).search(/\s\S*$/u);
    const end = gap > 0 ? gap : withoutHalfPair(rest, MAX_MEMORY_CHARS);
    cut.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  return rest === "" ? cut : [...cut, rest];
}

/** One less where a cut would part the halves of one character. */
const withoutHalfPair = (text: string, end: number): number =>
  /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
