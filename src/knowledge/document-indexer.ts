import type { IndexedPage, PassageIndex } from "../search/passage-index.ts";
import { SingleFlight } from "../search/single-flight.ts";
import type { PageId } from "../shared/id-types.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import type { FullPage, PageChange, PageChanges, PageFeed, Passage } from "./page-model.ts";

/** How many changes are read at a time. The rest is left to the next read. */
const STEP_CHANGES = 100;
/**
 * How many passages a step indexes before it leaves the rest to the next one. A search waits for a step; 3,000 passages take about two
 * seconds on a slow machine.
 */
const STEP_PASSAGES = 3_000;
/** Pages read at a time. A Worker may have six connections waiting for a response. */
const PARALLEL = 6;

interface DocumentIndexerDeps {
  readonly index: PassageIndex;
  readonly feed: PageFeed;
  readonly base: KnowledgeBaseRef;
  /** Divides the text of a page into passages. */
  readonly passagesOf: (markdown: string, pageId: PageId) => readonly Passage[] | Promise<readonly Passage[]>;
}

/** Keeps the index of a knowledge base in sync with its pages. An index that is up to date waits for one read. */
export class DocumentIndexer {
  readonly #index: PassageIndex;
  readonly #feed: PageFeed;
  readonly #base: KnowledgeBaseRef;
  readonly #passagesOf: DocumentIndexerDeps["passagesOf"];
  readonly #reading = new SingleFlight(() => this.#read());
  #isBuilding = true;

  constructor({ index, feed, base, passagesOf }: DocumentIndexerDeps) {
    this.#index = index;
    this.#feed = feed;
    this.#base = base;
    this.#passagesOf = passagesOf;
  }

  /** Whether some pages have not been indexed yet. */
  get isBuilding(): boolean {
    return this.#isBuilding;
  }

  /** Synchronises the index with the stored pages. Throws `not-found` if the account has no such base. */
  sync(): Promise<void> {
    return this.#reading.run();
  }

  /** Waits until no read is in progress. */
  rest(): Promise<void> {
    return this.#reading.rest();
  }

  async #read(): Promise<void> {
    const seen = await this.#step();
    if (seen.hasMore || this.#agreesWith(seen)) return;

    // A page may have been saved between the changes and the counts. Then there is a newer change.
    const again = await this.#step();
    if (again.changes.length > 0 || this.#agreesWith(again)) return;
    this.#rebuild(again);
  }

  /** Reads the next changes and applies as many of them as a step may. */
  async #step(): Promise<PageChanges> {
    const part = await this.#feed.changes(this.#base, this.#index.changesUntil, STEP_CHANGES);
    const left = await this.#apply(part.changes);
    const hasMore = part.hasMore || left > 0;
    this.#isBuilding = hasMore;
    return { ...part, hasMore };
  }

  /**
   * Applies changes in their order until they have enough passages for a step, and returns how many are left. Anti-DoS: a page may
   * have ten megabytes, so no more pages than are read at a time are held in memory.
   */
  async #apply(changes: readonly PageChange[]): Promise<number> {
    let passages = 0;
    for (let from = 0; from < changes.length; from += PARALLEL) {
      const part = changes.slice(from, from + PARALLEL);
      const pages = await Promise.all(part.map((change) => this.#load(change)));
      for (const [at, { pageId, version }] of part.entries()) {
        const page = pages[at] && (await this.#divided(pages[at]));
        this.#index.apply(page ? [page] : [], page ? [] : [pageId], version);
        passages += page?.passages.length ?? 0;
        if (passages >= STEP_PASSAGES) return changes.length - (from + at + 1);
      }
    }
    return 0;
  }

  /** Returns a page that was saved, or `undefined` if it was removed or has been removed since. */
  async #load({ kind, pageId }: PageChange): Promise<FullPage | undefined> {
    return kind === "saved" ? this.#feed.find(this.#base, pageId) : undefined;
  }

  async #divided({ id: pageId, version, url, title, fileName, markdown }: FullPage): Promise<IndexedPage> {
    const passages = await this.#passagesOf(markdown, pageId);
    return { pageId, version, url, title: title ?? fileName, passages };
  }

  #agreesWith({ totalPages, totalChunks }: PageChanges): boolean {
    return this.#index.pages === totalPages && this.#index.stored === totalChunks;
  }

  /** Begins to build the index anew, unless that has been done for these counts without making them agree. */
  #rebuild({ totalPages, totalChunks }: PageChanges): void {
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
