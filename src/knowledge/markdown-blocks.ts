import { withoutTrailing } from "../shared/text.ts";

/** A part of a Markdown document between empty lines. */
export type MarkdownBlock =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | {
      readonly kind: "code";
      readonly fence: string;
      readonly info: string;
      readonly lines: readonly string[];
    }
  | { readonly kind: "table"; readonly header: readonly string[]; readonly rows: readonly string[] }
  | { readonly kind: "list" | "paragraph"; readonly lines: readonly string[] };

const HEADING = /^(#{1,6})[ \t]+(\S.*)$/u;
const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/u;
const TABLE_ROW = /^ {0,3}\|/u;
const LIST_ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)]) /u;

/**
 * Returns the blocks of a Markdown document in order. Blocks within lists and quotations are part of them. Takes linear time and
 * accepts any text.
 */
export function markdownBlocks(markdown: string): readonly MarkdownBlock[] {
  const lines = markdown.split("\n");
  const blocks: MarkdownBlock[] = [];
  for (let at = 0; at < lines.length;) {
    const { block, next } = blockAt(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(
  lines: readonly string[],
  at: number,
): { readonly block: MarkdownBlock | undefined; readonly next: number } {
  const line = lines[at] ?? "";
  if (line.trim() === "") return { block: undefined, next: at + 1 };

  const [, marks = "", title = ""] = HEADING.exec(line) ?? [];
  if (marks !== "")
    return { block: { kind: "heading", level: marks.length, text: plainHeading(title) }, next: at + 1 };

  const [, fence = "", info = ""] = FENCE.exec(line) ?? [];
  if (fence !== "") return codeAt(lines, at, fence, info.trim());

  if (TABLE_ROW.test(line)) {
    const next = endOf(lines, at, (each) => TABLE_ROW.test(each));
    return { block: tableOf(lines.slice(at, next)), next };
  }

  const isList = LIST_ITEM.test(line);
  const next = endOf(lines, at, (each) => each.trim() !== "" && !beginsBlock(each));
  return { block: { kind: isList ? "list" : "paragraph", lines: lines.slice(at, next) }, next };
}

/** Returns the text of a heading without the addresses of its links, and without the number signs that may close it. */
const plainHeading = (title: string): string =>
  withoutTrailing(title.replaceAll(/!?\[([^[\]]{0,1000})\]\([^()]{0,2048}\)/gu, "$1").trim(), "#").trim();

/** Returns the index of the first line after `at` that does not continue the block. */
function endOf(lines: readonly string[], at: number, continues: (line: string) => boolean): number {
  let end = at + 1;
  while (end < lines.length && continues(lines[end] ?? "")) end++;
  return end;
}

const beginsBlock = (line: string): boolean => HEADING.test(line) || FENCE.test(line) || TABLE_ROW.test(line);

/** A code block that nobody closes goes on to the end. */
function codeAt(
  lines: readonly string[],
  at: number,
  fence: string,
  info: string,
): { block: MarkdownBlock; next: number } {
  const end = endOf(lines, at, (line) => !closes(line, fence));
  const code = lines.slice(at + 1, end);
  return { block: { kind: "code", fence, info, lines: code }, next: end + 1 };
}

function closes(line: string, fence: string): boolean {
  const trimmed = line.trim();
  return trimmed.startsWith(fence) && trimmed.replaceAll(fence[0] ?? "`", "") === "";
}

function tableOf(lines: readonly string[]): MarkdownBlock {
  const hasHeader = /^[\s|:-]+$/u.test(lines[1] ?? "x");
  const headerLines = hasHeader ? 2 : 0;
  return { kind: "table", header: lines.slice(0, headerLines), rows: lines.slice(headerLines) };
}
