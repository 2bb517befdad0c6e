import { type Embedder, TextsRefused } from "../llm/embeddings.ts";
import { providerError } from "../llm/errors.ts";
import type { Embedded, Unembedded, VectorShelf } from "./vector-shelf.ts";
import type { Scored } from "./word-ranking.ts";

/** What vectors contribute to a search; notes as in `MemorySearchAnswer`. */
export interface Meant {
  readonly near: readonly Scored[];
  readonly notes: readonly string[];
}

/** A search waits so long for the embeddings server at most; its answer comes without it then. */
const SEARCH_MS = 2_000;
/** What a batch may take. Where a search does not wait for it any more, it goes on for the next one. */
const BATCH_MS = 30_000;
/** Memories embedded with one request. */
const BATCH = 64;
/** Batches of one alarm. */
const STEP_BATCHES = 10;
/** Models read a beginning only, and what a memory is about stands there. */
const MAX_CHARS = 4_000;
/** A server that has failed is left alone for so long. */
const REST_MS = 10_000;
/** A text that no server refuses. */
const PROBE = "hello";
/** Vectors of queries that are kept: the next page of a search asks the same again. */
const QUERIES = 32;

/** Finds memories by what they mean. Whatever happens to the embeddings server, nothing here throws. */
export class Meaning {
  readonly #shelf: VectorShelf;
  readonly #embedder: Embedder;
  readonly #now: () => number;
  readonly #queries = new Map<string, Float32Array>();
  #restUntil = 0;
  #isTidy = false;
  #embedding: Promise<void> | undefined;

  constructor(shelf: VectorShelf, embedder: Embedder, now: () => number) {
    this.#shelf = shelf;
    this.#embedder = embedder;
    this.#now = now;
  }

  /** Whether some memories can't be found by their meaning yet. */
  get isPending(): boolean {
    return !this.#shelf.isComplete;
  }

  /** Whether the embeddings server has just failed and is left alone. */
  get isResting(): boolean {
    return this.#now() < this.#restUntil;
  }

  /**
   * Begins a search. Called before the index is caught up, so that query and table are waited for at the same time; what
   * comes back is called behind that, and embeds the newest memories before it looks.
   */
  begin(text: string): () => Promise<Meant> {
    const deadline = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => deadline.resolve(undefined), SEARCH_MS);
    const query = within(SEARCH_MS, (signal) => this.#queryVector(text, signal));
    return async () => {
      const newest = this.#embedNewest();
      const [vector] = await Promise.all([query, Promise.race([newest, deadline.promise])]);
      clearTimeout(timer);
      if (!vector) return { near: [], notes: ["embeddings-failed"] };
      return { near: this.#shelf.nearest(vector), notes: this.isPending ? ["embeddings-pending"] : [] };
    };
  }

  /** Embeds a part of what is pending. For an alarm. */
  async step(): Promise<void> {
    for (let batch = 0; batch < STEP_BATCHES && this.isPending && !this.isResting; batch++)
      await this.#embedNewest();
  }

  /** Throws away, once, what is left of memories that were gone when the index was built anew. Asked of a whole index. */
  tidy(): void {
    if (this.#isTidy) return;
    this.#shelf.tidy();
    this.#isTidy = true;
  }

  async #queryVector(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
    const known = this.#queries.get(text);
    if (known || this.isResting) return known;

    try {
      const [vector] = await this.#vectors([cut(text)], signal);
      if (vector) this.#queries.set(text, vector);
      // A map lists its oldest entry first.
      const [oldest] = this.#queries.keys();
      if (this.#queries.size > QUERIES && oldest !== undefined) this.#queries.delete(oldest);
      return vector;
    } catch (error) {
      // A query that is refused says nothing about the server.
      if (!(error instanceof TextsRefused)) this.#failed(error);
      return undefined;
    }
  }

  /** One batch at a time, whoever asks: the same texts are not paid for twice. */
  #embedNewest(): Promise<void> {
    if (this.isResting || !this.isPending) return Promise.resolve();
    this.#embedding ??= within(BATCH_MS, (signal) => this.#embedBatch(signal)).finally(() => {
      this.#embedding = undefined;
    });
    return this.#embedding;
  }

  async #embedBatch(signal: AbortSignal): Promise<void> {
    const batch = this.#shelf.unembedded(BATCH);
    const telling = batch.filter(({ content }) => content.trim() !== "");
    const blank = batch.filter(({ content }) => content.trim() === "");
    try {
      this.#shelf.put(blank.map(withoutVector));
      if (telling.length > 0) this.#shelf.put(await this.#embedded(telling, signal));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Texts that a server refuses although it takes others are left without a vector. */
  async #embedded(batch: readonly Unembedded[], signal: AbortSignal): Promise<readonly Embedded[]> {
    try {
      return await this.#embedAll(batch, signal);
    } catch (error) {
      if (!(error instanceof TextsRefused)) throw error;
      // Refusing this, too, it has something against us and not against a text.
      await this.#vectors([PROBE], signal);
      return this.#inHalves(batch, signal);
    }
  }

  async #inHalves(batch: readonly Unembedded[], signal: AbortSignal): Promise<readonly Embedded[]> {
    if (batch.length === 1) return batch.map(withoutVector);

    const middle = Math.ceil(batch.length / 2);
    const embedded: Embedded[] = [];
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      try {
        embedded.push(...(await this.#embedAll(half, signal)));
      } catch (error) {
        if (!(error instanceof TextsRefused)) throw error;
        embedded.push(...(await this.#inHalves(half, signal)));
      }
    }
    return embedded;
  }

  async #embedAll(batch: readonly Unembedded[], signal: AbortSignal): Promise<readonly Embedded[]> {
    const texts = batch.map(({ content }) => cut(content));
    const vectors = await this.#vectors(texts, signal);
    return batch.map(({ sort_key }, index) => ({ sortKey: sort_key, vector: vectors[index] ?? null }));
  }

  async #vectors(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const vectors = await this.#embedder.embed(texts, signal);
    const { dimensions } = this.#shelf;
    if (dimensions !== undefined && vectors.some(({ length }) => length !== dimensions))
      throw providerError.unreadable(new Error("The vectors have another length than before."));
    return vectors;
  }

  #failed(error: unknown): void {
    this.#restUntil = this.#now() + REST_MS;
    console.warn({ message: "Texts could not be embedded.", error: String(error) });
  }
}

const cut = (text: string): string => text.slice(0, MAX_CHARS).toWellFormed();

const withoutVector = ({ sort_key }: Unembedded): Embedded => ({ sortKey: sort_key, vector: null });

/** Gives something a signal that is aborted when it takes too long; the timer ends with it. */
async function within<T>(ms: number, what: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(providerError.stalled()), ms);
  try {
    return await what(abort.signal);
  } finally {
    clearTimeout(timer);
  }
}
