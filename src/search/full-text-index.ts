import type { Ranked } from "./search-pages.ts";
import { traitsOf } from "./factors.ts";
import { memoryDate } from "./memory-date.ts";
import {
  CURRENT,
  hitFrom,
  type MemoryRow,
  type MemoryTables,
  type RemovedRow,
  schemaOf,
  stateTable,
  VERSION,
} from "./memory-tables.ts";
import { MAX_EARLIER_TEXTS, type MemoryHit, type SearchEvidence } from "./model.ts";
import type { Query, WordQuery } from "./query.ts";
import { fuseRankings, candidatePlaces, type Similarity } from "./fusion.ts";
import {
  type Filter,
  type Matched,
  placesOf,
  type Scored,
  standingAt,
  termsOfAll,
  traitValues,
  WordRanking,
} from "./word-ranking.ts";
import type { Gap } from "./reverse-scan.ts";
import { createVectorTables, placeVectors, removeVectors, unplaceVectors } from "./vector-tables.ts";
import { indexedText } from "./tokens.ts";

/** A memory from the table. Sort keys, here and below, have no prefix: they consist of a time and the memory's id. */
export interface IndexedMemory {
  readonly memoryId: string;
  readonly sortKey: string;
  readonly content: string;
  readonly createdAt: string;
  readonly occurredAt: string | null;
}

/** An earlier text of a memory from the table. Its sort key is the one that the memory had. */
export interface SupersededMemory extends IndexedMemory {
  readonly supersededAt: string;
}

/** A deletion marker from the table. */
export interface Deletion {
  readonly memoryId: string;
  /** The sort key of the deleted text. Later ones are of a memory that was stored again; clocks of servers differ. */
  readonly lastSortKey: string;
}

/** How far the index has read the table. */
export interface Progress {
  /** When it was last read, in milliseconds since the epoch. */
  readonly readAt: number;
  /** The range that has not been read yet: sort keys from `from` (inclusive) to `before` (exclusive). Null if none. */
  readonly gap: Gap | null;
  /** The same for earlier texts. Absent if they are not read. */
  readonly supersededGap?: Gap | null;
}

/** The result of reading the table once. Memories are in the order of their sort keys. */
export interface Changes {
  readonly newer: readonly IndexedMemory[];
  readonly older: readonly IndexedMemory[];
  readonly superseded: readonly SupersededMemory[];
  readonly deletions: readonly Deletion[];
  readonly progress: Progress;
}

/** The text without variation selectors, which a literal query lacks too. */
const VISIBLE_CONTENT = "REPLACE(REPLACE(content, char(65038), ''), char(65039), '')";

interface FullTextIndexDeps {
  readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly tables?: MemoryTables;
}

/** Indexes and searches the memories of one agent and user. Depends on SQLite only, not on the table or on requests. */
export class FullTextIndex {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #tables: MemoryTables;
  readonly #words: WordRanking;
  /** What a `VectorStore` reads. Sort keys change with every edit. */
  readonly texts = { table: "memories", key: "sort_key" } as const;
  /** Whether the index that was found had another version, so that it is being built again. */
  readonly wasOutdated: boolean = false;
  #revision = 0;

