import { NO_SIMILARITY, type Similarity } from "./fusion.ts";
import type { PlaceValues } from "./ranking.ts";
import { stateTableOf, type VectorTable } from "./vector-tables.ts";
import type { Scored } from "./word-ranking.ts";

/** A memory that has no vector yet. */
export type Unembedded = { readonly sort_key: string; readonly content: string };

/** The vector of an indexed memory; null if its text can't be embedded. */
export interface Embedded {
  readonly sortKey: string;
  readonly vector: Float32Array | null;
}

/** The failures of an embeddings server since it last answered. */
interface EmbeddingFailures {
  readonly count: number;
  /** The last of them: what it was, in a sentence for callers, and when it happened (ms since the epoch). */
  readonly message: string;
  readonly at: number;
}

/** The maximum number of semantic matches per search. */
const NEIGHBOURS = 50;
/** Matches below this cosine similarity, or below this share of the best one, are unrelated to the query. */
const MIN_SIMILARITY = 0.25;
const SHARE_OF_BEST = 0.7;

const LEVELS = 127;
/** Vectors that are read at a time. With 512 dimensions, they take 512 KB. */
const BLOCK = 1_024;

/** The index whose texts have vectors. */
export interface EmbeddedIndex {
  /** Changes whenever texts are added or the index is cleared. */
  readonly revision: number;
  /** The table of its texts, and the column that identifies one. It also has the columns `place` and `content`. */
  readonly texts: { readonly table: string; readonly key: string };
}

interface VectorStoreDeps {
  readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly index: EmbeddedIndex;
  /** Which vectors; see `openVectors`. */
  readonly table: VectorTable;
  /** The embedder of these vectors. */
  readonly embedderId: string;
}

/**
 * Stores the vectors of the memories in a `FullTextIndex`, in the same database. Each dimension takes one byte: 50,000
 * memories of 512 dimensions take 26 MB on disk. A search scans all vectors.
 */
export class VectorStore {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #index: EmbeddedIndex;
  readonly #table: VectorTable;
  readonly #stateTable: string;
  readonly #embedderId: string;
  /** The revision of the index at which every memory had a row. */
  #completeAt: number | undefined;

  constructor({ storage, index, table, embedderId }: VectorStoreDeps) {
    this.#storage = storage;
    this.#index = index;
    this.#table = table;
    this.#stateTable = stateTableOf(table);
    this.#embedderId = embedderId;
  }

  /**
   * Whether the table holds the vectors of another embedder by now, because the model was changed while this one was
   * asked. Then this store finds and writes nothing.
   */
  get isReplaced(): boolean {
    return this.#state("embedder") !== this.#embedderId;
  }

  /** The length of the vectors, or `undefined` if there are none. */
  get dimensions(): number | undefined {
    const text = this.#state("dimensions");
    return text === undefined ? undefined : Number(text);
  }

  /** The number of indexed memories that have a vector. */
  get embedded(): number {
    const query = `SELECT COUNT(*) AS n FROM ${this.#table} WHERE place IS NOT NULL AND vector IS NOT NULL`;
    return this.#storage.sql.exec<{ n: number }>(query).one().n;
  }

  /** The failures since memories were last embedded; `undefined` if there are none. They outlive the object. */
  get failures(): EmbeddingFailures | undefined {
    const text = this.#state("failures");
    // Written by the setter.
    return text === undefined ? undefined : (JSON.parse(text) as EmbeddingFailures);
  }

  set failures(failures: EmbeddingFailures | undefined) {
    if (this.isReplaced) return;
    if (failures)
      this.#storage.sql.exec(
        `INSERT OR REPLACE INTO ${this.#stateTable} VALUES ('failures', ?)`,
        JSON.stringify(failures),
      );
    else this.#storage.sql.exec(`DELETE FROM ${this.#stateTable} WHERE name = 'failures'`);
  }

  /** Whether no memory lacks its vector. */
  get isComplete(): boolean {
    // Finding none scans all memories, so it is done only once per revision of the index.
    if (this.#completeAt === this.#index.revision) return true;
    if (this.unembedded(1).length > 0) return false;
    this.#completeAt = this.#index.revision;
    return true;
  }

  /** Returns up to `limit` memories without a vector, newest first. */
  unembedded(limit: number): readonly Unembedded[] {
    const { table, key } = this.#index.texts;
    return this.#storage.sql
      .exec<Unembedded>(
        `SELECT ${key} AS sort_key, content FROM ${table}
         WHERE NOT EXISTS (SELECT 1 FROM ${this.#table} WHERE ${this.#table}.sort_key = ${table}.${key})
         ORDER BY place DESC LIMIT ?`,
        limit,
      )
      .toArray();
  }

  /** Stores vectors. Vectors of memories that have since been removed are ignored. */
  put(embedded: readonly Embedded[]): void {
    if (this.isReplaced) return;
    const { table, key } = this.#index.texts;
    this.#storage.transactionSync(() => {
      for (const { sortKey, vector } of embedded) {
        const packed = vector && pack(vector);
        this.#storage.sql.exec(
          `INSERT OR REPLACE INTO ${this.#table} SELECT ${key}, place, ?, ? FROM ${table} WHERE ${key} = ?`,
          packed?.norm ?? null,
          packed?.bytes ?? null,
          sortKey,
        );
        if (vector)
          this.#storage.sql.exec(
            `INSERT OR IGNORE INTO ${this.#stateTable} VALUES ('dimensions', ?)`,
            String(vector.length),
          );
      }
    });
  }

  /** Deletes vectors of memories that are not in the index. */
  tidy(): void {
    this.#storage.sql.exec(`DELETE FROM ${this.#table} WHERE place IS NULL`);
  }

  /** Returns how similar the memories are to a vector. Among equals, the newest comes first. */
  similarTo(query: Float32Array): Similarity {
    const { bytes, norm } = pack(query);
    const wanted = new Int8Array(bytes);
    if (norm === 0 || this.isReplaced) return NO_SIMILARITY;

    const cosines = new Map<number, number>();
    const best: Scored[] = [];
    for (const { places, norms, vectors } of this.#blocks()) {
      const products = dotProducts(vectors, wanted);
      for (const [index, place] of places.entries()) {
        const score = (products[index] ?? 0) / ((norms[index] ?? 0) * norm);
        cosines.set(place, score);
        if (score >= MIN_SIMILARITY) insertSorted(best, { place, score });
      }
    }

    const least = (best[0]?.score ?? 0) * SHARE_OF_BEST;
    return { near: best.filter(({ score }) => score >= least), deviations: toDeviations(cosines) };
  }

  /**
   * Reads all vectors of indexed memories, so many at a time that they need not fit into memory together. SQLite joins
   * the vectors of a block, because a row of its own for each would take most of the time of a search.
   */
  *#blocks(): Iterable<VectorBlock> {
    for (let after: number | null = 0; after !== null;) {
      const row: BlockRow = this.#storage.sql
        .exec<BlockRow>(
          `SELECT MAX(id) AS last, json_group_array(place) AS places, json_group_array(norm) AS norms,
             CAST(group_concat(vector, '') AS BLOB) AS vectors
           FROM (SELECT rowid AS id, place, norm, vector FROM ${this.#table}
             WHERE rowid > ? AND place IS NOT NULL AND norm > 0 ORDER BY rowid LIMIT ${BLOCK})`,
          after,
        )
        .one();
      after = row.last;
      // Numbers, written by SQLite.
      const [places, norms] = [JSON.parse(row.places) as number[], JSON.parse(row.norms) as number[]];
      if (row.vectors) yield { places, norms, vectors: new Int8Array(row.vectors) };
    }
  }

  #state(name: string): string | undefined {
    const query = `SELECT value FROM ${this.#stateTable} WHERE name = ?`;
    return this.#storage.sql.exec<{ value: string }>(query, name).toArray()[0]?.value;
  }
}

