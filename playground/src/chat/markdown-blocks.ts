import { type Inline, parseInline } from "./markdown-inline.ts";

type Alignment = "left" | "center" | "right" | undefined;

/** A part of a Markdown document. */
export type Block =
  | { readonly type: "paragraph"; readonly inline: readonly Inline[] }
  | { readonly type: "heading"; readonly level: number; readonly inline: readonly Inline[] }
  | { readonly type: "code"; readonly language: string; readonly text: string }
  | { readonly type: "quote"; readonly blocks: readonly Block[] }
  | {
      readonly type: "list";
      /** The first number of a numbered list. */
      readonly start: number | undefined;
      readonly items: readonly (readonly Block[])[];
    }
  | {
      readonly type: "table";
      readonly alignments: readonly Alignment[];
      readonly header: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly type: "rule" };

/** What is nested deeper is a paragraph. Each level reads its lines again. */
const MAX_DEPTH = 6;
/** Further columns are left out. */
const MAX_COLUMNS = 40;

const FENCE = /^ {0,3}(`{3,}|~{3,})/u;
const HEADING = /^ {0,3}(#{1,6})(?: +|$)/u;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?: +|$)/u;
const QUOTE = /^ {0,3}> ?/u;

/**
 * Parses Markdown as models write it: paragraphs, headings, lists, quotes, code and tables. HTML is text, and what is not closed ends
 * with the document. Takes time in proportion to the text.
 */
export const parseMarkdown = (text: string): readonly Block[] =>
  parseBlocks(text.replaceAll(/\r\n?/gu, "\n").replaceAll("\t", "    ").split("\n"), 0);

function parseBlocks(lines: readonly string[], depth: number): readonly Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = () => {
    if (paragraph.length > 0) blocks.push({ type: "paragraph", inline: parseInline(paragraph.join("\n")) });
    paragraph = [];
  };

  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      endParagraph();
      at++;
      continue;
    }
    const found = depth < MAX_DEPTH ? blockAt(lines, at, depth) : undefined;
    if (found) {
      endParagraph();
      blocks.push(found.block);
      at = found.end;
    } else {
      paragraph.push(line.trim());
      at++;
    }
  }
  endParagraph();
  return blocks;
}

/** A block, and the line behind it. */
interface Found {
  readonly block: Block;
  readonly end: number;
}

/** Returns the block that begins at a line, or undefined if it is a line of a paragraph. */
function blockAt(lines: readonly string[], at: number, depth: number): Found | undefined {
  const line = lines[at] ?? "";
  return (
    codeAt(lines, at) ??
    headingAt(line, at) ??
    (isRule(line) ? { block: { type: "rule" }, end: at + 1 } : undefined) ??
    (QUOTE.test(line) ? quoteAt(lines, at, depth) : undefined) ??
    (ITEM.test(line) ? listAt(lines, at, depth) : undefined) ??
    tableAt(lines, at)
  );
}

/** Whether a line cannot go on with the paragraph before it. */
const interrupts = (line: string): boolean =>
  fenceIn(line) !== undefined || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line) || isRule(line);

/** Returns the fence that a line opens, and the language behind it. */
function fenceIn(line: string): { readonly fence: string; readonly language: string } | undefined {
  const [found, fence] = FENCE.exec(line) ?? [];
  if (found === undefined || fence === undefined) return undefined;
  const language = line.slice(found.length).trim();
  // Backticks with more of them on the same line are code within a paragraph.
  return fence.startsWith("`") && language.includes("`") ? undefined : { fence, language };
}

function codeAt(lines: readonly string[], at: number): Found | undefined {
  const opened = fenceIn(lines[at] ?? "");
  if (!opened) return undefined;
  const { fence, language } = opened;
  let end = at + 1;
  while (end < lines.length && !closes(lines[end] ?? "", fence)) end++;
  const text = lines.slice(at + 1, end).join("\n");
  return { block: { type: "code", language: language.slice(0, 40), text }, end: end + 1 };
}

function closes(line: string, fence: string): boolean {
  const text = line.trim();
  return text.length >= fence.length && text === (fence[0] ?? "").repeat(text.length);
}

function headingAt(line: string, at: number): Found | undefined {
  const found = HEADING.exec(line);
  if (!found) return undefined;
  const text = line.slice(found[0].length).trim();
  const closing = /^#+$/u.test(text.slice(text.lastIndexOf(" ") + 1)) && text.includes(" ");
  const inline = parseInline(closing ? text.slice(0, text.lastIndexOf(" ")).trim() : text);
  return { block: { type: "heading", level: found[1]?.length ?? 1, inline }, end: at + 1 };
}

/** Three or more of the same mark, with or without spaces. */
function isRule(line: string): boolean {
  const marks = line.replaceAll(" ", "");
  const [mark = ""] = marks;
  return marks.length >= 3 && "-*_".includes(mark) && marks === mark.repeat(marks.length);
}

function quoteAt(lines: readonly string[], at: number, depth: number): Found {
  const inside: string[] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? "";
    if (QUOTE.test(line)) inside.push(line.replace(QUOTE, ""));
    // The lines of a paragraph may leave out the mark.
    else if (line.trim() !== "" && inside.at(-1)?.trim() !== "" && !interrupts(line)) inside.push(line);
    else break;
  }
  return { block: { type: "quote", blocks: parseBlocks(inside, depth + 1) }, end };
}

function listAt(lines: readonly string[], at: number, depth: number): Found {
  const first = ITEM.exec(lines[at] ?? "");
  const isNumbered = /\d/u.test(first?.[2] ?? "");
  const items: (readonly Block[])[] = [];
  let end = at;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end] ?? "");
    if (!found || isRule(lines[end] ?? "") || /\d/u.test(found[2] ?? "") !== isNumbered) break;
    const item = itemAt(lines, end, found[0]);
    items.push(parseBlocks(item.lines, depth + 1));
    end = item.end;
  }
  const start = isNumbered ? Number.parseInt(first?.[2] ?? "1", 10) : undefined;
  return { block: { type: "list", start, items }, end };
}

/** Collects the lines of a list's item: those that are indented, and those that go on with its paragraph. */
function itemAt(lines: readonly string[], at: number, marker: string) {
  const inside = [(lines[at] ?? "").slice(marker.length)];
  // Models indent by 2 to 4, whatever the marker's width.
  const width = Math.min(marker.length, 4);
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? "";
    const indent = line.length - line.trimStart().length;
    const isBlank = line.trim() === "";
    if (isBlank) {
      const next = lines[end + 1] ?? "";
      // A blank line belongs to the item only if something indented follows, and to the list if another item does.
      if (next.trim() === "" || (indentOf(next) < 2 && !ITEM.test(next))) break;
      inside.push("");
    } else if (indent >= 2) inside.push(line.slice(Math.min(indent, width)));
    else if (!interrupts(line) && inside.at(-1)?.trim() !== "") inside.push(line);
    else break;
  }
  return { lines: inside, end };
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

function tableAt(lines: readonly string[], at: number): Found | undefined {
  const line = lines[at] ?? "";
  const separator = lines[at + 1] ?? "";
  if (!line.includes("|") || !separator.includes("-") || !/^[\s|:-]+$/u.test(separator)) return undefined;
  const header = cellsOf(line);
  const alignments = cellsOf(separator).map(alignmentOf);
  if (alignments.length !== header.length || alignments.includes("none")) return undefined;

  const rows: string[][] = [];
  let end = at + 2;
  for (; end < lines.length && (lines[end] ?? "").includes("|"); end++) rows.push(cellsOf(lines[end] ?? ""));
  return {
    block: {
      type: "table",
      alignments: alignments.filter((alignment) => alignment !== "none"),
      header: header.map(parseInline),
      rows: rows.map((row) => row.slice(0, header.length).map(parseInline)),
    },
    end,
  };
}

/** Splits a row at its bars. A bar behind a backslash is text. */
function cellsOf(line: string): string[] {
  const text = line.trim().replace(/^\|/u, "");
  const cells: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length && cells.length < MAX_COLUMNS; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "|") {
      cells.push(text.slice(from, at));
      from = at + 1;
    }
  }
  if (cells.length < MAX_COLUMNS && text.slice(from).trim() !== "") cells.push(text.slice(from));
  return cells.map((cell) => cell.trim());
}

function alignmentOf(cell: string): Alignment | "none" {
  if (!/^:?-+:?$/u.test(cell)) return "none";
  if (cell.startsWith(":")) return cell.endsWith(":") ? "center" : "left";
  return cell.endsWith(":") ? "right" : undefined;
}
