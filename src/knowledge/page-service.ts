import type { AccountPlan } from "../plans/account-plan.ts";
import { sleep } from "../shared/async.ts";
import { type Clock, monthOf } from "../shared/clock.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { gunzip, gzip } from "../shared/gzip.ts";
import {
  type AccountEmail,
  type CrawlJobId,
  type KnowledgeBaseId,
  type PageId,
  pageIdOf,
} from "../shared/id-types.ts";
import { countWords, onOneLine, sliceWhole } from "../shared/text.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import { pageIdFor } from "./page-id.ts";
import type {
  FullPage,
  NewPage,
  PackedPage,
  Page,
  PageChanges,
  PageFeed,
  PagesPart,
  PageSource,
  PageStore,
  PageTotals,
  Passage,
  SaveOutcome,
} from "./page-model.ts";
import type { PageNotes, PageRepository, PageState, Payment, WriteTime } from "./page-repository.ts";
import {
  isSamePage,
  MAX_PACKED_BYTES,
  type PackedText,
  partsOf,
  type StoredPage,
  toPage,
} from "./stored-page-model.ts";

/** How often a write is attempted while other pages of the base are written. */
const ATTEMPTS = 32;
/** The longest random pause between attempts, which spreads concurrent writes out. */
const MAX_PAUSE_MS = 50;
/** How often a page that is being replaced is read again. */
const READS = 4;

/** Longer details are cut, so that the item of a page stays within its limit. */
const MAX_TITLE_CHARS = 300;
const MAX_DESCRIPTION_CHARS = 1_000;
const MAX_LANGUAGE_CHARS = 35;
/** A validator must be sent back exactly as it was received, so longer ones are dropped. */
const MAX_VALIDATOR_CHARS = 500;

/** The plan of an account, for uploads. */
interface PagePlans {
  plan(email: AccountEmail, nowMs: number): Promise<AccountPlan>;
}

/** Writes and reads cursors that are valid for one list only. */
interface PageCursors {
  write(cursorScope: string, position: string): Promise<string>;
  read(cursorScope: string, cursor: string | undefined): Promise<string | undefined>;
}

interface PageServiceDeps {
  readonly pages: PageRepository;
  readonly cursors: PageCursors;
  readonly plans: PagePlans;
  readonly passagesOf: (markdown: string, pageId: PageId) => readonly Passage[];
  /** The version of `passagesOf`, which is stored with what it has counted. */
  readonly passagesVersion: number;
  /** Called after each write that the index has to learn of. Must not throw. */
  readonly changed: (base: KnowledgeBaseRef) => void;
  readonly clock: Clock;
}

/** Stores and reads the pages of knowledge bases, and tells their indexes what has changed. */
export class PageService implements PageStore, PageFeed {
  readonly #pages: PageRepository;
  readonly #cursors: PageCursors;
  readonly #plans: PagePlans;
  readonly #passagesOf: PageServiceDeps["passagesOf"];
  readonly #passagesVersion: number;
  readonly #changed: PageServiceDeps["changed"];
  readonly #clock: Clock;

  constructor({ pages, cursors, plans, passagesOf, passagesVersion, changed, clock }: PageServiceDeps) {
    this.#pages = pages;
    this.#cursors = cursors;
    this.#plans = plans;
    this.#passagesOf = passagesOf;
    this.#passagesVersion = passagesVersion;
    this.#changed = changed;
    this.#clock = clock;
  }

