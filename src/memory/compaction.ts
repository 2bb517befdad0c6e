import { isRefusal } from "../llm/refusal.ts";
import { countWords } from "../shared/text.ts";
import { asLines, MAX_LINE_CHARS } from "./lines.ts";
import { wordsIn } from "./model.ts";

/** The share of its limit to which a block is compacted. */
const TARGET_SHARE = 0.5;
/** The number of memories per compaction. If a block has more lines, neighbouring lines share a memory. */
const MAX_MEMORIES = 128;
/** The longest memory made of lines. With three bytes per character it still fits the size limit of a memory. */
const MAX_MEMORY_CHARS = 30_000;

/** Returns how many words a block may have after its compaction. */
export const targetWords = (wordLimit: number): number => Math.floor(wordLimit * TARGET_SHARE);

/** Splits lines into the oldest ones (`moved`) and the rest (`kept`), which has at most `target` words. */
export function withoutOldest(lines: readonly string[], target: number) {
  let words = wordsIn(lines);
  let gone = 0;
  while (words > target) words -= countWords(lines[gone++] ?? "");

  return { moved: lines.slice(0, gone), kept: lines.slice(gone) };
}

/**
 * Returns the lines of a summary, or `undefined` if it is unusable: empty, a refusal, longer than `target` words or
 * than the original, or with a line that is too long for a block.
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

/** Returns the number of characters in all lines. Scripts without spaces can be long and still have few words. */
export const charsIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + line.length, 0);

/**
 * Returns the contents of the archival memories that keep these lines verbatim. The result is deterministic, so that an
 * interrupted compaction can start again and find the memories that it has stored.
 */
export function memoriesOf(lines: readonly string[]): readonly string[] {
  const nonEmpty = lines.filter((line) => line.trim() !== "");
  const perMemory = Math.ceil(nonEmpty.length / MAX_MEMORIES);

  const contents: string[] = [];
  for (let at = 0; at < nonEmpty.length; at += perMemory)
    contents.push(...pieces(nonEmpty.slice(at, at + perMemory).join("\n")));
  return [...new Set(contents)];
}

/** Splits a text into pieces that fit into a memory, between words if possible. */
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

/** Returns `end`, or one less if it would split a surrogate pair. */
const withoutHalfPair = (text: string, end: number): number =>
  /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
