import { memoryDate } from "./memory-date.ts";
import type { MemoryHit } from "./model.ts";
import type { Query } from "./query.ts";
import { byRank, fused } from "./fusion.ts";
import { placesOf, type Scored, WordRanking } from "./word-ranking.ts";
import { spaced } from "./words.ts";

/** A memory as the table holds it. Sort keys, here and below, are without their prefix: a time and the memory's id. */
export interface IndexedMemory {
  readonly memoryId: string;
  readonly sortKey: string;
  readonly content: string;
  readonly createdAt: string;
  readonly occurredAt: string | null;
}

/** A deletion as the table tells of it. */
export interface Deletion {
  readonly memoryId: string;
  readonly sortKey: string;
}

/** How far the table has been read. */
export interface Progress {
  /** When it was read last, in milliseconds since the epoch. */
  readonly readAt: number;
  /** What has not been read yet: sort keys from `from` up to `before`, which is excluded. */
  readonly gap: { readonly from: string; readonly before: string } | null;
}

/** What one reading of the table brought. Memories stand in the order of their sort keys. */
export interface Changes {
  readonly newer: readonly IndexedMemory[];
  readonly older: readonly IndexedMemory[];
  readonly deletions: readonly Deletion[];
  readonly progress: Progress;
}

export interface IndexAnswer {
  readonly hits: readonly MemoryHit[];
  readonly total: number;
  readonly stored: number;
}

/** Another number where what is indexed changes: an index of another number begins anew. */
const VERSION = "1";
const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS memories (
     place INTEGER PRIMARY KEY, memory_id TEXT NOT NULL UNIQUE, sort_key TEXT NOT NULL, content TEXT NOT NULL,
     created_at TEXT NOT NULL, occurred_at TEXT, moment INTEGER NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS by_sort_key ON memories (sort_key)",
  // Without content of its own: the memories stand beside it, and it is given their texts with spaces added.
  `CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
     content, date, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2')`,
  // By sort key, which an edit changes: they outlive the memories when the index begins anew, because they cost money.
  // `place` is that of the memory while it is here; `vector` is null where the text can't be embedded.
  "CREATE TABLE IF NOT EXISTS vectors (sort_key TEXT PRIMARY KEY, place INTEGER, norm REAL, vector BLOB)",
  "CREATE TABLE IF NOT EXISTS vector_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
] as const;

/** The words of one memory's items, and the search in them. Knows SQLite and nothing of the table or of requests. */
export class TextIndex {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #words: WordRanking;
  #revision = 0;