  async save(base: KnowledgeBaseRef, raw: NewPage, source: PageSource): Promise<SaveOutcome> {
    const page = tidied(raw);
    const pageId = await pageIdFor(page);
    const packed = await this.#pack(page.markdown, pageId);
    if (packed.bytes.byteLength > MAX_PACKED_BYTES) return "too-large";

    return this.#retry(async () => {
      const state = await this.#pages.state(base, pageId);
      if (!state) return "gone";
      // A page that could not be indexed is stored as a new version, so that it is tried again.
      if (state.page && state.page.indexError === null && isSamePage(state.page, page, packed)) {
        const notes = { etag: page.etag, lastModified: page.lastModified, missedCrawls: 0, missedBy: null };
        return (await this.#annotate(base, state.page, notes)) ? "unchanged" : undefined;
      }
      return this.#store(base, state, { page, pageId, packed, source });
    });
  }

  async find(base: KnowledgeBaseRef, pageId: PageId): Promise<FullPage | undefined> {
    const found = await this.packed(base, pageId);
    if (!found) return undefined;
    const { text, ...page } = found;
    return { ...page, markdown: await text() };
  }

  async packed({ kbId }: KnowledgeBaseRef, pageId: PageId): Promise<PackedPage | undefined> {
    let incomplete: number | undefined;
    for (let read = 0; read < READS; read++) {
      const page = await this.#pages.find(kbId, pageId);
      if (!page) return undefined;
      const packed = await this.#pages.text(kbId, page);
      if (packed) return { ...toPage(page), text: () => gunzip(packed) };
      // The parts of a version are removed when another one replaces it. If they are missing without that, they will not come back.
      if (page.version === incomplete) return { ...toPage(page), text: () => Promise.reject(partsMissing()) };
      incomplete = page.version;
    }
    throw contended();
  }

  async findByUrl({ kbId }: KnowledgeBaseRef, url: string): Promise<Page | undefined> {
    const page = await this.#pages.find(kbId, await pageIdFor({ url, fileName: null }));
    return page && toPage(page);
  }

  async findByHash({ kbId }: KnowledgeBaseRef, markdownHash: string): Promise<Page | undefined> {
    const page = await this.#pages.findByHash(kbId, markdownHash);
    return page && toPage(page);
  }

  async list({ kbId }: KnowledgeBaseRef, limit: number, after: PageId | undefined): Promise<PagesPart> {
    const { pages, hasMore } = await this.#pages.list(kbId, limit, after);
    return { pages: pages.map(toPage), next: hasMore ? pages.at(-1)?.id : undefined };
  }

  /** Like `list`, with cursors that are valid for this base only. */
  async listPage(
    base: KnowledgeBaseRef,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ readonly items: readonly Page[]; readonly nextCursor: string | null }> {
    const cursorScope = `pages of ${base.kbId}`;
    const after = await this.#cursors.read(cursorScope, cursor);
    const { pages, next } = await this.list(base, limit, after === undefined ? undefined : pageIdOf(after));
    return {
      items: pages,
      nextCursor: next === undefined ? null : await this.#cursors.write(cursorScope, next),
    };
  }

  async confirm(base: KnowledgeBaseRef, pageId: PageId): Promise<void> {
    await this.#retry(async () => {
      const page = await this.#pages.find(base.kbId, pageId);
      return !page || this.#annotate(base, page, { ...page, missedCrawls: 0, missedBy: null });
    });
  }

  miss(base: KnowledgeBaseRef, pageId: PageId, jobId: CrawlJobId): Promise<boolean> {
    return this.#retry(async () => {
      const state = await this.#pages.state(base, pageId);
      if (!state?.page) return true;

      const { page } = state;
      if (page.missedBy === jobId) return false;
      if (page.missedCrawls > 0) return this.#remove(base, state, page);
      const isNoted = await this.#annotate(base, page, { ...page, missedCrawls: 1, missedBy: jobId });
      return isNoted ? false : undefined;
    });
  }

  remove(base: KnowledgeBaseRef, pageId: PageId): Promise<boolean> {
    return this.#retry(async () => {
      const state = await this.#pages.state(base, pageId);
      return state?.page ? this.#remove(base, state, state.page) : false;
    });
  }

  async changes(base: KnowledgeBaseRef, version: number, limit: number): Promise<PageChanges> {
    const [before, part] = await Promise.all([
      this.#counts(base),
      this.#pages.changes(base.kbId, version, limit),
    ]);
    if (part.hasMore || (part.changes.at(-1)?.version ?? version) === before.version)
      return { ...part, totalPages: before.pages, totalChunks: before.chunks };

    // A page was written meanwhile, or the latest change is a removal that has expired. If the base stays the same while the changes
    // are read once more, they are complete.
    const again = await this.#pages.changes(base.kbId, version, limit);
    const after = await this.#counts(base);
    const hasMore = again.hasMore || after.version !== before.version;
    return { changes: again.changes, hasMore, totalPages: after.pages, totalChunks: after.chunks };
  }

  async totals(base: KnowledgeBaseRef): Promise<PageTotals> {
    const { pages, chunks } = await this.#counts(base);
    return { totalPages: pages, totalChunks: chunks };
  }

  async recount(base: KnowledgeBaseRef, page: Page, chunkCount: number): Promise<void> {
    const { chunkCount: before, passagesVersion: by } = page;
    if (chunkCount === before && by === this.#passagesVersion) return;
    // If this is refused, the page has changed: then the index learns of the new version and counts that.
    const counted = { chunkCount, passagesVersion: this.#passagesVersion };
    await this.#pages.recount(base, page, counted, this.#time());
  }

  async noteIndexError({ kbId }: KnowledgeBaseRef, page: Page, indexError: string | null): Promise<void> {
    // If this is refused, the page has changed: then the index tries the new version.
    if (page.indexError !== indexError) await this.#pages.noteIndexError(kbId, page, indexError);
  }

  async #counts(base: KnowledgeBaseRef) {
    const counts = await this.#pages.counts(base);
    if (!counts) throw notFound("Knowledge base");
    return counts;
  }

  async #pack(markdown: string, pageId: PageId): Promise<PackedText> {
    const [bytes, hash] = await Promise.all([gzip(markdown), sha256(markdown)]);
    return {
      bytes,
      hash: toHex(hash),
      wordCount: countWords(markdown),
      chunkCount: this.#passagesOf(markdown, pageId).length,
      passagesVersion: this.#passagesVersion,
    };
  }

  /** Stores a page whose text or details are new. Returns `undefined` if the base or the page has changed meanwhile. */
  async #store(
    base: KnowledgeBaseRef,
    state: PageState,
    { page, pageId, packed, source }: Saving,
  ): Promise<SaveOutcome | undefined> {
    const old = state.page;
    const time = this.#time();
    const stored = newVersion(page, pageId, packed, state, time.timestamp);
    // A page whose text is the same costs nothing.
    const payment: Payment =
      old?.markdownHash === packed.hash ? { kind: "none" } : await this.#payment(base, source, time);
    const result = await this.#pages.save(base, state, stored, packed, payment, time);
    if (result !== "written") return result === "unpaid" ? "over-limit" : undefined;

    this.#changed(base);
    if (old) await this.#removeParts(base.kbId, old);
    if (!old) return "stored";
    return payment.kind === "none" ? "unchanged" : "replaced";
  }

  async #payment(
    { accountEmail }: KnowledgeBaseRef,
    { jobId }: PageSource,
    { timestamp, nowMs }: WriteTime,
  ): Promise<Payment> {
    if (jobId !== null) return { kind: "reservation", jobId };
    const { limits } = await this.#plans.plan(accountEmail, nowMs);
    return { kind: "month", use: { accountEmail, month: monthOf(nowMs), timestamp }, limit: limits.kb_pages };
  }

  /** Returns true if the page is removed, and `undefined` if the base or the page has changed meanwhile. */
  async #remove(base: KnowledgeBaseRef, state: PageState, page: StoredPage): Promise<true | undefined> {
    if ((await this.#pages.remove(base, state, page, this.#time())) !== "written") return undefined;
    this.#changed(base);
    await this.#removeParts(base.kbId, page);
    return true;
  }

  /** Returns true if the page has these notes now, and `undefined` if the page has changed meanwhile. */
  async #annotate({ kbId }: KnowledgeBaseRef, page: StoredPage, notes: PageNotes): Promise<true | undefined> {
    const isNoted =
      page.etag === notes.etag &&
      page.lastModified === notes.lastModified &&
      page.missedCrawls === notes.missedCrawls &&
      page.missedBy === notes.missedBy;
    return isNoted || (await this.#pages.annotate(kbId, page, notes)) ? true : undefined;
  }

  /** Removes the parts of a version that was replaced or removed. If that fails, the next version of the page refers to them. */
  async #removeParts(kbId: KnowledgeBaseId, { id, parts, staleParts }: StoredPage): Promise<void> {
    const unused = [parts, staleParts].filter((each) => each !== undefined);
    if (unused.length === 0) return;
    try {
      await this.#pages.removeParts(kbId, id, unused);
    } catch (error) {
      console.warn({ message: "Parts of a replaced page could not be removed.", error: String(error) });
    }
  }

  /** Attempts a write until it returns a result: `undefined` says that the base or the page has changed. */
  async #retry<T>(write: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const written = await write();
      if (written !== undefined) return written;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw contended();
  }

  #time(): WriteTime {
    return { timestamp: this.#clock.timestamp(), nowMs: this.#clock.now() };
  }
}

