import { plainLine } from "./markdown-line.ts";

/** How many words the start and the end of a fragment have, and how many the start has if fewer are ambiguous. */
const WORDS = 5;
const MOST_WORDS = 12;
/** How many words before the start are named if the start alone is ambiguous. */
const PREFIX_WORDS = 4;
/** A longer run of characters without spaces is cut between two words, so that an address stays short. */
const MAX_RUN_CHARS = 60;
/** How much of a block of text a fragment can use, in characters. */
const MAX_BLOCK_CHARS = 2_000;

const FENCE = /^\s*(?:```|~~~)/u;
const TABLE_RULE = /^[\s:|-]+$/u;

/**
 * Returns the address of a page with a text fragment (`#:~:text=`), with which browsers scroll to the passage and highlight it.
 * `before` is the text of the page before the passage: if it holds the start of the passage, too, the fragment names more of it or
 * what comes before. Returns the address alone if the passage has no words. Both texts are Markdown. Takes linear time.
 */
export function textFragmentUrl(url: string, passage: string, before: string): string {
  const blocks = blocksOf(passage);
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return url;

  const earlier = blocksOf(before);
  const start = startOf(first, earlier);
  const end = endOf(last, blocks.length === 1 ? start : "");
  if (start === "") return url;

  const prefix = occursIn(earlier, start) ? lastWords(earlier.at(-1) ?? "", PREFIX_WORDS) : "";
  const parts = [prefix === "" ? "" : `${encoded(prefix)}-`, encoded(start), encoded(end)];
  const base = url.includes("#") ? url : `${url}#`;
  return `${base}:~:text=${parts.filter((part) => part !== "").join(",")}`;
}

/** Returns the blocks of a Markdown text as a page shows them: one per line, and one per cell of a table. */
function blocksOf(markdown: string): readonly string[] {
  const blocks: string[] = [];
  let isCode = false;
  for (const line of markdown.split("\n")) {
    if (FENCE.test(line)) isCode = !isCode;
    else if (isCode) blocks.push(line);
    else if (line.trimStart().startsWith("|")) {
      if (!TABLE_RULE.test(line)) blocks.push(...line.split("|").map(plainLine));
    } else blocks.push(plainLine(line));
  }
  return blocks
    .map((block) => block.slice(0, MAX_BLOCK_CHARS).replaceAll(/\s+/gu, " ").trim())
    .filter(hasWords);
}

const hasWords = (block: string): boolean => /[\p{L}\p{N}]/u.test(block);

/** Returns the first words of a block: more of them if an earlier block holds the same. */
function startOf(block: string, earlier: readonly string[]): string {
  const few = firstWords(block, WORDS);
  return occursIn(earlier, few) ? firstWords(block, MOST_WORDS) : few;
}

/** Returns the last words of a block after its start; empty if the start is all of it. */
const endOf = (block: string, start: string): string => lastWords(block.slice(start.length).trim(), WORDS);

function firstWords(block: string, count: number): string {
  const runs = block.split(" ");
  const long = runs.findIndex((run) => run.length > MAX_RUN_CHARS);
  return long === 0
    ? headOf(runs[0] ?? "")
    : runs.slice(0, long < 0 ? count : Math.min(count, long)).join(" ");
}

function lastWords(block: string, count: number): string {
  const runs = block.split(" ");
  const long = runs.findLastIndex((run) => run.length > MAX_RUN_CHARS);
  if (long >= 0 && long === runs.length - 1) return tailOf(runs[long] ?? "");
  return runs.slice(Math.max(0, runs.length - count, long + 1)).join(" ");
}

/** Browsers only find whole words, and use the same rules for scripts without spaces. */
const segmenter = new Intl.Segmenter("en", { granularity: "word" });
const segmentsOf = (text: string): readonly string[] =>
  Array.from(segmenter.segment(text.toWellFormed()), ({ segment }) => segment);

/** Returns the first whole words of a run without spaces. */
function headOf(run: string): string {
  let head = "";
  for (const segment of segmentsOf(run.slice(0, 2 * MAX_RUN_CHARS))) {
    if (head.length + segment.length > MAX_RUN_CHARS) break;
    head += segment;
  }
  return head;
}

/** Returns the last whole words of a run without spaces. */
function tailOf(run: string): string {
  let tail = "";
  for (const segment of segmentsOf(run.slice(-2 * MAX_RUN_CHARS)).toReversed()) {
    if (tail.length + segment.length > MAX_RUN_CHARS) break;
    tail = segment + tail;
  }
  return tail;
}

const occursIn = (blocks: readonly string[], text: string): boolean => {
  const wanted = text.toLowerCase();
  return blocks.some((block) => block.toLowerCase().includes(wanted));
};

/** Percent-encodes what separates the parts of a fragment, too: `-`, `,` and `&`. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll("-", "%2D");
