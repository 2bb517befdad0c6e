import { MAX_ATTEMPTS } from "../search/page-attempts.ts";
import type { PassageIndex } from "../search/passage-index.ts";
import type { IndexedPage } from "../search/passage-model.ts";
import { SingleFlight } from "../search/single-flight.ts";
import { resultWithin, sleep } from "../shared/async.ts";
import type { PageId } from "../shared/id-types.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import type { PackedPage, PageChange, PageChanges, PageFeed, PageTotals, Passage } from "./page-model.ts";
import type { IndexingState } from "./search-model.ts";

/** How many changes are read at a time. The rest is left to the next read. */
const STEP_CHANGES = 100;
/** How many passages a step indexes before it leaves the rest to the next one; 3,000 take about two seconds on a slow machine. */
const STEP_PASSAGES = 3_000;
/** How many passages are indexed at once. In between, searches get their turn. */
const PART_PASSAGES = 250;
/** Pages read at a time. A Worker may have six connections waiting for a response. */
const PARALLEL = 6;

const LEFT_OUT =
  "Searches do not find this page: indexing it failed three times. Divide its text, or store it again.";

interface DocumentIndexerDeps {
  readonly index: PassageIndex;
  readonly feed: PageFeed;
  readonly base: KnowledgeBaseRef;
  /** Divides the text of a page into passages. The same text has the same passages. */
  readonly passagesOf: (markdown: string, pageId: PageId) => readonly Passage[] | Promise<readonly Passage[]>;
  /** The version of `passagesOf`. */
  readonly passagesVersion: number;
  /** Waits until what was written to the index can't be lost any more. */
  readonly flush: () => Promise<void>;
}

/** A page with its passages. */
interface DividedPage {
  readonly page: PackedPage;
  readonly indexed: IndexedPage;
}

/** What a step has done with a page, in passages. */
interface Indexed {
  readonly left: number;
  readonly indexed: number;
}

/**
 * Keeps the index of a knowledge base in sync with its pages, in steps of bounded work. An index that is up to date waits for one
 * read. A page that ends the process whenever it is indexed, or whose text can't be read, is left out after three attempts: they
 * are counted before they begin, and the count outlives the process.
 */
export class DocumentIndexer {
  readonly #index: PassageIndex;
  readonly #feed: PageFeed;
  readonly #base: KnowledgeBaseRef;
  readonly #passagesOf: DocumentIndexerDeps["passagesOf"];
  readonly #passagesVersion: number;
  readonly #flush: () => Promise<void>;
  readonly #reading = new SingleFlight(() => this.#read());
  #isBuilding = true;
  #totalPages = 0;
  /** The page that is indexed in part, so that the next step need not read and divide it again. */
  #begun: DividedPage | undefined;

  constructor({ index, feed, base, passagesOf, passagesVersion, flush }: DocumentIndexerDeps) {
    this.#index = index;
    this.#feed = feed;
    this.#base = base;
    this.#passagesOf = passagesOf;
    this.#passagesVersion = passagesVersion;
    this.#flush = flush;
  }

  /** Whether some pages have not been indexed yet. */
  get isBuilding(): boolean {
    return this.#isBuilding;
  }

