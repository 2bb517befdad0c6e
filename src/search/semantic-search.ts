import { resultWithin, withTimeout } from "../shared/async.ts";
import { type Embedder, TextsRefused } from "../llm/embeddings.ts";
import { providerError } from "../llm/errors.ts";
import { NO_SIMILARITY, type Similarity } from "./fusion.ts";
import { AppError } from "../shared/errors.ts";
import type { EmbeddingStatus } from "./model.ts";
import { type Embedded, type EmbeddedIndex, type Unembedded, VectorStore } from "./vector-store.ts";
import { openVectors, removeFormerVectors } from "./vector-tables.ts";

/** What vectors contribute to a search. `notes` as in `MemorySearchAnswer`. */
export interface SemanticMatches {
  readonly similarity: Similarity;
  readonly notes: readonly string[];
}

/** How long a search waits for the embeddings server. After that, it answers without semantic matches. */
const SEARCH_MS = 2_000;
/** The time limit of a batch. It goes on for the next search if the current one no longer waits. */
const BATCH_MS = 30_000;
/** Memories embedded with one request. */
const BATCH = 96;
/** Batches per alarm. */
const STEP_BATCHES = 10;
/** Models read only the beginning of a text, which usually shows what a memory is about. */
const MAX_CHARS = 4_000;
/** How long a failed server is not called. Alarms wait twice as long after each further failure. */
const REST_MS = 10_000;
/** How often alarms call a failing server: for 85 minutes. After that, only searches do. */
const ALARM_ATTEMPTS = 10;
/** A text that no working server refuses. */
const PROBE = "hello";
/** How many query vectors are cached, because the next page of a search has the same query. */
const QUERIES = 32;

interface SemanticSearchDeps {
  readonly vectorStore: VectorStore;
  readonly embedder: Embedder;
  readonly now: () => number;
  /** The search with the vectors of the former model, which serves until all memories have one of this model. */
  readonly former?: SemanticSearch | undefined;
  /** Removes the vectors of the former model. `undefined` if there are none. */
  readonly removeFormer?: (() => void) | undefined;
}

/** Finds memories by meaning. Never throws because of the embeddings server. */
export class SemanticSearch {
  readonly #vectorStore: VectorStore;
  readonly #embedder: Embedder;
  readonly #now: () => number;
  readonly #queries = new Map<string, Float32Array>();
  #restUntil = 0;
  #former: SemanticSearch | undefined;
  #removeFormer: (() => void) | undefined;
  #isTidy = false;
  #embedding: Promise<void> | undefined;

  constructor({ vectorStore, embedder, now, former, removeFormer }: SemanticSearchDeps) {
    this.#vectorStore = vectorStore;
    this.#embedder = embedder;
    this.#now = now;
    this.#former = former;
    this.#removeFormer = removeFormer;
  }

  /** Whether some memories have no vector yet. */
  get isPending(): boolean {
    return !this.#vectorStore.isComplete;
  }

