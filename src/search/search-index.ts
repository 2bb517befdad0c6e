import { DurableObject } from "cloudflare:workers";
import { embedderFor, rerankerFor } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { type Reply, replying } from "../shared/durable-reply.ts";
import { memoryPartition } from "../table/keys.ts";
import { snapshotPage, laterPage, notesOf, rankedPage, type Rerank, textsOf } from "./answers.ts";
import { CheckedEmbedder } from "./checked-embedder.ts";
import { FullTextIndex } from "./full-text-index.ts";
import { meaningsOf, nextStepMs } from "./meaning.ts";
import { MemoryIndexer } from "./memory-indexer.ts";
import { HISTORY, similarityInHistory } from "./memory-tables.ts";
import { MessageIndex } from "./message-index.ts";
import { MessageIndexer } from "./message-indexer.ts";
import type {
  EmbeddingStatus,
  MemoryHit,
  MemoryIndexRequest,
  MemoryIndexStatus,
  MemorySearchAnswer,
  MemorySearchRequest,
  RecallAnswer,
  RecallHit,
  RecallRequest,
} from "./model.ts";
import { passageOf, type PassageWords, passageWords } from "./passage.ts";
import { parseQuery } from "./query.ts";
import { RERANKED_CHARS, Reranking } from "./reranking.ts";
import { SearchPages } from "./search-pages.ts";
import { type SemanticSearch, semanticSearchOf } from "./semantic-search.ts";
import { type IndexOwner, UnfinishedBuilds } from "./unfinished-builds.ts";

/** An index of memories, of the current ones or of the history. */
interface IndexedMemories {
  readonly index: FullTextIndex;
  readonly indexer: MemoryIndexer;
  /** Whether the next complete answer announces that the index was rebuilt. */
  isRebuilt: boolean;
}

interface Memories extends IndexedMemories {
  readonly embedder: CheckedEmbedder;
}

interface Messages {
  readonly index: MessageIndex;
  readonly indexer: MessageIndexer;
  /** As in `IndexedMemories`. */
  isRebuilt: boolean;
}

/**
 * The Durable Object that indexes one agent's memory of one user, and their conversations. The table is the source of
 * truth: a lost index is rebuilt from it. A shell around the indexes and indexers, which know nothing of Durable
 * Objects except their storage.
 */
export class SearchIndex extends DurableObject<Env> {
  #pages = new SearchPages({ storage: this.ctx.storage });
  readonly #builds = new UnfinishedBuilds({ storage: this.ctx.storage });
  #memories: Memories | undefined;
  #history: IndexedMemories | undefined;
  #messages: Messages | undefined;
  /** Null if the deployment has no reranking server. */
  #reranking: Reranking | null | undefined;