/**
 * Returns by how many standard deviations values differ from their mean; nothing if they do not differ. Reuses the map,
 * because copying one with many thousand entries would take as long as reading the vectors.
 */
function toDeviations(values: Map<number, number>): PlaceValues {
  let [sum, squares] = [0, 0];
  for (const value of values.values()) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.size;
  const deviation = Math.sqrt(Math.max(0, squares / values.size - mean * mean));
  if (!(deviation > 0)) return new Map();
  for (const [place, value] of values) values.set(place, (value - mean) / deviation);
  return values;
}

/** A type alias, because rows need an implicit index signature. */
type BlockRow = {
  readonly last: number | null;
  readonly places: string;
  readonly norms: string;
  readonly vectors: ArrayBuffer | null;
};

/** Vectors, one after the other, with their places and norms in the same order. */
interface VectorBlock {
  readonly places: readonly number[];
  readonly norms: readonly number[];
  readonly vectors: Int8Array;
}

/** Quantises a vector to integers from -127 to 127. Returns them with their norm. */
function pack(vector: Float32Array): { readonly bytes: ArrayBuffer; readonly norm: number } {
  const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const bytes = new Int8Array(vector.length);
  let squares = 0;
  for (const [index, value] of vector.entries()) {
    const level = largest === 0 ? 0 : Math.round((value / largest) * LEVELS);
    bytes[index] = level;
    squares += level * level;
  }
  return { bytes: bytes.buffer, norm: Math.sqrt(squares) };
}

/** How many vectors `dotProducts` multiplies at a time. */
const LANES = 4;

/**
 * Returns the dot products of a query with vectors of its length that follow each other. Four vectors at a time have
 * four independent sums and read each number of the query once, which takes a fifth less time than four sums over one vector. The
 * sums are integers, because floats take twice as long, and can't overflow: 8,192 times 127 squared is 132 million.
 */
function dotProducts(vectors: Int8Array, query: Int8Array): Int32Array {
  const { length } = query;
  const products = new Int32Array(vectors.length / length);
  const inLanes = products.length - (products.length % LANES);
  for (let index = 0; index < inLanes; index += LANES) {
    const first = index * length;
    const [second, third, fourth] = [first + length, first + 2 * length, first + 3 * length];
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < length; i++) {
      const factor = query[i] ?? 0;
      a = (a + Math.imul(vectors[first + i] ?? 0, factor)) | 0;
      b = (b + Math.imul(vectors[second + i] ?? 0, factor)) | 0;
      c = (c + Math.imul(vectors[third + i] ?? 0, factor)) | 0;
      d = (d + Math.imul(vectors[fourth + i] ?? 0, factor)) | 0;
    }
    products[index] = a;
    products[index + 1] = b;
    products[index + 2] = c;
    products[index + 3] = d;
  }
  for (let index = inLanes; index < products.length; index++)
    for (let i = 0; i < length; i++)
      products[index] = (products[index] ?? 0) + (vectors[index * length + i] ?? 0) * (query[i] ?? 0);
  return products;
}

/** Inserts a match into the sorted list of the best ones, if it belongs there. */
function insertSorted(best: Scored[], found: Scored): void {
  const isBehind = (other: Scored) =>
    other.score < found.score || (other.score === found.score && other.place < found.place);
  const last = best.at(-1);
  if (best.length === NEIGHBOURS && last && !isBehind(last)) return;

  const at = best.findIndex(isBehind);
  best.splice(at === -1 ? best.length : at, 0, found);
  if (best.length > NEIGHBOURS) best.pop();
}