  constructor(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">) {
    this.#storage = storage;
    this.#words = new WordRanking(storage.sql, { texts: "memories", words: "words", newestBy: "place" });
    this.#create();
    if (this.#state("version") !== VERSION) this.clear();
  }

  /** How far the table has been read; nothing for a new index. */
  get progress(): Progress | undefined {
    const text = this.#state("progress");
    // Written by `apply`.
    return text === undefined ? undefined : (JSON.parse(text) as Progress);
  }

  /** Another number whenever memories were added. */
  get revision(): number {
    return this.#revision;
  }

  /** Begins anew. */
  clear(): void {
    this.#revision++;
    this.#storage.transactionSync(() => {
      this.#exec("UPDATE vectors SET place = NULL");
      for (const table of ["words", "memories", "state"]) this.#exec(`DROP TABLE IF EXISTS ${table}`);
      this.#create();
      this.#exec("INSERT INTO state VALUES ('version', ?)", VERSION);
    });
  }

  /** Takes in what was read: all of it or, where that fails, nothing. */
  apply({ newer, older, deletions, progress }: Changes): void {
    if (newer.length + older.length > 0) this.#revision++;
    this.#storage.transactionSync(() => {
      const { first, last } = this.#exec<{ first: number; last: number }>(
        "SELECT IFNULL(MIN(place), 1) AS first, IFNULL(MAX(place), 0) AS last FROM memories",
      ).one();

      for (const [index, memory] of newer.entries()) this.#add(memory, last + 1 + index);
      for (const [index, memory] of older.entries()) this.#add(memory, first - older.length + index);
      for (const { memoryId, sortKey } of deletions) this.#removeOlder(memoryId, sortKey);
      this.#exec("INSERT OR REPLACE INTO state VALUES ('progress', ?)", JSON.stringify(progress));
    });
  }

  /** Whether a memory is here as the table has it. */
  has({ memoryId, sortKey }: IndexedMemory): boolean {
    return this.#sortKeyOf(memoryId) === sortKey;
  }

  /** Whether a deletion would remove anything. */
  isConcernedBy({ memoryId, sortKey }: Deletion): boolean {
    const known = this.#sortKeyOf(memoryId);
    return known !== undefined && known < sortKey;
  }

  /** What matches the query by its words, together with what is near to it in meaning, best first. */
  search(query: Query, limit: number, offset: number, near: readonly Scored[] = []): IndexAnswer {
    const stored = this.#count("SELECT COUNT(*) AS n FROM memories");
    switch (query.kind) {
      case "everything":
        return { ...this.#newestFirst("TRUE", [], limit, offset), total: stored, stored };
      case "literal": {
        const where = "INSTR(content, ?) > 0";
        const total = this.#count(`SELECT COUNT(*) AS n FROM memories WHERE ${where}`, query.text);
        return { ...this.#newestFirst(where, [query.text], limit, offset), total, stored };
      }
      case "words":
        return { ...this.#ranked(query.terms, near, limit, offset), stored };
    }
  }

  #newestFirst(where: string, bindings: readonly string[], limit: number, offset: number) {
    const order = "ORDER BY sort_key DESC LIMIT ? OFFSET ?";
    const rows = this.#exec<MemoryRow>(
      `SELECT * FROM memories WHERE ${where} ${order}`,
      ...bindings,
      limit,
      offset,
    );
    return { hits: [...rows].map((row) => hitFrom(row, 0)) };
  }

  #ranked(terms: readonly string[], near: readonly Scored[], limit: number, offset: number) {
    const { head: matches, total: matching, tail } = this.#words.rank(terms);
    const head = fused(matches, near);
    const total = matching + near.length - this.#words.countAmong(terms, placesOf(near));

    const fromHead = head.slice(offset, offset + limit);
    const missing = Math.min(limit, total - offset) - fromHead.length;
    const skipped = Math.max(offset - head.length, 0);
    const fromTail = missing > 0 ? tail(placesOf(head), missing, skipped) : [];
    const behind = matches.length + skipped;
    const scored = near.length === 0 ? fromTail : byRank(fromTail, behind);
    return { hits: this.#hits([...fromHead, ...scored]), total };
  }

  #hits(scored: readonly Scored[]): readonly MemoryHit[] {
    return scored.map(({ place, score }) =>
      hitFrom(this.#exec<MemoryRow>("SELECT * FROM memories WHERE place = ?", place).one(), score),
    );
  }

  /** The later sort key of a memory wins: an edit moves it there. */
  #add(memory: IndexedMemory, place: number): void {
    const { memoryId, sortKey, content, createdAt, occurredAt } = memory;
    const known = this.#sortKeyOf(memoryId);
    if (known !== undefined && known >= sortKey) return;
    this.#removeOlder(memoryId, sortKey);

    const date = memoryDate(occurredAt, createdAt);
    const row = [place, memoryId, sortKey, content, createdAt, occurredAt, date.moment] as const;
    this.#exec("INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    this.#exec(
      "INSERT INTO words (rowid, content, date) VALUES (?, ?, ?)",
      place,
      spaced(content),
      date.text,
    );
    this.#exec("UPDATE vectors SET place = ? WHERE sort_key = ?", place, sortKey);
  }

  #removeOlder(memoryId: string, sortKey: string): void {
    const removed = "DELETE FROM memories WHERE memory_id = ? AND sort_key < ? RETURNING place, sort_key";
    for (const { place, sort_key } of this.#exec<RemovedRow>(removed, memoryId, sortKey).toArray()) {
      this.#exec("DELETE FROM words WHERE rowid = ?", place);
      this.#exec("DELETE FROM vectors WHERE sort_key = ?", sort_key);
    }
  }

  #sortKeyOf(memoryId: string): string | undefined {
    const query = "SELECT sort_key FROM memories WHERE memory_id = ?";
    return this.#exec<{ sort_key: string }>(query, memoryId).toArray()[0]?.sort_key;
  }

  #state(name: string): string | undefined {
    return this.#exec<{ value: string }>("SELECT value FROM state WHERE name = ?", name).toArray()[0]?.value;
  }

  #count(query: string, ...bindings: readonly string[]): number {
    return this.#exec<{ n: number }>(query, ...bindings).one().n;
  }

  #create(): void {
    for (const statement of SCHEMA) this.#exec(statement);
  }

  #exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: readonly SqlStorageValue[]) {
    return this.#storage.sql.exec<Row>(query, ...bindings);
  }
}

/** A type, because SQL's rows have an index; so is the next. */
type RemovedRow = { readonly place: number; readonly sort_key: string };

type MemoryRow = {
  readonly memory_id: string;
  readonly content: string;
  readonly created_at: string;
  readonly occurred_at: string | null;
};

const hitFrom = (row: MemoryRow, score: number): MemoryHit => ({
  memoryId: row.memory_id,
  content: row.content,
  createdAt: row.created_at,
  occurredAt: row.occurred_at,
  score,
});