  /**
   * Begins a search by embedding the query. Call it before the index catches up, so that both happen in parallel. Call
   * the returned function afterwards: it embeds the newest memories and returns the matches.
   */
  begin(text: string): () => Promise<SemanticMatches> {
    const dueAt = this.#now() + SEARCH_MS;
    const serving = this.#former ?? this;
    const begun = serving.#queryVector(text);
    return async () => {
      const newest = resultWithin(dueAt - this.#now(), this.#embedNewest());
      const [known] = await Promise.all([begun, newest]);
      this.#endChange();
      // The former model may have served its last query, or be gone from its server.
      if (serving !== this && known && this.#former)
        return { similarity: serving.#vectorStore.similarTo(known), notes: ["embeddings-pending"] };
      const vector =
        serving === this ? known : await resultWithin(dueAt - this.#now(), this.#queryVector(text));
      if (!vector) return { similarity: NO_SIMILARITY, notes: ["embeddings-failed"] };
      const notes = this.isPending ? ["embeddings-pending"] : [];
      return { similarity: this.#vectorStore.similarTo(vector), notes };
    };
  }

  /** The wait in milliseconds until an alarm should call `step`; `undefined` if it should not. */
  get nextStepMs(): number | undefined {
    if (!this.isPending) return undefined;
    const { failures } = this.#vectorStore;
    if (!failures) return 0;
    if (failures.count >= ALARM_ATTEMPTS) return undefined;
    return Math.max(0, failures.at + REST_MS * 2 ** (failures.count - 1) - this.#now());
  }

  /** How far the memories are embedded. */
  get status(): EmbeddingStatus {
    const { embedded, failures } = this.#vectorStore;
    const lastError = failures && { message: failures.message, at: failures.at };
    return { embedded, model: this.#embedder.id, lastError: lastError ?? null };
  }

  /** Embeds some of the pending memories, unless it is too early. Called by the alarm. */
  async step(): Promise<void> {
    for (let batch = 0; batch < STEP_BATCHES && this.nextStepMs === 0; batch++) await this.#embedNewest();
    this.#endChange();
  }

  /** Removes vectors of memories that no longer exist, once. Call it only if the index is complete. */
  tidy(): void {
    if (this.#isTidy) return;
    this.#vectorStore.tidy();
    this.#isTidy = true;
  }

  /** Whether the embeddings server failed recently and is not called for now. */
  get #isResting(): boolean {
    return this.#now() < this.#restUntil;
  }

  /** Removes the former model's vectors once all memories have one of the current model. */
  #endChange(): void {
    if (!this.#removeFormer || this.isPending || this.#vectorStore.isReplaced) return;
    this.#removeFormer();
    this.#removeFormer = undefined;
    this.#former = undefined;
  }

  async #queryVector(text: string): Promise<Float32Array | undefined> {
    const known = this.#queries.get(text);
    if (known || this.#isResting) return known;

    try {
      const [vector] = await withTimeout(SEARCH_MS, (signal) => this.#vectors([cut(text)], signal), STALLED);
      if (vector) this.#queries.set(text, vector);
      // A map lists its oldest entry first.
      const [oldest] = this.#queries.keys();
      if (this.#queries.size > QUERIES && oldest !== undefined) this.#queries.delete(oldest);
      return vector;
    } catch (error) {
      // A refused query does not mean that the server has failed.
      if (!(error instanceof TextsRefused)) this.#failed(error);
      return undefined;
    }
  }

  /** Embeds one batch. Concurrent callers share it, so that no text is paid for twice. */
  #embedNewest(): Promise<void> {
    if (this.#isResting || !this.isPending || this.#vectorStore.isReplaced) return Promise.resolve();
    this.#embedding ??= this.#embedBatch().finally(() => {
      this.#embedding = undefined;
    });
    return this.#embedding;
  }

  async #embedBatch(): Promise<void> {
    const batch = this.#vectorStore.unembedded(BATCH);
    const nonBlank = batch.filter(({ content }) => content.trim() !== "");
    const blank = batch.filter(({ content }) => content.trim() === "");
    try {
      this.#vectorStore.put(blank.map(withoutVector));
      if (nonBlank.length > 0)
        this.#vectorStore.put(
          await withTimeout(BATCH_MS, (signal) => this.#embedAccepted(nonBlank, signal), STALLED),
        );
      if (this.#vectorStore.failures) this.#vectorStore.failures = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Embeds a batch. Texts that the server refuses while it accepts others get no vector. */
  async #embedAccepted(batch: readonly Unembedded[], signal: AbortSignal): Promise<readonly Embedded[]> {
    try {
      return await this.#embedAll(batch, signal);
    } catch (error) {
      if (!(error instanceof TextsRefused)) throw error;
      // If the server refuses even this text, the error is not about the texts.
      await this.#vectors([PROBE], signal);
      return this.#inHalves(batch, signal);
    }
  }

  /** Isolates refused texts by halving the batch. */
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
    const { dimensions } = this.#vectorStore;
    if (dimensions !== undefined && vectors.some(({ length }) => length !== dimensions))
      throw providerError.unreadable(
        new Error("The vectors do not have the same length as the stored ones."),
      );
    return vectors;
  }

  #failed(error: unknown): void {
    const at = this.#now();
    this.#restUntil = at + REST_MS;
    const count = (this.#vectorStore.failures?.count ?? 0) + 1;
    this.#vectorStore.failures = { count, message: AppError.from(error).message, at };
    console.warn({ message: "Texts could not be embedded.", error: String(error) });
  }
}

/**
 * Returns the search with an embedder. If it is not the one of the stored vectors, those serve until all memories are
 * embedded with the new one, as far as the server still has the former model.
 */
export function semanticSearchOf(
  storage: DurableObjectStorage,
  index: EmbeddedIndex,
  embedder: Embedder,
  now: () => number,
): SemanticSearch {
  const formerId = openVectors(storage, embedder.id);
  const formerEmbedder = formerId === undefined ? undefined : embedder.ofModel?.(formerId);
  const former =
    formerId === undefined || !formerEmbedder
      ? undefined
      : new SemanticSearch({
          vectorStore: new VectorStore({ storage, index, table: "former_vectors", embedderId: formerId }),
          embedder: formerEmbedder,
          now,
        });
  const vectorStore = new VectorStore({ storage, index, table: "vectors", embedderId: embedder.id });
  const removeFormer = formerId === undefined ? undefined : () => removeFormerVectors(storage);
  return new SemanticSearch({ vectorStore, embedder, now, former, removeFormer });
}

/** A server that takes too long counts as one that fails. */
const STALLED = { reason: () => providerError.stalled() };

const cut = (text: string): string => text.slice(0, MAX_CHARS).toWellFormed();

const withoutVector = ({ sort_key }: Unembedded): Embedded => ({ sortKey: sort_key, vector: null });
