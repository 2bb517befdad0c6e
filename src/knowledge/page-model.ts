import type { CrawlJobId, PageId } from "../shared/id-types.ts";
import type { KnowledgeBaseRef } from "./model.ts";

/** A page or file to be stored. Saving it replaces an earlier version with the same address or file name. */
export interface NewPage {
  /** The canonical address of a page, or `null` for an uploaded file. */
  readonly url: string | null;
  /** The name of an uploaded file, or `null` for a page. */
  readonly fileName: string | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly language: string | null;
  readonly markdown: string;
  /** The validators of the response, for the next crawl's conditional request. */
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** A stored page without its text. */
export interface Page extends Omit<NewPage, "markdown"> {
  readonly id: PageId;
  /** SHA-256 of the Markdown, in hexadecimal. */
  readonly markdownHash: string;
  readonly wordCount: number;
  /** The number of passages, by the version of `passagesOf` that counted them. */
  readonly chunkCount: number;
  /** The version of `passagesOf` that counted the passages. */
  readonly passagesVersion: number;
  /** Raised with every change of the knowledge base, and unique in it: the index reads changes in this order. */
  readonly version: number;
  /** How many crawls in a row have not found the page. */
  readonly missedCrawls: number;
  /** Why searches do not find this version of the page, in a sentence for people; null if they do, or have not tried yet. */
  readonly indexError: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A stored page with its text. */
export interface FullPage extends Page {
  readonly markdown: string;
}

/**
 * How a save ended. `over-limit`: the plan's pages of this month, or what the job reserved of them, are used up. `too-large`: the
 * text exceeds what a page may hold (`TOO_LARGE` says so to people). `gone`: the knowledge base is being deleted. None of these
 * stores anything.
 */
export type SaveOutcome = "stored" | "replaced" | "unchanged" | "over-limit" | "too-large" | "gone";

/** What a page's storage costs, and who pays for it. */
export interface PageSource {
  /** The crawl job whose reservation the page uses, or `null` for an upload, which is counted at once. */
  readonly jobId: CrawlJobId | null;
}

/** Stores pages. Every method is idempotent. */
export interface PageStore {
  /** Stores or replaces a page in one step, so that no reader sees a part of it. */
  save(base: KnowledgeBaseRef, page: NewPage, source: PageSource): Promise<SaveOutcome>;
  /** Returns a page, or `undefined` if there is none. */
  find(base: KnowledgeBaseRef, pageId: PageId): Promise<FullPage | undefined>;
  /** Returns the page that has this canonical address, without its text, or `undefined`. */
  findByUrl(base: KnowledgeBaseRef, url: string): Promise<Page | undefined>;
  /** Returns the page whose Markdown has this hash (SHA-256, hexadecimal), or `undefined`. Finds `www` and slash variants. */
  findByHash(base: KnowledgeBaseRef, markdownHash: string): Promise<Page | undefined>;
  /** Notes that a crawl has found the page unchanged without reading its text, so that earlier misses no longer count. */
  confirm(base: KnowledgeBaseRef, pageId: PageId): Promise<void>;
  /**
   * Notes that a crawl did not find the page; the second crawl in a row removes it. Returns whether the page is gone, so a repeat
   * after a crash returns the same.
   */
  miss(base: KnowledgeBaseRef, pageId: PageId, jobId: CrawlJobId): Promise<boolean>;
  /** Removes a page. Returns whether there was one. */
  remove(base: KnowledgeBaseRef, pageId: PageId): Promise<boolean>;
  /** Returns a part of the pages in the order of their ids, and where the next part begins. */
  list(base: KnowledgeBaseRef, limit: number, after: PageId | undefined): Promise<PagesPart>;
}

export interface PagesPart {
  readonly pages: readonly Page[];
  /** The last id of this part if there may be more. */
  readonly next: PageId | undefined;
}

/** A change that the index has not seen. A page that was replaced appears once, with its newest version. */
export type PageChange =
  | { readonly kind: "saved"; readonly version: number; readonly pageId: PageId }
  | { readonly kind: "removed"; readonly version: number; readonly pageId: PageId };

/**
 * A stored page whose text is still compressed. A text of 3 MB may have 30 MB and more when it is unpacked, so only one at a time
 * should be.
 */
export interface PackedPage extends Page {
  /** Unpacks the Markdown. */
  readonly text: () => Promise<string>;
}

/** The changes of a knowledge base in order, for its index. */
export interface PageFeed {
  /**
   * Returns what changed after `version` (0: everything), oldest first, at most `limit` changes, together with the current counts.
   * If `hasMore` is false, an index that has read all changes and whose counts differ must be built anew. While `hasMore` is true,
   * the counts may be ahead of the changes. Throws `not-found` if the account has no such base or it is being deleted.
   */
  changes(base: KnowledgeBaseRef, version: number, limit: number): Promise<PageChanges>;
  /** Returns the current counts. Throws `not-found` as `changes` does. */
  totals(base: KnowledgeBaseRef): Promise<PageTotals>;
  /** Returns a page with its compressed text, or `undefined` if there is none. */
  packed(base: KnowledgeBaseRef, pageId: PageId): Promise<PackedPage | undefined>;
  /**
   * Corrects how many passages a page has, and with it the count of its base, because another version of `passagesOf` counted them
   * when the page was stored. Does nothing if the page has changed since it was read. Repeating the call changes nothing.
   */
  recount(base: KnowledgeBaseRef, page: Page, chunkCount: number): Promise<void>;
  /** Notes why this version of a page can't be indexed, or with null that it is. Does nothing if the page has changed meanwhile. */
  noteIndexError(base: KnowledgeBaseRef, page: Page, indexError: string | null): Promise<void>;
}

/** How many pages and passages a base has. */
export interface PageTotals {
  readonly totalPages: number;
  readonly totalChunks: number;
}

export interface PageChanges extends PageTotals {
  readonly changes: readonly PageChange[];
  readonly hasMore: boolean;
}

/** The pages of a month that an account's plan allows. */
export interface PageBudget {
  /**
   * Reserves up to `wanted` pages of the month for a job and returns how many it got. Repeating the call for the same job returns
   * the same number. Returns 0 if none are left, or if the base is being deleted; that is not remembered, so the job may ask
   * again after an upgrade.
   */
  reserve(base: KnowledgeBaseRef, jobId: CrawlJobId, wanted: number): Promise<number>;
  /** Gives back what the job did not store. Repeating the call changes nothing. A job that stored nothing may reserve again. */
  settle(base: KnowledgeBaseRef, jobId: CrawlJobId): Promise<void>;
}

/** A passage: whole paragraphs of one section of a page. */
export interface Passage {
  /** Stable as long as the page's text around it is: derived from the page's id and the passage's text. */
  readonly id: string;
  readonly pageId: PageId;
  /** The position on the page, from 0. */
  readonly index: number;
  /** The headings above it, outermost first. */
  readonly headings: readonly string[];
  /** Markdown, at most 120 words unless a single paragraph is longer. */
  readonly text: string;
}
