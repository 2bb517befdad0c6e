import { sha256, toHex } from "../../shared/crypto.ts";
import { asSentence } from "../../shared/text.ts";
import type { Page, PageStore } from "../page-model.ts";
import { type DocumentSource, type ReadDocument, UnreadableDocument } from "../reading/document.ts";
import { canonicalUrl, namedCanonical, trapOf, isSameSite, variantKey } from "./canonical-url.ts";
import type { CrawledPage, CrawlJobRef } from "./crawl-model.ts";
import type { LeftOutReason } from "./crawl-state.ts";
import type { Frontier, FrontierUrl, UrlOutcome } from "./frontier.ts";
import type { PageContent } from "./page-content.ts";

/** What a job decided about an address. */
export interface Verdict {
  readonly outcome: UrlOutcome;
  readonly change: CrawledPage["change"];
  /** Why, or what is wrong with a page that was stored. A sentence for people. */
  readonly reason: string | null;
  /** The stored page, if one is concerned. */
  readonly page: Page | undefined;
  readonly contentLength: number;
  readonly markdownHash?: string;
  /** The canonical links that are followed from here. */
  readonly links: readonly string[];
  /** The links that are not followed because they look endless. */
  readonly leftOut: readonly LeftOutReason[];
  /** Whether the page was not read as a whole, so that a later crawl may find more. */
  readonly isPartial: boolean;
}

/** Ends the job: the base is being deleted, or the pages of the month are used up. */
export type Stop = "gone" | "over-limit";

/** A verdict without a page. */
export const verdict = (outcome: UrlOutcome, reason: string, more: Partial<Verdict> = {}): Verdict => ({
  outcome,
  reason,
  change: null,
  page: undefined,
  contentLength: 0,
  links: [],
  leftOut: [],
  isPartial: false,
  ...more,
});

interface PageJudgeDeps {
  readonly frontier: Frontier;
  readonly pages: PageStore;
  readonly read: (source: DocumentSource) => Promise<ReadDocument>;
  /** Waits until what was written to the frontier can't be lost any more. */
  readonly flush: () => Promise<void>;
  /** Returns why an address must not be requested, or `undefined`. */
  readonly refusal: (url: string) => Promise<string | undefined>;
  /** Marks the stored page of an address as missing. */
  readonly miss: (url: string) => Promise<Pick<Verdict, "change">>;
}

/** The job that a page is judged for. */
export interface JudgeContext {
  readonly ref: CrawlJobRef;
  /** When the job began: a timestamp. */
  readonly startedAt: string;
  readonly site: string;
  readonly followsLinks: boolean;
}

/** Reads fetched pages, decides what becomes of them, and stores those that are new or have changed. */
export class PageJudge {
  readonly #deps: PageJudgeDeps;

  constructor(deps: PageJudgeDeps) {
    this.#deps = deps;
  }

  /** Decides about a page that was fetched from an address, after all redirects. */
  async judge(address: FrontierUrl, content: PageContent, context: JudgeContext): Promise<Verdict | Stop> {
    const read = await this.#read(address.url, content);
    if (typeof read === "string")
      return verdict("failed", read, {
        contentLength: content.bytes.length,
        // It may have links that nobody knows.
        isPartial: read === UNREADABLE,
      });

    const robots = {
      noindex: read.robots.noindex || content.robots.noindex,
      nofollow: read.robots.nofollow || content.robots.nofollow,
    };
    const found = {
      contentLength: content.bytes.length,
      ...this.#linksOf(read, robots.nofollow ? { ...context, followsLinks: false } : context),
      isPartial: content.isCut,
    };
    if (robots.noindex)
      return verdict("skipped", "The page asks not to be indexed.", {
        ...found,
        ...(await this.#deps.miss(address.url)),
      });
    if (read.markdown.trim() === "")
      return verdict("failed", asSentence(read.warning ?? "the page has no readable text"), {
        ...found,
        isPartial: true,
      });

    const markdownHash = toHex(await sha256(read.markdown));
    const other = (await this.#named(address, read)) ?? (await this.#twin(address, markdownHash, context));
    if (other) return { ...other, ...found };
    const stored = await this.#store(address, read, content, context);
    if (typeof stored === "string") return stored;
    return { ...stored, ...found, markdownHash, reason: stored.reason ?? warningOf(read, content) };
  }

  /**
   * Returns the document, or the sentence that says why it can't be read. Anti-DoS: a page may end the process that reads it. So each
   * attempt is stored before it begins, and only an attempt that ends is forgotten.
   */
  async #read(url: string, { bytes, contentType }: PageContent): Promise<ReadDocument | string> {
    const { flush, frontier, read } = this.#deps;
    if (frontier.unendedReadings(url) >= MAX_READINGS) return UNREADABLE;

    frontier.beginReading(url);
    await flush();
    try {
      const document = await read({ bytes, contentType, url, fileName: null });
      frontier.endReading(url);
      return document;
    } catch (error) {
      if (!(error instanceof UnreadableDocument)) throw error;
      frontier.endReading(url);
      return error.message;
    }
  }

  /** Returns the links within the site in their canonical form, each once. */
  #linksOf(
    { links }: ReadDocument,
    { followsLinks, site }: JudgeContext,
  ): Pick<Verdict, "links" | "leftOut"> {
    const followed = new Set<string>();
    const leftOut: LeftOutReason[] = [];
    for (const link of followsLinks ? links : []) {
      const url = canonicalUrl(link);
      if (url === undefined || !isSameSite(url, site) || followed.has(url)) continue;
      const trap = trapOf(url);
      if (trap === undefined) followed.add(url);
      else leftOut.push(trap);
    }
    return { links: [...followed], leftOut };
  }

