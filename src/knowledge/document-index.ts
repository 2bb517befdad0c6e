import { DurableObject } from "cloudflare:workers";
import { accountEmbedderFor, createDocumentIndexDeps } from "../deps/objects.ts";
import { type Ports, portsFrom } from "../deps/ports.ts";
import { notesOf, textsOf } from "../search/answers.ts";
import { CheckedEmbedder } from "../search/checked-embedder.ts";
import { meaningsOf, nextStepMs } from "../search/meaning.ts";
import { PassageIndex } from "../search/passage-index.ts";
import type { FoundPassage, PageReading } from "../search/passage-model.ts";
import { parseQuery } from "../search/query.ts";
import { rankAll } from "../search/results.ts";
import { semanticSearchOf } from "../search/semantic-search.ts";
import { alarmWithin, NEXT_STEP_MS, RETRY_MS } from "../search/unfinished-builds.ts";
import { EVERYTHING } from "../search/word-ranking.ts";
import { type Reply, replying } from "../shared/durable-reply.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { DocumentIndexer } from "./document-indexer.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import { PASSAGES_VERSION, passagesInTurns } from "./passages.ts";
import type {
  DocumentSearchAnswer,
  DocumentSearchRequest,
  PageReadRequest,
  PassageRequest,
} from "./search-model.ts";

/** The storage key of the base whose index an alarm continues to build. */
const UNFINISHED = "unfinished";
/** The storage key that says that somebody has searched the base while the deployment had embeddings. */
const SEARCHED = "searched";
/** The storage key of how many alarms in a row have failed. */
const FAILURES = "failures";
/** After so many failures in a row, 85 minutes, no alarm tries again until the next search or page. */
const MAX_FAILURES = 10;
/** How long a search waits until the index has caught up, in milliseconds. After that, it answers from what is indexed. */
const CATCH_UP_MS = 4_000;
/** How long after a page was stored its indexing begins, in milliseconds, so that several pages share a step. */
const WAKE_MS = 1_000;
/** When the next alarm rings if this one ends the process, in milliseconds: longer than any step takes. */
const WATCH_MS = 90_000;

interface Opened {
  /** The account that the pages are read for. */
  readonly accountEmail: AccountEmail;
  readonly index: PassageIndex;
  readonly indexer: DocumentIndexer;
  readonly embedder: CheckedEmbedder;
  /** Whether the next complete answer announces that the index was rebuilt. */
  isRebuilt: boolean;
}

/**
 * The Durable Object that indexes one knowledge base. The pages in the table are the source of truth: a lost index is rebuilt from
 * them. Each method first catches up with them, which also checks that the account has the base.
 */
export class DocumentIndex extends DurableObject<Env> {
  #opened: Opened | undefined;
  /** Whether `SEARCHED` is known to be stored. */
  #isSearched = false;

  /** Returns the best matches in the current pages. */
  search(request: DocumentSearchRequest): Promise<Reply<DocumentSearchAnswer>> {
    return this.#replying(request, () => this.#search(request));
  }

  /** Returns a passage; null if the current pages do not contain it. */
  passage(request: PassageRequest): Promise<Reply<FoundPassage | null>> {
    return this.#replying(request, () => this.#passage(request));
  }

  /** Returns a part of a page; null if there is no such page. */
  read(request: PageReadRequest): Promise<Reply<PageReading | null>> {
    return this.#replying(request, () => this.#read(request));
  }

  /** Begins to index soon, because the pages of the base have changed. */
  wake(base: KnowledgeBaseRef): Promise<Reply<null>> {
    return replying(async () => {
      await this.#leave(base, WAKE_MS);
      return null;
    });
  }

  /** Removes everything that is stored, because the base is being deleted. */
  forget(): Promise<Reply<null>> {
    return replying(() => this.#forget());
  }

  /** Continues an unfinished build. */
  override async alarm(): Promise<void> {
    const base = await this.ctx.storage.get<KnowledgeBaseRef>(UNFINISHED);
    if (!base) return;

    const watchAt = Date.now() + WATCH_MS;
    await this.ctx.storage.setAlarm(watchAt);
    try {
      const waitMs = await this.#step(base);
      await this.ctx.storage.delete(FAILURES);
      await this.#endWatch(watchAt, waitMs);
    } catch (error) {
      if (isGone(error)) return void (await this.#forget());
      console.warn({
        message: "The index of a knowledge base could not be built yet.",
        error: String(error),
      });
      const failures = ((await this.ctx.storage.get<number>(FAILURES)) ?? 0) + 1;
      await this.ctx.storage.put(FAILURES, failures);
      await this.#endWatch(watchAt, failures < MAX_FAILURES ? RETRY_MS * 2 ** (failures - 1) : undefined);
    }
  }

  /** Indexes a step's worth, and embeds if that is of use. Returns the wait until the next step; `undefined` if nothing is left. */
  async #step(base: KnowledgeBaseRef): Promise<number | undefined> {
    const { indexer, embedder } = await this.#open(base);
    // Texts that are embedded are counted by day for all of an account, so pages that nobody has searched are not.
    if (!(await this.ctx.storage.get<boolean>(SEARCHED))) {
      await indexer.sync();
      return nextStepMs(indexer, undefined);
    }
    const { semantic } = await meaningsOf([], indexer, embedder, base);
    await semantic?.step();
    return nextStepMs(indexer, semantic);
  }

  /** Sets the next alarm in `waitMs`, or none, instead of the one that watched over a step. */
  async #endWatch(watchAt: number, waitMs: number | undefined): Promise<void> {
    const { storage } = this.ctx;
    // Race: a page that was stored meanwhile has set an earlier alarm.
    if ((await storage.getAlarm()) !== watchAt) return;
    if (waitMs === undefined) await storage.deleteAlarm();
    else await storage.setAlarm(Date.now() + Math.max(waitMs, NEXT_STEP_MS));
  }