  /** Returns the best matches in the current memory. */
  search(request: MemorySearchRequest): Promise<Reply<MemorySearchAnswer>> {
    return replying(() => this.#search(request));
  }

  /** Returns how far the current memory can be found. */
  status(request: MemoryIndexRequest): Promise<Reply<MemoryIndexStatus>> {
    return replying(() => this.#status(request));
  }

  /** Returns the best matches in the current conversations. */
  recall(request: RecallRequest): Promise<Reply<RecallAnswer>> {
    return replying(() => this.#recall(request));
  }

  /** Removes everything that is stored, because the memory is being deleted. */
  forget(): Promise<Reply<null>> {
    return replying(() => this.#forget());
  }

  /** Continues unfinished builds. */
  override async alarm(): Promise<void> {
    await this.#builds.continue({
      memories: (owner) => this.#buildMemories(owner),
      history: (owner) => this.#buildHistory(owner),
      messages: (owner, conversationsOf) => this.#buildMessages(owner, conversationsOf),
    });
  }

  async #search(request: MemorySearchRequest): Promise<MemorySearchAnswer> {
    const current = await this.#openedMemories(request);
    const { embedder } = current;
    const isAsOf = request.asOf !== undefined;
    const searched = isAsOf ? await this.#openedHistory(request) : current;
    const { index, indexer } = searched;
    const kept = await this.#pages.page(request.snapshot, request.offset, request.limit);
    const texts = textsOf(request);
    // The vectors belong to the current memories, which a search in the history therefore needs, too.
    const indexers = {
      get isBuilding() {
        return current.indexer.isBuilding;
      },
      async sync() {
        await Promise.all([current.indexer.sync(), isAsOf && indexer.sync()]);
      },
    };
    const { semantic, similar } = await meaningsOf(kept ? [] : texts, indexers, embedder, request);

    const questions = texts.map((text, at) => {
      const similarity = similar[at]?.similarity;
      const moved = similarity && isAsOf ? similarityInHistory(this.ctx.storage.sql, similarity) : similarity;
      return { query: parseQuery(text), similarity: moved };
    });
    const options = { pages: this.#pages, excluded: [] };
    const page = kept ?? (await laterPage(index, questions, request, options));
    if (page) return snapshotPage(index.hitsOf(page.ranked), page.total, request, indexer.isBuilding);

    const rerank = await this.#rerank(request, ({ content }: MemoryHit, words) =>
      passageOf(content, words, RERANKED_CHARS),
    );
    await this.#leaveMemories(request, current.indexer, semantic);
    if (isAsOf && indexer.isBuilding) await this.#builds.leave(request, { history: true });
    // Race: a page may wait for the reranking server. Meanwhile, the memory may be deleted with its tables.
    const { stored } = index;
    const answer = await rankedPage(index, questions, request, { ...options, rerank });
    const notes = notesOf(searched, answer.total, stored);
    const remarks = new Set([...notes, ...similar.flatMap((found) => found?.notes ?? []), ...answer.notes]);
    return { ...answer, notes: [...remarks] };
  }

  async #recall(request: RecallRequest): Promise<RecallAnswer> {
    const messages = await this.#openedMessages(request, request.conversationsOf);
    const { index, indexer } = messages;
    await indexer.sync();

    const { limit, offset, except, conversationsOf, snapshot } = request;
    const texts = textsOf(request);
    const questions = texts.map((text) => ({ query: parseQuery(text) }));
    const options = { pages: this.#pages, excluded: index.placesOf(except) };
    const kept =
      (await this.#pages.page(snapshot, offset, limit)) ??
      (await laterPage(index, questions, request, options));
    if (kept) {
      const hits = index.withFilePassages(index.hitsOf(kept.ranked), texts.join("\n"));
      return snapshotPage(hits, kept.total, request, indexer.isBuilding);
    }

    const rerank = await this.#rerank(
      request,
      ({ content, files, filePassage }: RecallHit, words) =>
        filePassage?.text ?? (passageOf(content, words, RERANKED_CHARS) || files.join(", ")),
    );
    if (indexer.isBuilding) await this.#builds.leave(request, { conversationsOf });
    // Race: as in `#search`.
    const stored = index.storedWithout(except);
    const answer = await rankedPage(index, questions, request, { ...options, rerank });
    const notes = notesOf(messages, answer.total, stored);
    return { ...answer, notes: [...notes, ...answer.notes] };
  }

  async #status(request: MemoryIndexRequest): Promise<MemoryIndexStatus> {
    const { index, indexer, embedder } = await this.#openedMemories(request);
    const [semantic] = await Promise.all([embedder.search(request), indexer.sync()]);
    await this.#leaveMemories(request, indexer, semantic);
    return { indexed: index.stored, ...(semantic?.status ?? NOT_EMBEDDED) };
  }

