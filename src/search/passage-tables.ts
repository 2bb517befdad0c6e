import { ATTEMPTS_TABLE } from "./page-attempts.ts";
import { FTS5_TOKENIZER } from "./tokens.ts";

/** The table with the version of an index and how far it has read. */
export const STATE_TABLE =
  "CREATE TABLE IF NOT EXISTS document_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
/** The tables of the index of a knowledge base. */
export const SCHEMA = [
  STATE_TABLE,
  ATTEMPTS_TABLE,
  `CREATE TABLE IF NOT EXISTS pages (
     page_id TEXT PRIMARY KEY, version INTEGER NOT NULL, url TEXT, title TEXT) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS passages (
     place INTEGER PRIMARY KEY, passage_id TEXT NOT NULL UNIQUE, page_id TEXT NOT NULL, position INTEGER NOT NULL,
     words INTEGER NOT NULL, headings TEXT NOT NULL, content TEXT NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS passages_by_page ON passages (page_id, position)",
  // Contentless: the texts are in `passages`, and this table indexes them with spaces added.
  `CREATE VIRTUAL TABLE IF NOT EXISTS passage_words USING fts5(
     headings, content, content = '', contentless_delete = 1, tokenize = '${FTS5_TOKENIZER}')`,
] as const;

/** Selects passages with their pages. */
export const PASSAGE = `SELECT place, passage_id, page_id, position, headings, content, url, title
  FROM passages JOIN pages USING (page_id)`;

/** Type aliases, because rows need an implicit index signature. */
export type PlacedRow = { readonly place: number; readonly passage_id: string };
export type PageRow = { readonly url: string | null; readonly title: string | null };
export type TextRow = { readonly position: number; readonly headings: string; readonly content: string };
export type PlaceRow = { readonly place: number; readonly headings: string; readonly content: string };
export type PassageRow = PlacedRow & TextRow & PageRow & { readonly page_id: string };

/** Returns the headings of a row: the index writes them as JSON. */
export const headingsIn = (json: string): readonly string[] => JSON.parse(json) as readonly string[];

/** Returns passages as one text. A heading is repeated where a section begins. */
export function joined(rows: readonly TextRow[]): string {
  const parts = rows.flatMap(({ headings, content }, index) => {
    const before = rows[index - 1];
    const heading = headingsIn(headings).at(-1);
    const begins = before !== undefined && before.headings !== headings && heading !== undefined;
    return begins ? [`**${heading}**`, content] : [content];
  });
  return parts.join("\n\n");
}
