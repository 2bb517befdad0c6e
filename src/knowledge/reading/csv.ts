import type { ReadDocument } from "./document.ts";
import { documentOf, tidyLines } from "./plain-text.ts";
import { escapedBlock } from "./markdown-lines.ts";

const DELIMITERS = [",", ";", "\t", "|"] as const;
/** How much of a file decides about its delimiter, in characters and in rows. */
const SAMPLE_CHARS = 65_536;
const SAMPLE_ROWS = 20;
const MAX_COLUMNS = 1_000;

type Row = readonly string[];

/**
 * Reads a table of comma-separated values: each row becomes a paragraph with a line `Column: value` for each of its values, so
 * that a passage can be understood without the first row. The delimiter is recognised. Takes linear time.
 */
export function readCsv(text: string): ReadDocument {
  const clean = text.replace(/^\ufeff/u, "");
  const rows = rowsOf(clean, delimiterOf(clean), Number.POSITIVE_INFINITY);
  const [first, ...others] = rows;
  if (!first) return documentOf("", null);

  const hasHeader = others.length > 0 && isHeader(first);
  const body = hasHeader ? others : rows;
  const names = hasHeader ? first : [];
  return documentOf(
    body
      .map((row) => paragraphOf(row, names))
      .filter((paragraph) => paragraph !== "")
      .join("\n\n"),
    null,
  );
}

/** A header names every column differently and has no numbers. */
const isHeader = (row: Row): boolean =>
  new Set(row).size === row.length && row.every((name) => name !== "" && !/^[\d.,\s%€$£-]+$/u.test(name));

function paragraphOf(row: Row, names: Row): string {
  const lines: string[] = [];
  for (const [at, value] of row.entries())
    if (value !== "") lines.push(`${names[at] ?? `Column ${at + 1}`}: ${value}`);
  return escapedBlock(lines.join("\n"));
}

/** Returns the delimiter with which most rows have as many cells as the first one; among equals, the one with the most columns. */
function delimiterOf(text: string): string {
  const sample = text.slice(0, SAMPLE_CHARS);
  let [best, bestScore] = [",", 0];
  for (const delimiter of DELIMITERS) {
    const rows = rowsOf(sample, delimiter, SAMPLE_ROWS);
    const columns = rows[0]?.length ?? 0;
    const alike = rows.filter((row) => row.length === columns).length / Math.max(1, rows.length);
    const score = columns < 2 ? 0 : alike + Math.min(columns, 100) / 1_000;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** Returns at most `maxRows` rows that are not empty. Quotes are read as RFC 4180 says; an open one ends with the file. */
function rowsOf(text: string, delimiter: string, maxRows: number): readonly Row[] {
  const rows: Row[] = [];
  let row: string[] = [];
  let at = 0;

  const endRow = (): void => {
    if (row.some((value) => value !== "")) rows.push(row);
    row = [];
  };
  while (at < text.length && rows.length < maxRows) {
    const { value, end } = valueAt(text, at, delimiter);
    if (row.length < MAX_COLUMNS) row.push(oneParagraph(value));
    const isEndOfRow = text[end] !== delimiter;
    if (isEndOfRow) endRow();
    at = end + (text.startsWith("\r\n", end) ? 2 : 1);
    // A delimiter at the very end is followed by an empty value, which says nothing.
  }
  endRow();
  return rows;
}

function valueAt(
  text: string,
  start: number,
  delimiter: string,
): { readonly value: string; readonly end: number } {
  let [quoted, at] = ["", start];
  if (text[at] === '"') {
    for (at++; at < text.length;) {
      const quote = text.indexOf('"', at);
      const end = quote === -1 ? text.length : quote;
      quoted += text.slice(at, end);
      at = end + 1;
      if (text[at] !== '"') break;
      quoted += '"';
      at++;
    }
  }
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end++;
  return { value: quoted + text.slice(at, end), end };
}

/** A paragraph has no empty lines. */
const oneParagraph = (value: string): string => tidyLines(value).replaceAll(/\n+/gu, "\n");