  /**
   * Returns the function that orders hits by their passages, or `undefined` if the deployment has no reranking server.
   */
  async #rerank<Hit>(
    { accountEmail }: MemoryIndexRequest,
    toPassage: (hit: Hit, words: PassageWords) => string,
  ): Promise<Rerank<Hit> | undefined> {
    const reranking = await this.#openedReranking(accountEmail);
    if (!reranking) return undefined;
    return (text, hits) => {
      const words = passageWords(text);
      return reranking.order(
        text,
        hits.map((hit) => toPassage(hit, words)),
      );
    };
  }

  /** Leaves what is not indexed or embedded yet to the alarm. */
  async #leaveMemories(
    owner: IndexOwner,
    indexer: MemoryIndexer,
    semantic: SemanticSearch | undefined,
  ): Promise<void> {
    const waitMs = nextStepMs(indexer, semantic);
    if (waitMs !== undefined) await this.#builds.leave(owner, { memories: true }, waitMs);
  }

  /** Returns the wait until the next part in milliseconds, or `undefined` if no work is left. */
  async #buildMemories(owner: IndexOwner): Promise<number | undefined> {
    const { indexer, embedder } = await this.#openedMemories(owner);
    // A complete index is only embedded. Otherwise each step would read again what was imported within the last minute.
    const [semantic] = await Promise.all([
      embedder.search(owner),
      indexer.isBuilding ? indexer.sync() : undefined,
    ]);
    await semantic?.step();
    return nextStepMs(indexer, semantic);
  }

  /** Returns as `#buildMemories`. */
  async #buildHistory(owner: IndexOwner): Promise<number | undefined> {
    const { indexer } = await this.#openedHistory(owner);
    await indexer.sync();
    return indexer.isBuilding ? 0 : undefined;
  }

  /** Returns as `#buildMemories`. */
  async #buildMessages(owner: IndexOwner, conversationsOf: string): Promise<number | undefined> {
    const { indexer } = await this.#openedMessages(owner, conversationsOf);
    await indexer.sync();
    return indexer.isBuilding ? 0 : undefined;
  }

  async #forget(): Promise<null> {
    const opened = [this.#memories, this.#history, this.#messages].filter((part) => part !== undefined);
    await Promise.all(opened.map(({ indexer }) => indexer.rest()));
    this.#pages.close();
    this.#pages = new SearchPages({ storage: this.ctx.storage });
    // Race: no request may open an index whose tables are about to be removed.
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.#memories = undefined;
      this.#history = undefined;
      this.#messages = undefined;
    });
    return null;
  }

  async #openedMemories({ agentId, userId }: IndexOwner): Promise<Memories> {
    if (this.#memories) return this.#memories;

    const ports = await portsFrom(this.env);
    // A concurrent request may have opened it during the await.
    if (this.#memories) return this.#memories;

    const { storage } = this.ctx;
    const { now } = ports.clock;
    const index = new FullTextIndex({ storage });
    const partition = memoryPartition(agentId, userId);
    const indexer = new MemoryIndexer({ index, table: ports.table, partition, now });
    const embedder = new CheckedEmbedder({
      open: (accountEmail) => embedderFor(ports, accountEmail, agentId),
      searchWith: (opened) => semanticSearchOf(storage, index, opened, now),
      now,
    });
    this.#memories = { index, indexer, embedder, isRebuilt: index.wasOutdated };
    return this.#memories;
  }

  async #openedHistory({ agentId, userId }: IndexOwner): Promise<IndexedMemories> {
    if (this.#history) return this.#history;

    const { table, clock } = await portsFrom(this.env);
    if (!this.#history) {
      const index = new FullTextIndex({ storage: this.ctx.storage, tables: HISTORY });
      const partition = memoryPartition(agentId, userId);
      const deps = { index, table, partition, withSuperseded: true, now: clock.now };
      this.#history = { index, indexer: new MemoryIndexer(deps), isRebuilt: index.wasOutdated };
    }
    return this.#history;
  }

  /** All requests of an index come from one account. */
  async #openedReranking(accountEmail: AccountEmail): Promise<Reranking | null> {
    if (this.#reranking !== undefined) return this.#reranking;

    const ports = await portsFrom(this.env);
    const reranker = rerankerFor(ports, accountEmail);
    this.#reranking ??= reranker ? new Reranking({ reranker, now: ports.clock.now }) : null;
    return this.#reranking;
  }

  async #openedMessages({ agentId }: IndexOwner, conversationsOf: string): Promise<Messages> {
    if (this.#messages) return this.#messages;

    const { table, clock } = await portsFrom(this.env);
    if (!this.#messages) {
      const index = new MessageIndex({ storage: this.ctx.storage });
      this.#messages = {
        isRebuilt: index.wasOutdated,
        index,
        indexer: new MessageIndexer({ index, table, agentId, conversationsOf, now: clock.now }),
      };
    }
    return this.#messages;
  }
}

/** The status of a memory whose agent has no embedder. */
const NOT_EMBEDDED: EmbeddingStatus = { embedded: 0, model: null, lastError: null };
