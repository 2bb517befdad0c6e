import type { TextIndex } from "./text-index.ts";
import type { Scored } from "./word-ranking.ts";

/** A memory that has no vector yet. */
export type Unembedded = { readonly sort_key: string; readonly content: string };

/** A vector of an index's memory; null where its text can't be embedded. */
export interface Embedded {
  readonly sortKey: string;
  readonly vector: Float32Array | null;
}

/** So many neighbours in meaning take part in a search. */
const NEIGHBOURS = 50;
/** What is less similar than this, or than this share of the most similar, has nothing to do with the query. */
const MIN_SIMILARITY = 0.25;
const SHARE_OF_BEST = 0.7;

const LEVELS = 127;

/**
 * The vectors of the memories in a `TextIndex`, in its own table there. Kept in a byte per dimension: 50,000 memories of
 * 512 dimensions take 26 MB on the disk, and a search looks at one after the other.
 */
export class VectorShelf {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #index: Pick<TextIndex, "revision">;
  /** The state of the index in which every memory had been looked at. */
  #completeAt: number | undefined;

  /** `embedderId` says whose vectors these are; those of another one are thrown away. */
  constructor(
    storage: Pick<DurableObjectStorage, "sql" | "transactionSync">,
    index: Pick<TextIndex, "revision">,
    embedderId: string,
  ) {
    this.#storage = storage;
    this.#index = index;
    if (this.#state("embedder") === embedderId) return;

    storage.transactionSync(() => {
      storage.sql.exec("DELETE FROM vectors");
      storage.sql.exec("DELETE FROM vector_state");
      storage.sql.exec("INSERT INTO vector_state VALUES ('embedder', ?)", embedderId);
    });
  }

  /** How long the vectors are; nothing where there are none. */
  get dimensions(): number | undefined {
    const text = this.#state("dimensions");
    return text === undefined ? undefined : Number(text);
  }

  /** Whether no memory waits for its vector. */
  get isComplete(): boolean {
    // Finding none means looking at all memories, so it is done once for each state of the index.
    if (this.#completeAt === this.#index.revision) return true;
    if (this.unembedded(1).length > 0) return false;
    this.#completeAt = this.#index.revision;
    return true;
  }

  /** Memories without a vector, newest first. */
  unembedded(limit: number): readonly Unembedded[] {
    return this.#storage.sql
      .exec<Unembedded>(
        `SELECT sort_key, content FROM memories
         WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.sort_key = memories.sort_key)
         ORDER BY place DESC LIMIT ?`,
        limit,
      )
      .toArray();
  }

  /** Keeps vectors. Those of memories that have gone meanwhile are left out. */
  put(embedded: readonly Embedded[]): void {
    this.#storage.transactionSync(() => {
      for (const { sortKey, vector } of embedded) {
        const packed = vector && pack(vector);
        this.#storage.sql.exec(
          `INSERT OR REPLACE INTO vectors SELECT sort_key, place, ?, ? FROM memories WHERE sort_key = ?`,
          packed?.norm ?? null,
          packed?.bytes ?? null,
          sortKey,
        );
        if (vector)
          this.#storage.sql.exec(
            "INSERT OR IGNORE INTO vector_state VALUES ('dimensions', ?)",
            String(vector.length),
          );
      }
    });
  }

  /** Throws away vectors of memories that are not here. */
  tidy(): void {
    this.#storage.sql.exec("DELETE FROM vectors WHERE place IS NULL");
  }

  /** The memories that are nearest to a vector in meaning, nearest first, newest first among equals. */
  nearest(query: Float32Array): readonly Scored[] {
    const wanted = Float64Array.from(query);
    const length = Math.hypot(...query);
    const best: Scored[] = [];
    // One row at a time: the vectors need not stand in memory together.
    for (const { place, norm, vector } of this.#storage.sql.exec<VectorRow>(
      "SELECT place, norm, vector FROM vectors WHERE place IS NOT NULL AND norm > 0",
    )) {
      const score = dot(new Int8Array(vector), wanted) / (norm * length);
      if (score >= MIN_SIMILARITY) keepBest(best, { place, score });
    }

    const least = (best[0]?.score ?? 0) * SHARE_OF_BEST;
    return best.filter(({ score }) => score >= least);
  }

  #state(name: string): string | undefined {
    const query = "SELECT value FROM vector_state WHERE name = ?";
    return this.#storage.sql.exec<{ value: string }>(query, name).toArray()[0]?.value;
  }
}

/** A type, because SQL's rows have an index. */
type VectorRow = { readonly place: number; readonly norm: number; readonly vector: ArrayBuffer };

/** Whole numbers from -127 to 127 that point where the vector points, and their norm. */
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

/** Four sums at a time: none waits for the one before, which makes it three times as fast. */
function dot(packed: Int8Array, query: Float64Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < query.length; i += 4) {
    a += (packed[i] ?? 0) * (query[i] ?? 0);
    b += (packed[i + 1] ?? 0) * (query[i + 1] ?? 0);
    c += (packed[i + 2] ?? 0) * (query[i + 2] ?? 0);
    d += (packed[i + 3] ?? 0) * (query[i + 3] ?? 0);
  }
  return a + b + c + d;
}

/** Keeps a list of the best in order. */
function keepBest(best: Scored[], found: Scored): void {
  const isBehind = (other: Scored) =>
    other.score < found.score || (other.score === found.score && other.place < found.place);
  const last = best.at(-1);
  if (best.length === NEIGHBOURS && last && !isBehind(last)) return;

  const at = best.findIndex(isBehind);
  best.splice(at === -1 ? best.length : at, 0, found);
  if (best.length > NEIGHBOURS) best.pop();
}
