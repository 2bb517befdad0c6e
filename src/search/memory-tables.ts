import type { Similarity } from "./fusion.ts";
import type { MemoryHit } from "./model.ts";
import { FTS5_TOKENIZER, TOKENS_VERSION } from "./tokens.ts";
import { type Scored, TRAIT_COLUMNS } from "./word-ranking.ts";

/** Change the number when the content of the index changes: an index with another version is rebuilt. */
export const VERSION = `2/${TOKENS_VERSION}`;

/** The tables of an index of memories. */
export interface MemoryTables {
  readonly memories: "memories" | "history";
  readonly words: string;
  readonly state: string;
  /** The column that identifies a text. */
  readonly id: "memory_id" | "sort_key";
  /** Further columns of `memories`, and what is unique. */
  readonly definitions: string;
  /** Whether a text is the current one of its memory. */
  readonly isCurrent: string;
}

/** The memories as they are now. Only these have vectors. */
export const CURRENT: MemoryTables = {
  memories: "memories",
  words: "words",
  state: "state",
  id: "memory_id",
  definitions: "UNIQUE (memory_id)",
  isCurrent: "TRUE",
};

/** The memories with their earlier texts, for searches as of an earlier time. Filled by the first such search. */
export const HISTORY: MemoryTables = {
  memories: "history",
  words: "history_words",
  state: "history_state",
  id: "sort_key",
  definitions: "superseded_at TEXT, UNIQUE (memory_id, sort_key)",
  isCurrent: "superseded_at IS NULL",
};

/** Returns the statement that creates the table of the state of an index. */
export const stateTable = ({ state }: MemoryTables): string =>
  `CREATE TABLE IF NOT EXISTS ${state} (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`;

/** Returns the statements that create the tables of an index. */
export const schemaOf = (tables: MemoryTables): readonly string[] => {
  const { memories, words, definitions } = tables;
  // The names that the indexes of current memories have always had.
  const prefix = tables === CURRENT ? "" : `${memories}_`;
  return [
    stateTable(tables),
    `CREATE TABLE IF NOT EXISTS ${memories} (
     place INTEGER PRIMARY KEY, memory_id TEXT NOT NULL, sort_key TEXT NOT NULL, content TEXT NOT NULL,
     created_at TEXT NOT NULL, occurred_at TEXT, moment INTEGER NOT NULL, ${TRAIT_COLUMNS}, ${definitions})`,
    `CREATE INDEX IF NOT EXISTS ${prefix}by_sort_key ON ${memories} (sort_key)`,
    `CREATE INDEX IF NOT EXISTS ${prefix}by_label ON ${memories} (label)`,
    `CREATE INDEX IF NOT EXISTS ${prefix}by_moment ON ${memories} (moment)`,
    // Contentless: the texts are in `memories`, and this table indexes them with spaces added.
    `CREATE VIRTUAL TABLE IF NOT EXISTS ${words} USING fts5(
     content, date, content = '', contentless_delete = 1, tokenize = '${FTS5_TOKENIZER}')`,
  ];
};

/** Type aliases, because rows need an implicit index signature. */
export type RemovedRow = { readonly place: number; readonly sort_key: string };

export type MemoryRow = {
  readonly memory_id: string;
  readonly content: string;
  readonly created_at: string;
  readonly occurred_at: string | null;
  /** Only in the history. */
  readonly superseded_at?: string | null;
};

/** Returns a hit from its row. */
export const hitFrom = (row: MemoryRow, score: number): MemoryHit => ({
  memoryId: row.memory_id,
  content: row.content,
  createdAt: row.created_at,
  occurredAt: row.occurred_at,
  ...(typeof row.superseded_at === "string" && { supersededAt: row.superseded_at }),
  score,
});

/**
 * Returns a similarity of the current memories with the places that their texts have in the history. Earlier texts have no
 * vectors.
 */
export function similarityInHistory(sql: SqlStorage, { near, deviations }: Similarity): Similarity {
  if (near.length === 0 && deviations.size === 0) return { near, deviations };

  const rows = sql.exec<{ current: number; place: number }>(
    `SELECT memories.place AS current, history.place FROM memories
     JOIN history ON history.memory_id = memories.memory_id AND history.sort_key = memories.sort_key`,
  );
  const scores = new Map(near.map(({ place, score }) => [place, score]));
  const moved = { near: [] as Scored[], deviations: new Map<number, number>() };
  for (const { current, place } of rows) {
    const score = scores.get(current);
    if (score !== undefined) moved.near.push({ place, score });
    moved.deviations.set(place, deviations.get(current) ?? 0);
  }
  moved.near.sort((a, b) => b.score - a.score || b.place - a.place);
  return moved;
}