const partsMissing = (): Error => new Error("Parts of the page's text are missing.");

/** A page that is about to be stored. */
interface Saving {
  readonly page: NewPage;
  readonly pageId: PageId;
  readonly packed: PackedText;
  readonly source: PageSource;
}

/** Returns the page as the next version of its base. */
function newVersion(
  { markdown: _markdown, ...page }: NewPage,
  pageId: PageId,
  packed: PackedText,
  { counts, page: old }: PageState,
  timestamp: string,
): StoredPage {
  const version = counts.version + 1;
  const parts = partsOf(packed, version);
  return {
    ...page,
    id: pageId,
    markdownHash: packed.hash,
    wordCount: packed.wordCount,
    chunkCount: packed.chunkCount,
    passagesVersion: packed.passagesVersion,
    version,
    missedCrawls: 0,
    missedBy: null,
    indexError: null,
    createdAt: old?.createdAt ?? timestamp,
    updatedAt: timestamp,
    packed: parts ? undefined : packed.bytes,
    parts,
    staleParts: old?.parts,
  };
}

/** Returns the page with details that fit into one line and into its item. */
function tidied(page: NewPage): NewPage {
  return {
    ...page,
    title: shortLine(page.title, MAX_TITLE_CHARS),
    description: shortLine(page.description, MAX_DESCRIPTION_CHARS),
    language: shortLine(page.language, MAX_LANGUAGE_CHARS),
    markdown: page.markdown.toWellFormed(),
    etag: validator(page.etag),
    lastModified: validator(page.lastModified),
  };
}

const shortLine = (text: string | null, maxChars: number): string | null =>
  text === null ? null : sliceWhole(onOneLine(text.toWellFormed()), 0, maxChars) || null;

const validator = (text: string | null): string | null =>
  text !== null && text.length <= MAX_VALIDATOR_CHARS && text.isWellFormed() ? text : null;

const contended = (): AppError =>
  new AppError("unavailable", "This knowledge base is being changed concurrently. Please try again.", {
    retryAfter: 1,
  });