  async #search(request: DocumentSearchRequest): Promise<DocumentSearchAnswer> {
    const opened = await this.#open(request);
    const { index, indexer, embedder } = opened;
    const texts = textsOf(request);
    const { semantic, similar } = await meaningsOf(texts, bounded(indexer), embedder, request);
    if (semantic) await this.#noteSearch();
    const queries = texts.map(parseQuery);
    const questions = queries.map((query, at) => ({ query, similarity: similar[at]?.similarity }));
    const { ranked, total } = rankAll(index, questions, request.limit, EVERYTHING);
    await this.#leave(request, nextStepMs(indexer, semantic));
    const notes = notesOf(opened, total, index.stored);
    const leftOut = index.attempts.leftOut > 0 ? ["pages-left-out"] : [];
    return {
      hits: index.hitsAt(ranked),
      total,
      evidence: index.evidence(queries),
      uses: request.isCompared ? index.termUses(queries, ranked) : [],
      notes: [...new Set([...notes, ...leftOut, ...similar.flatMap((found) => found?.notes ?? [])])],
      indexing: indexer.state ?? null,
    };
  }

  /** Notes that the base is searched by meaning, so that alarms embed its passages from now on. */
  async #noteSearch(): Promise<void> {
    if (this.#isSearched) return;
    await this.ctx.storage.put(SEARCHED, true);
    this.#isSearched = true;
  }

  async #passage(request: PassageRequest): Promise<FoundPassage | null> {
    const index = await this.#current(request);
    const found = index.find(request.passageId);
    if (found) return found;
    if (!this.#opened?.indexer.isBuilding) return null;
    throw stillIndexing();
  }

  async #read({ pageId, from, maxChars, ...base }: PageReadRequest): Promise<PageReading | null> {
    const index = await this.#current(base);
    const reading = index.read(pageId, from, maxChars);
    const isMissing = !reading || (reading.passages.length === 0 && from < reading.total);
    if (isMissing && this.#opened?.indexer.isBuilding) throw stillIndexing();
    return reading ?? null;
  }

  /** Returns the index after it has caught up with the pages, or after a bounded wait. */
  async #current(base: KnowledgeBaseRef): Promise<PassageIndex> {
    const { index, indexer } = await this.#open(base);
    await bounded(indexer).sync();
    if (indexer.isBuilding) await this.#leave(base, 0);
    return index;
  }

  /** Leaves what is not indexed or embedded yet to an alarm in `waitMs`; `undefined` if nothing is left. */
  async #leave({ accountEmail, kbId }: KnowledgeBaseRef, waitMs: number | undefined): Promise<void> {
    if (waitMs === undefined) return;
    await this.ctx.storage.put(UNFINISHED, { accountEmail, kbId } satisfies KnowledgeBaseRef);
    await alarmWithin(this.ctx.storage, waitMs);
  }

  /** Anti-DoS: a base that is not there leaves no storage behind, or anyone could create objects by guessing ids. */
  #replying<Answer>({ accountEmail }: KnowledgeBaseRef, work: () => Promise<Answer>): Promise<Reply<Answer>> {
    return replying(async () => {
      try {
        return await work();
      } catch (error) {
        const isOpenForAnother = this.#opened !== undefined && this.#opened.accountEmail !== accountEmail;
        if (isGone(error) && !isOpenForAnother) await this.#forget();
        throw error;
      }
    });
  }

  async #forget(): Promise<null> {
    await this.#opened?.indexer.rest();
    // Race: no request may open an index whose tables are about to be removed.
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.#opened = undefined;
      this.#isSearched = false;
    });
    return null;
  }

  async #open(base: KnowledgeBaseRef): Promise<Opened> {
    const ports = await portsFrom(this.env);
    const opened = (this.#opened ??= this.#created(ports, base));
    // Security: the pages are read for the account that has opened the index, which says nothing about the access of another one.
    if (opened.accountEmail !== base.accountEmail) throw notFound("Knowledge base");
    return opened;
  }

  #created(ports: Ports, { accountEmail, kbId }: KnowledgeBaseRef): Opened {
    const { storage } = this.ctx;
    const { now } = ports.clock;
    const { feed } = createDocumentIndexDeps(ports);
    const index = new PassageIndex({ storage, passagesVersion: PASSAGES_VERSION });
    const indexer = new DocumentIndexer({
      index,
      feed,
      base: { accountEmail, kbId },
      passagesOf: passagesInTurns,
      passagesVersion: PASSAGES_VERSION,
      flush: () => storage.sync(),
    });
    const embedder = new CheckedEmbedder({
      open: (email) => Promise.resolve(accountEmbedderFor(ports, email)),
      searchWith: (found) => semanticSearchOf(storage, index, found, now),
      now,
    });
    return { accountEmail, index, indexer, embedder, isRebuilt: index.wasOutdated };
  }
}

/** Returns the indexer for a request, which waits for it a limited time only. */
const bounded = (indexer: DocumentIndexer) => ({
  get isBuilding() {
    return indexer.isBuilding;
  },
  sync: () => indexer.catchUp(CATCH_UP_MS),
});

const stillIndexing = (): AppError =>
  new AppError("unavailable", "The pages are still being indexed. Please try again.", { retryAfter: 1 });

const isGone = (error: unknown): boolean => error instanceof AppError && error.code === "not-found";