  /** How far the pages are indexed; `undefined` if they all are. */
  get state(): IndexingState | undefined {
    if (!this.#isBuilding) return undefined;
    const indexedPages = this.#index.pages;
    // Pages may have been removed since the counts were read.
    return { indexedPages, totalPages: Math.max(indexedPages, this.#totalPages) };
  }

  /** Synchronises the index with the stored pages, as far as one step goes. Throws `not-found` if the account has no such base. */
  sync(): Promise<void> {
    return this.#reading.run();
  }

  /**
   * Like `sync`, but waits at most `waitMs` milliseconds. The work goes on after that, and `isBuilding` is true. Throws `not-found`
   * if the account has no such base, in any case.
   */
  async catchUp(waitMs: number): Promise<void> {
    const syncing = this.sync().then(() => true);
    // A failure after the wait has nobody to tell; the alarm tries again.
    syncing.catch(() => undefined);
    if (await resultWithin(waitMs, syncing)) return;

    this.#isBuilding = true;
    // Security: the read that checks the access may not have ended.
    this.#totalPages = (await this.#feed.totals(this.#base)).totalPages;
  }

  /** Waits until no read is in progress. */
  rest(): Promise<void> {
    return this.#reading.rest();
  }

  async #read(): Promise<void> {
    const seen = await this.#step();
    if (seen.hasMore || this.#agreesWith(seen)) return;

    // A page may have been saved between the changes and the counts, or its passages were counted again.
    const again = await this.#step();
    if (again.changes.length > 0 || this.#agreesWith(again)) return;
    this.#rebuild(again);
  }

  /** Reads the next changes and applies as many of them as a step may. */
  async #step(): Promise<PageChanges> {
    const part = await this.#feed.changes(this.#base, this.#index.changesUntil, STEP_CHANGES);
    this.#totalPages = part.totalPages;
    if (part.changes.length > 0) this.#isBuilding = true;
    const left = await this.#apply(part.changes);
    const hasMore = part.hasMore || left > 0;
    this.#isBuilding = hasMore;
    return { ...part, hasMore };
  }

  /** Applies changes in their order until they have enough passages for a step, and returns how many are left. */
  async #apply(changes: readonly PageChange[]): Promise<number> {
    let room = STEP_PASSAGES;
    let at = 0;
    while (at < changes.length && room > 0) {
      const group = this.#groupAt(changes, at);
      const pages = await Promise.all(group.map((change) => this.#load(change)));
      const { done, passages } = await this.#applyGroup(group, pages, room);
      at += done;
      room -= passages;
      if (done < group.length) break;
    }
    return changes.length - at;
  }

  /** Returns the next changes to apply together: one if its page has been begun or has failed before, so that no other suffers. */
  #groupAt(changes: readonly PageChange[], from: number): readonly PageChange[] {
    const group = changes.slice(from, from + PARALLEL);
    const alone = group.findIndex(
      ({ pageId }) => this.#begun?.page.id === pageId || this.#index.attempts.of(pageId) !== undefined,
    );
    if (alone === -1) return group;
    return group.slice(0, Math.max(alone, 1));
  }

  /** Applies changes of these pages in their order. Returns how many were applied as a whole, and how many passages were indexed. */
  async #applyGroup(
    group: readonly PageChange[],
    pages: readonly (PackedPage | undefined)[],
    room: number,
  ): Promise<{ readonly done: number; readonly passages: number }> {
    const hopeless = new Set(pages.filter((page) => page && this.#isHopeless(page)));
    const waiting = new Map(
      pages.flatMap((page) => (page && !hopeless.has(page) ? [[page.id, versionOf(page)]] : [])),
    );
    let [done, passages] = [0, 0];
    try {
      if (waiting.size > 0) {
        this.#index.attempts.note([...waiting.values()]);
        await this.#flush();
      }
      for (const [at, { pageId, version }] of group.entries()) {
        if (passages >= room) break;
        const page = pages[at];
        if (!page) this.#index.apply([], [pageId], version);
        else if (hopeless.has(page)) await this.#leaveOut(page, version);
        else {
          waiting.delete(pageId);
          const { left, indexed } = await this.#indexPage(page, version, room - passages);
          passages += indexed;
          if (left > 0) break;
        }
        done++;
      }
      return { done, passages };
    } finally {
      this.#index.attempts.withdraw([...waiting.values()]);
    }
  }

  /** Indexes a page, or as much of it as there is room for. Returns how many passages are left and how many were indexed. */
  async #indexPage(page: PackedPage, until: number, room: number): Promise<Indexed> {
    let divided: IndexedPage;
    let left: number;
    let indexed = 0;
    try {
      divided = await this.#divided(page);
      do {
        if (indexed > 0) await sleep(0);
        left = this.#index.applyPart(divided, PART_PASSAGES, until);
        indexed += Math.min(PART_PASSAGES, divided.passages.length);
      } while (left > 0 && indexed < room);
    } catch (error) {
      console.warn({ message: "A page could not be indexed.", ...this.#named(page), error: String(error) });
      this.#begun = undefined;
      return { left: 1, indexed };
    }
    this.#begun = left > 0 ? { page, indexed: divided } : undefined;
    if (left === 0) await this.#correct(page, divided.passages.length);
    return { left, indexed };
  }

  /** Corrects what the page says about its passages, if it is wrong. */
  async #correct(page: PackedPage, passages: number): Promise<void> {
    if (page.passagesVersion !== this.#passagesVersion) await this.#feed.recount(this.#base, page, passages);
    if (page.indexError !== null) await this.#feed.noteIndexError(this.#base, page, null);
  }

  /** Whether indexing this version of a page has failed too often. */
  #isHopeless({ id, version }: PackedPage): boolean {
    const attempted = this.#index.attempts.of(id);
    return attempted?.version === version && attempted.attempts >= MAX_ATTEMPTS;
  }

  async #leaveOut(page: PackedPage, until: number): Promise<void> {
    console.warn({ message: "A page is left out of its index.", ...this.#named(page) });
    await this.#feed.noteIndexError(this.#base, page, LEFT_OUT);
    this.#index.leaveOut({ ...versionOf(page), url: page.url, title: titleOf(page) }, until);
  }

  /** Returns a page that was saved, or `undefined` if it was removed or has been removed since. */
  async #load({ kind, pageId, version }: PageChange): Promise<PackedPage | undefined> {
    const begun = this.#begun?.page;
    if (begun?.id === pageId && begun.version === version) return begun;
    return kind === "saved" ? this.#feed.packed(this.#base, pageId) : undefined;
  }

  async #divided(page: PackedPage): Promise<IndexedPage> {
    const begun = this.#begun;
    if (begun?.page === page) return begun.indexed;
    this.#begun = undefined;
    const passages = await this.#passagesOf(await page.text(), page.id);
    return { ...versionOf(page), url: page.url, title: titleOf(page), passages };
  }

  #named({ id }: PackedPage) {
    return { kbId: this.#base.kbId, pageId: id };
  }

  /** Passages that were left out can't be compared. */
  #agreesWith({ totalPages, totalChunks }: PageTotals): boolean {
    const { pages, stored, attempts } = this.#index;
    return pages === totalPages && (stored === totalChunks || attempts.leftOut > 0);
  }

  /** Begins to build the index anew, unless that has been done for these counts without making them agree. */
  #rebuild({ totalPages, totalChunks }: PageTotals): void {
    const counts = `${totalPages}/${totalChunks}`;
    if (this.#index.rebuiltFor === counts) return;

    console.warn({
      message: "The index of a knowledge base does not agree with its pages and is built again.",
      kbId: this.#base.kbId,
      counts,
      indexed: `${this.#index.pages}/${this.#index.stored}`,
    });
    this.#index.clear(counts);
    this.#isBuilding = true;
  }
}

const versionOf = ({ id, version }: PackedPage) => ({ pageId: id, version });

const titleOf = ({ title, fileName }: PackedPage): string | null => title ?? fileName;
