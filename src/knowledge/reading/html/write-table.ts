import { markdownTable } from "../markdown-lines.ts";
import { tidyLine, writeInline, type InlineContext } from "./write-inline.ts";
import { childElements, type Element } from "./tree.ts";

const MAX_COLUMNS = 50;
const MAX_SPAN = 50;
/** Anti-DoS: cells that span many others are repeated. A table repeats this many characters and then leaves cells empty. */
const MAX_REPEATED_CHARS = 50_000;
/** A cell of data is short. With a longer average, a table arranges a page. In characters. */
const LAYOUT_CELL_CHARS = 400;
const NOT_IN_CELLS = new Set("table article section h1 h2 h3 pre form".split(" "));

/** Returns the rows of a table that are not in a nested table. */
export function rowsOf(table: Element, context: InlineContext): readonly Element[] {
  const rows: Element[] = [];
  for (const child of childElements(table)) {
    if (context.dropped.has(child)) continue;
    if (child.name === "tr") rows.push(child);
    else if (/^t(?:head|body|foot)$/u.test(child.name)) rows.push(...rowsOf(child, context));
  }
  return rows;
}

const cellsOf = (row: Element, { dropped }: InlineContext): readonly Element[] =>
  [...childElements(row)].filter((cell) => (cell.name === "td" || cell.name === "th") && !dropped.has(cell));

/** Whether a table arranges a page and has no data: one row or column, or cells with headings, tables or long texts. */
export function isLayout(table: Element, rows: readonly Element[], context: InlineContext): boolean {
  const role = table.attributes["role"];
  if (role === "presentation" || role === "none") return true;
  const cells = rows.flatMap((row) => cellsOf(row, context));
  if (cells.length <= 1 || rows.every((row) => cellsOf(row, context).length <= 1)) return true;
  if (cells.some((cell) => hasAny(cell, NOT_IN_CELLS))) return true;
  if (cells.some(({ name }) => name === "th")) return false;
  const chars = cells.reduce((sum, cell) => sum + (context.measures.get(cell)?.chars ?? 0), 0);
  return rows.length === 1 || chars / cells.length > LAYOUT_CELL_CHARS;
}

function hasAny(element: Element, names: ReadonlySet<string>): boolean {
  for (const child of childElements(element)) if (names.has(child.name) || hasAny(child, names)) return true;
  return false;
}

/** Returns a table of data. A cell that spans others is repeated in each of them. */
export function writeTable(rows: readonly Element[], context: InlineContext): string {
  let repeatable = MAX_REPEATED_CHARS;
  /** What cells of earlier rows put into the columns of the next ones. */
  const reaching = new Map<number, { readonly text: string; rows: number }>();
  const repeated = (text: string): string => {
    repeatable -= text.length;
    return repeatable < 0 ? "" : text;
  };

  const lines = rows.map((row) => {
    const line: string[] = [];
    const fillUp = (): void => {
      for (let from = reaching.get(line.length); from && from.rows > 0; from = reaching.get(line.length)) {
        from.rows--;
        line.push(repeated(from.text));
      }
    };
    const cells = cellsOf(row, context);
    for (const cell of cells) {
      fillUp();
      const text = tidyLine(writeInline(cell.children, context));
      const [columns, height] = [spanOf(cell, "colspan"), spanOf(cell, "rowspan")];
      for (let column = 0; column < columns && line.length < MAX_COLUMNS; column++) {
        if (height > 1) reaching.set(line.length, { text, rows: height - 1 });
        // A cell that is alone in its row is a title and no value of each column.
        line.push(column === 0 ? text : cells.length === 1 ? "" : repeated(text));
      }
      if (line.length >= MAX_COLUMNS) break;
    }
    fillUp();
    return line;
  });
  return markdownTable(lines.filter((line) => line.some((cell) => cell !== "")));
}

function spanOf({ attributes }: Element, name: "colspan" | "rowspan"): number {
  const span = Number(attributes[name] ?? "1");
  return Number.isInteger(span) && span >= 1 ? Math.min(span, MAX_SPAN) : 1;
}