  /** If the page names another address as its own, that one is read instead. */
  async #named(address: FrontierUrl, { canonicalUrl: named }: ReadDocument): Promise<Verdict | undefined> {
    const { frontier, refusal } = this.#deps;
    const canonical = namedCanonical(named, address.url);
    // An address that was named itself is read as it is: two pages may name each other.
    if (canonical === undefined || address.isNamed) return undefined;

    const known = frontier.find(canonical);
    if (known?.outcome === "success") return verdict("skipped", `It is the same page as ${canonical}.`);
    if (known && known.outcome !== null) return undefined;
    if ((await refusal(canonical)) !== undefined || !frontier.name(canonical, address.depth))
      return undefined;
    return verdict("canonical", `The page names ${canonical} as its address.`);
  }

  /** A page with the same text under a variant of its address (`www.`, a slash at the end, `http:`) is the same page. */
  async #twin(
    { url, depth }: FrontierUrl,
    markdownHash: string,
    { ref }: JudgeContext,
  ): Promise<Verdict | undefined> {
    const { frontier, pages } = this.#deps;
    const twin = frontier.findTwin(url, markdownHash);
    if (twin !== undefined) return verdict("skipped", `It is the same page as ${twin}.`);

    const stored = await pages.findByHash(ref.base, markdownHash);
    if (!stored?.url || stored.url === url || variantKey(stored.url) !== variantKey(url)) return undefined;
    // An earlier crawl stored it under an address that this one may not come to by itself.
    frontier.add([stored.url], depth);
    return verdict("skipped", `It is the same page as ${stored.url}.`);
  }

  async #store(
    { url }: FrontierUrl,
    read: ReadDocument,
    { etag, lastModified }: PageContent,
    { ref, startedAt }: JudgeContext,
  ): Promise<Verdict | Stop> {
    const { pages } = this.#deps;
    const { title, description, language, markdown } = read;
    const page = { url, fileName: null, title, description, language, markdown, etag, lastModified };
    const before = await pages.findByUrl(ref.base, url);
    const saved = await pages.save(ref.base, page, { jobId: ref.jobId });
    if (saved === "gone" || saved === "over-limit") return saved;
    if (saved === "too-large") return verdict("failed", TOO_LARGE);

    const after = await pages.findByUrl(ref.base, url);
    return {
      ...verdict("success", ""),
      reason: null,
      page: after,
      change: changeOf(saved, before, startedAt),
    };
  }
}

/** How often reading a page or a sitemap may begin without an end. */
export const MAX_READINGS = 3;
const UNREADABLE = "Reading the page failed three times. Upload its text instead.";
const TOO_LARGE = "The page has more text than a page may have.";

/**
 * Returns what happened to a stored page in this job. If the job crashed after it had stored the page, saving it again changes
 * nothing; what the first attempt did shows in the page's times.
 */
export function changeOf(
  saved: "stored" | "replaced" | "unchanged",
  before: Page | undefined,
  startedAt: string,
): CrawledPage["change"] {
  if (saved === "stored") return "new";
  if (before && before.createdAt >= startedAt) return "new";
  if (saved === "replaced" || (before && before.updatedAt >= startedAt)) return "changed";
  return "unchanged";
}

function warningOf({ warning }: ReadDocument, { isCut }: PageContent): string | null {
  if (isCut) return "The page is longer than 2 MB; only its beginning was read.";
  return warning === null ? null : asSentence(warning);
}

/** Returns what the journal stores about a page. */
export const crawledPage = (
  url: string,
  { outcome, change, reason, page, contentLength }: Verdict,
  times: { readonly fetchMs: number | null; readonly totalMs: number | null; readonly crawledAt: string },
): CrawledPage => ({
  url,
  status: outcome === "canonical" ? "skipped" : outcome,
  change,
  pageId: page?.id ?? null,
  title: page?.title ?? null,
  description: page?.description ?? null,
  contentLength,
  wordCount: page?.wordCount ?? 0,
  chunkCount: outcome === "success" ? (page?.chunkCount ?? 0) : 0,
  error: reason,
  ...times,
});