  /** `tables` are those of the current memories by default. */
  constructor({ storage, tables = CURRENT }: FullTextIndexDeps) {
    this.#storage = storage;
    this.#tables = tables;
    this.#words = new WordRanking({
      sql: storage.sql,
      tables: { texts: tables.memories, words: tables.words, newestBy: "place" },
    });
    this.#exec(stateTable(tables));
    createVectorTables(storage.sql);
    const version = this.#state("version");
    if (version === VERSION) return;
    this.wasOutdated = version !== undefined;
    this.clear();
  }

  /** How far the table has been read; `undefined` for a new index. */
  get progress(): Progress | undefined {
    const text = this.#state("progress");
    // Written by `apply`.
    return text === undefined ? undefined : (JSON.parse(text) as Progress);
  }

  /** Changes whenever memories are added or the index is cleared. */
  get revision(): number {
    return this.#revision;
  }

  /** Removes all memories and words, but keeps the vectors. */
  clear(): void {
    this.#revision++;
    this.#storage.transactionSync(() => {
      const { words, memories, state } = this.#tables;
      if (this.#hasVectors) unplaceVectors(this.#storage.sql);
      for (const table of [words, memories, state]) this.#exec(`DROP TABLE IF EXISTS ${table}`);
      for (const statement of schemaOf(this.#tables)) this.#exec(statement);
      this.#exec(`INSERT INTO ${state} VALUES ('version', ?)`, VERSION);
    });
  }

  /** Applies changes atomically. */
  apply({ newer, older, superseded, deletions, progress }: Changes): void {
    if (newer.length + older.length > 0) this.#revision++;
    this.#storage.transactionSync(() => {
      const { memories, state } = this.#tables;
      const { first, last } = this.#exec<{ first: number; last: number }>(
        `SELECT IFNULL(MIN(place), 1) AS first, IFNULL(MAX(place), 0) AS last FROM ${memories}`,
      ).one();

      // First, because a text that is not marked as superseded is removed when its successor is added.
      for (const [index, memory] of superseded.entries()) this.#addSuperseded(memory, last + 1 + index);
      const next = last + 1 + superseded.length;
      for (const [index, memory] of newer.entries()) this.#add(memory, next + index);
      for (const [index, memory] of older.entries()) this.#add(memory, first - older.length + index);
      for (const memoryId of new Set(superseded.map((memory) => memory.memoryId)))
        this.#removeForgotten(memoryId);
      for (const deletion of deletions) this.#removeUntil(deletion, "TRUE");
      this.#exec(`INSERT OR REPLACE INTO ${state} VALUES ('progress', ?)`, JSON.stringify(progress));
    });
  }

  /** Whether this version of a memory is in the index as the current one. */
  has({ memoryId, sortKey }: IndexedMemory): boolean {
    return this.#currentKeyOf(memoryId) === sortKey;
  }

  /** Whether a text is in the index and marked as superseded. */
  hasSuperseded({ memoryId, sortKey, supersededAt }: SupersededMemory): boolean {
    const query = `SELECT COUNT(*) AS n FROM ${this.#tables.memories} WHERE memory_id = ? AND sort_key = ? AND superseded_at = ?`;
    return this.#count(query, memoryId, sortKey, supersededAt) > 0;
  }

  /** Whether a deletion would remove a memory from the index. */
  isConcernedBy({ memoryId, lastSortKey }: Deletion): boolean {
    const query = `SELECT COUNT(*) AS n FROM ${this.#tables.memories} WHERE memory_id = ? AND sort_key <= ?`;
    return this.#count(query, memoryId, lastSortKey) > 0;
  }

  /** The number of indexed memories. */
  get stored(): number {
    return this.#count(`SELECT COUNT(*) AS n FROM ${this.#tables.memories}`);
  }

  /** Returns the memories that match a query, fused with semantically similar ones, best first. */
  rank(query: Query, end: number, filter: Filter, similarity: Similarity): Matched {
    switch (query.kind) {
      case "everything":
        return this.#newestFirst("TRUE", [], end, filter);
      case "literal":
        return this.#newestFirst(`INSTR(${VISIBLE_CONTENT}, ?) > 0`, [query.text], end, filter);
      case "words":
        return this.#ranked(query, end, filter, similarity);
    }
  }

  /** Returns the memories at these places, in the same order. */
  hitsAt(scored: readonly Scored[]): readonly MemoryHit[] {
    return scored.map(({ place, score }) =>
      hitFrom(
        this.#exec<MemoryRow>(`SELECT * FROM ${this.#tables.memories} WHERE place = ?`, place).one(),
        score,
      ),
    );
  }

  /** Returns the ids of the memories at these places, in the same order. */
  idsAt(scored: readonly Scored[]): readonly Ranked[] {
    const { memories, id: column } = this.#tables;
    const rows = this.#exec<{ place: number; id: string }>(
      `SELECT place, ${column} AS id FROM ${memories} WHERE place IN (SELECT value FROM json_each(?))`,
      JSON.stringify(placesOf(scored)),
    );
    const ids = new Map([...rows].map(({ place, id }) => [place, id]));
    return scored.map(({ place, score }) => ({ id: ids.get(place) ?? "", score }));
  }

  /** Returns what a search for these queries looks at. */
  evidence(queries: readonly Query[], filter: Filter): SearchEvidence {
    const { memories } = this.#tables;
    const passes = passing(filter);
    const count = `SELECT COUNT(*) AS n FROM ${memories} WHERE moment BETWEEN ? AND ?${passes.standing}`;
    // The plus makes SQLite read in the order of the sort keys, because most searches have no range.
    const newest = `SELECT created_at FROM ${memories} WHERE +moment BETWEEN ? AND ?${passes.standing} ORDER BY sort_key DESC LIMIT 1`;
    return {
      ...termsOfAll(queries, (query) => this.#words.termsFound(query, filter)),
      considered: this.#count(count, ...passes.bindings),
      newestAt:
        this.#exec<{ created_at: string }>(newest, ...passes.bindings).toArray()[0]?.created_at ?? null,
    };
  }

  /** Returns the memories with these ids, in the same order. Missing ones are left out. */
  hitsOf(ranked: readonly Ranked[]): readonly MemoryHit[] {
    const { memories, id: column } = this.#tables;
    const query = `SELECT * FROM ${memories} WHERE ${column} = ?`;
    return ranked.flatMap(({ id, score }) =>
      [...this.#exec<MemoryRow>(query, id)].map((row) => hitFrom(row, score)),
    );
  }

  #newestFirst(where: string, bindings: readonly string[], end: number, filter: Filter): Matched {
    const passes = passing(filter);
    const matching = `FROM ${this.#tables.memories} WHERE ${where} AND moment BETWEEN ? AND ?${passes.standing}`;
    const bound = [...bindings, ...passes.bindings];
    const ranked = this.#exec<Scored>(
      `SELECT place, 0 AS score ${matching} ORDER BY sort_key DESC LIMIT ?`,
      ...bound,
      end,
    ).toArray();
    return { ranked, total: this.#count(`SELECT COUNT(*) AS n ${matching}`, ...bound) };
  }

  #ranked(query: WordQuery, end: number, filter: Filter, similarity: Similarity): Matched {
    if (similarity.near.length === 0 && similarity.deviations.size === 0)
      return this.#words.best(query, end, filter, (head) => ({ ranked: head, scale: 1 }));

    const shown = this.#words.momentsAt(placesOf(similarity.near), filter);
    const near = similarity.near.filter(({ place }) => shown.has(place));
    const { ranked, total } = this.#words.best(query, end, filter, (head) => ({
      ranked: fuseRankings(
        head,
        { ...similarity, near },
        this.#words.momentsAt(candidatePlaces(head, near), filter),
      ),
      scale: head[0]?.score ?? 1,
    }));
    return { ranked, total: total + near.length - this.#words.countAmong(query, placesOf(near)) };
  }

  /** Adds a memory unless a later version is in the index. An edited memory has a later sort key than before. */
  #add(memory: IndexedMemory, place: number): void {
    const known = this.#currentKeyOf(memory.memoryId);
    if (known !== undefined && known >= memory.sortKey) return;
    this.#removeUntil({ memoryId: memory.memoryId, lastSortKey: memory.sortKey }, this.#tables.isCurrent);
    this.#insert(memory, place);
  }

  /** Marks a text as superseded, and adds it if it is not in the index. */
  #addSuperseded(memory: SupersededMemory, place: number): void {
    const { memories } = this.#tables;
    const where = "memory_id = ? AND sort_key = ?";
    const key = [memory.memoryId, memory.sortKey] as const;
    if (this.#count(`SELECT COUNT(*) AS n FROM ${memories} WHERE ${where}`, ...key) === 0)
      this.#insert(memory, place);
    this.#exec(`UPDATE ${memories} SET superseded_at = ? WHERE ${where}`, memory.supersededAt, ...key);
  }

  #insert({ memoryId, sortKey, content, createdAt, occurredAt }: IndexedMemory, place: number): void {
    const { memories, words } = this.#tables;
    const date = memoryDate(occurredAt, createdAt);
    const row = [
      place,
      memoryId,
      sortKey,
      content,
      createdAt,
      occurredAt,
      date.moment,
      ...traitValues(traitsOf(content)),
    ] as const;
    this.#exec(`INSERT INTO ${memories} (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ...row);
    this.#exec(
      `INSERT INTO ${words} (rowid, content, date) VALUES (?, ?, ?)`,
      place,
      indexedText(content),
      date.text,
    );
    if (this.#hasVectors) placeVectors(this.#storage.sql, sortKey, place);
  }

  /** Removes the earlier texts of a memory that the table does not keep any more, because the memory was changed too often. */
  #removeForgotten(memoryId: string): void {
    const { memories } = this.#tables;
    const earlier = "memory_id = ? AND superseded_at IS NOT NULL";
    const kept = `SELECT sort_key FROM ${memories} WHERE ${earlier} ORDER BY superseded_at DESC LIMIT ${MAX_EARLIER_TEXTS}`;
    this.#removeWhere(`${earlier} AND sort_key NOT IN (${kept})`, memoryId, memoryId);
  }

  /** Removes the texts of a memory that fulfil a condition, up to and including a sort key. */
  #removeUntil({ memoryId, lastSortKey }: Deletion, condition: string): void {
    this.#removeWhere(`memory_id = ? AND sort_key <= ? AND ${condition}`, memoryId, lastSortKey);
  }

  #removeWhere(condition: string, ...bindings: readonly string[]): void {
    const { memories, words } = this.#tables;
    const removed = `DELETE FROM ${memories} WHERE ${condition} RETURNING place, sort_key`;
    for (const { place, sort_key } of this.#exec<RemovedRow>(removed, ...bindings).toArray()) {
      this.#exec(`DELETE FROM ${words} WHERE rowid = ?`, place);
      if (this.#hasVectors) removeVectors(this.#storage.sql, [sort_key]);
    }
  }

  /** Whether vectors belong to the texts of this index. */
  get #hasVectors(): boolean {
    return this.#tables === CURRENT;
  }

  /** Returns the sort key of the current text of a memory. */
  #currentKeyOf(memoryId: string): string | undefined {
    const { memories, isCurrent } = this.#tables;
    const query = `SELECT sort_key FROM ${memories} WHERE memory_id = ? AND ${isCurrent}`;
    return this.#exec<{ sort_key: string }>(query, memoryId).toArray()[0]?.sort_key;
  }

  #state(name: string): string | undefined {
    const query = `SELECT value FROM ${this.#tables.state} WHERE name = ?`;
    return this.#exec<{ value: string }>(query, name).toArray()[0]?.value;
  }

  #count(query: string, ...bindings: readonly SqlStorageValue[]): number {
    return this.#exec<{ n: number }>(query, ...bindings).one().n;
  }

  #exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: readonly SqlStorageValue[]) {
    return this.#storage.sql.exec<Row>(query, ...bindings);
  }
}

const COLUMNS =
  "place, memory_id, sort_key, content, created_at, occurred_at, moment, label, holds_time, is_question";

/** Returns the values of `moment BETWEEN ? AND ?`, and a further condition with its values. */
function passing({ from, to, asOf }: Filter) {
  const { sql, bindings } = standingAt(asOf);
  return { standing: sql, bindings: [from, to, ...bindings] };
}
