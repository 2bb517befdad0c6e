import { type Clock, HOUR_MS } from "../../shared/clock.ts";
import type { PageBudget, PageStore } from "../page-model.ts";
import type { DocumentSource, ReadDocument } from "../reading/document.ts";
import type { CrawlRepository } from "./crawl-repository.ts";
import { canonicalUrl } from "./canonical-url.ts";
import { endOf, stepOf, visitsFor } from "./crawl-result.ts";
import type { CrawlState } from "./crawl-state.ts";
import type { Frontier, FrontierUrl, LeftOut } from "./frontier.ts";
import { PAGE_ACCEPT, type PageContent, readPage } from "./page-content.ts";
import { changeOf, crawledPage, PageJudge, type Stop, type Verdict, verdict } from "./page-judge.ts";
import type { Failed, Fetched, FetchFailure, PoliteFetcher } from "./polite-fetcher.ts";
import { visitSitemap } from "./sitemap-visit.ts";
import { SiteRules } from "./site-rules.ts";

/** How many pages are fetched at the same time. Their answers are processed in order, so that crawling the same site twice has the same result. */
const AT_ONCE = 2;
/** How long a job may take. At 30 seconds a page, this is enough for more than 5,000 pages. */
const MAX_JOB_MS = 48 * HOUR_MS;
/** Pages of an earlier job that are looked up at once. */
const EARLIER_PAGES = 50;
const MAX_NOTES = 20;

/** How often an address is fetched in vain, by reason. All other failures are final. */
const ATTEMPTS: { readonly [failure in FetchFailure]?: number } = {
  busy: 3,
  slow: 2,
  unreachable: 2,
  "server-error": 2,
};
/** Failures that say what the site wants, not that something is wrong. */
const SKIPPED: readonly FetchFailure[] = ["refused", "content-type", "address"];

export interface CrawlDeps {
  readonly frontier: Frontier;
  readonly jobs: CrawlRepository;
  readonly pages: PageStore;
  readonly budget: PageBudget;
  readonly fetcher: Pick<PoliteFetcher, "fetch">;
  readonly read: (source: DocumentSource) => Promise<ReadDocument>;
  readonly clock: Clock;
  readonly productToken: string;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Replaces all pauses between requests; only in local development. */
  readonly pauseMs: number | undefined;
  /** Waits until what was written to the frontier can't be lost any more. */
  readonly flush: () => Promise<void>;
  /** Stores where the job stands. */
  readonly keep: (state: CrawlState) => void;
  /** Called whenever a step has been stored. */
  readonly onProgress: () => void;
}

/** What `work` leaves behind: a job that goes on, or one that has ended or was ended by somebody else. */
export type WorkResult = "more" | "ended";

/**
 * A running job. Every step may be repeated after a crash: pages are stored before they are recorded, records are stored before the
 * frontier forgets the address, and each of these writes does nothing the second time.
 */
export class Crawl {
  readonly #deps: CrawlDeps;
  readonly #rules: SiteRules;
  readonly #judge: PageJudge;
  #state: CrawlState;
  /** Aborted when the job is to stop at once. */
  #signal: AbortSignal = new AbortController().signal;

  constructor({ state, ...deps }: CrawlDeps & { readonly state: CrawlState }) {
    this.#deps = deps;
    this.#state = state;
    this.#rules = new SiteRules({ ...deps, rateLimitMs: state.config.rateLimitMs });
    this.#judge = new PageJudge({
      ...deps,
      refusal: (url) => this.#refusal(url),
      miss: async (url) => ({ change: await this.#miss(url) }),
    });
  }

  /** Works until `deadline` (milliseconds since the epoch) or the job's end. Throws the signal's reason if it is aborted. */
  async work(deadline: number, signal: AbortSignal): Promise<WorkResult> {
    this.#signal = signal;
    const { clock, jobs } = this.#deps;
    if (this.#state.phase !== "beginning" && !(await jobs.touch(this.#state.ref, clock.timestamp())))
      return this.#abandon();

    while (clock.now() < deadline) {
      signal.throwIfAborted();
      const result = await this.#step(deadline);
      if (result !== undefined) return result;
    }
    return "more";
  }

  /** Ends the work on a job that was ended elsewhere, and returns its unused reservation to the month. */
  async #abandon(): Promise<WorkResult> {
    await this.#deps.budget.settle(this.#state.ref.base, this.#state.ref.jobId);
    return "ended";
  }

  #step(deadline: number): Promise<WorkResult | undefined> {
    switch (this.#state.phase) {
      case "beginning":
        return this.#begin();
      case "sitemaps":
        return this.#readNextSitemap();
      case "pages":
        return this.#readPages(deadline);
      case "missing":
        return this.#findMissing();
      case "ending":
        return this.#end();
    }
  }

  async #begin(): Promise<WorkResult | undefined> {
    const { budget, frontier, jobs } = this.#deps;
    const { config, ref, startedAt } = this.#state;
    if (!(await jobs.begin(ref, startedAt))) return this.#abandon();
    frontier.clear();
    if ((await budget.reserve(ref.base, ref.jobId, config.maxPages)) === 0) {
      this.#fail(PAGES_USED_UP);
      return undefined;
    }

    const source = canonicalUrl(config.sourceUrl) ?? config.sourceUrl;
    if (config.sourceType === "sitemap") frontier.addSitemaps([source], 1);
    else frontier.add([source], 0);
    this.#update({ phase: config.sourceType === "sitemap" ? "sitemaps" : "pages" });
    this.#deps.onProgress();
    return undefined;
  }

  async #readNextSitemap(): Promise<WorkResult | undefined> {
    const { frontier } = this.#deps;
    const next = frontier.nextSitemap();
    if (!next) {
      this.#update({ phase: "pages" });
      return undefined;
    }

    const startedMs = this.#deps.clock.now();
    const { url, found } = await visitSitemap(next, {
      ...this.#deps,
      spacingMs: (address) => this.#rules.spacingMs(address, this.#signal),
      refusal: (address) => this.#refusal(address),
      signal: this.#signal,
    });

    if (this.#state.site === null) this.#update({ site: url });
    const leftOut = frontier.sitemapRead(next.url, found.pages, found.sitemaps, next.depth + 1);
    this.#leaveOut(leftOut);
    if (found.warning !== null) {
      this.#note(`${next.url}: ${found.warning}`, true);
      this.#update({ firstFailure: this.#state.firstFailure ?? found.warning });
    }
    const step = {
      type: "URL_DISCOVERED",
      url: next.url,
      details: `${found.pages.length} addresses and ${found.sitemaps.length} sitemaps.`,
      durationMs: this.#deps.clock.now() - startedMs,
    } as const;
    return this.#journal(step);
  }

  async #journal(step: Parameters<CrawlRepository["addStep"]>[1]): Promise<WorkResult | undefined> {
    const { jobs, frontier, clock, onProgress } = this.#deps;
    if (!(await jobs.addStep(this.#state.ref, step, frontier.progress, clock.timestamp())))
      return this.#abandon();
    onProgress();
    return undefined;
  }

  /** Fetches two pages at once and deals with them in order, until the deadline. */
  async #readPages(deadline: number): Promise<WorkResult | undefined> {
    const { frontier, clock } = this.#deps;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const fetching: { readonly address: FrontierUrl; readonly visit: Promise<Visit> }[] = [];
    let position = 0;

    try {
      for (;;) {
        // The start page is fetched alone: it decides which site is crawled.
        const atOnce = this.#state.site === null ? 1 : AT_ONCE;
        while (fetching.length < atOnce && clock.now() < deadline && this.#mayFetch(fetching.length)) {
          const address = frontier.next(position);
          if (!address) break;
          position = address.position;
          const visit = this.#visit(address, signal);
          // Without this, a failure would be an unhandled rejection until its turn has come.
          visit.catch(() => undefined);
          fetching.push({ address, visit });
        }

        const first = fetching.shift();
        if (!first) break;
        const result = await this.#settle(first.address, await first.visit);
        if (result === "gone") return await this.#abandon();
        if (result === "over-limit") {
          this.#note(PAGES_USED_UP, true);
          this.#update({ phase: "ending" });
          return undefined;
        }
      }
    } finally {
      stop.abort();
      await Promise.allSettled(fetching.map(({ visit }) => visit));
    }
    if (clock.now() < deadline) this.#endPages();
    return undefined;
  }

  /** Whether the limits allow one more page while so many are being fetched. */
  #mayFetch(fetching: number): boolean {
    const { successful, processed } = this.#deps.frontier.progress;
    const { maxPages } = this.#state.config;
    return (
      successful + fetching < maxPages &&
      processed + fetching < visitsFor(maxPages) &&
      this.#deps.clock.now() - Date.parse(this.#state.startedAt) < MAX_JOB_MS
    );
  }

  /** Ends the phase in which pages are read, and notes what was left. */
  #endPages(): void {
    const { frontier } = this.#deps;
    const { waiting } = frontier;
    const { successful, processed } = frontier.progress;
    const { maxPages } = this.#state.config;
    if (waiting > 0) {
      const reason =
        successful >= maxPages
          ? `the job's limit of ${maxPages} pages was reached`
          : processed >= visitsFor(maxPages)
            ? `${processed} addresses had been tried by then`
            : "the job took 48 hours";
      this.#note(`${waiting} known addresses were not read, because ${reason}.`, true);
    }
    if (this.#state.isPartial) this.#note("Pages that are no longer linked were not looked for.", true);
    this.#update({ phase: this.#state.isPartial ? "ending" : "missing" });
  }

  /** Fetches the page of an address. */
  async #visit(address: FrontierUrl, signal: AbortSignal): Promise<Visit> {
    const { clock, fetcher, timeoutMs } = this.#deps;
    const reason = await this.#refusal(address.url);
    const startedMs = clock.now();
    if (reason !== undefined)
      return {
        fetched: { kind: "failed", failure: "refused", url: address.url, reason },
        startedMs,
        fetchMs: 0,
      };

    const fetched = await fetcher.fetch({
      url: address.url,
      accept: PAGE_ACCEPT,
      spacingMs: await this.#rules.spacingMs(address.url, signal),
      timeoutMs,
      signal,
      validators: await this.#validators(address.url),
      refusal: (url) => this.#refusal(url),
      read: readPage,
    });
    return { fetched, startedMs, fetchMs: clock.now() - startedMs };
  }

  /** The validators of the stored page. Without its links, the crawl could not go on from a page that is not sent again. */
  async #validators(url: string) {
    if (this.#followsLinks && this.#deps.frontier.knownLinks(url) === undefined) return undefined;
    return this.#deps.pages.findByUrl(this.#state.ref.base, url);
  }

  get #followsLinks(): boolean {
    return this.#state.config.sourceType === "url";
  }

  /** Decides what becomes of an address, and stores it. */
  async #settle(address: FrontierUrl, { fetched, startedMs, fetchMs }: Visit): Promise<Stop | undefined> {
    const { frontier } = this.#deps;
    // Another address that redirects here was dealt with while this one was being fetched.
    if (frontier.find(address.url)?.outcome) return undefined;
    if (this.#state.site === null) this.#update({ site: fetched.url });
    if (fetched.kind === "failed") {
      if (address.attempts + 1 < (ATTEMPTS[fetched.failure] ?? 1)) {
        frontier.retryLater(address.url);
        return undefined;
      }
      return this.#conclude(address, await this.#judgeFailure(address, fetched), startedMs, fetchMs);
    }

    const target = fetched.url === address.url ? undefined : frontier.find(fetched.url);
    if (target?.outcome === "success")
      return this.#conclude(address, verdict("skipped", `It leads to ${fetched.url}.`), startedMs, fetchMs);

    // What a redirect leads to is stored under its own address, unless that one was dealt with in another way.
    const isRedirect = fetched.url !== address.url && (target?.outcome ?? null) === null;
    const own = isRedirect ? { ...address, isNamed: target?.isNamed ?? false, url: fetched.url } : address;
    const judged =
      fetched.kind === "unchanged"
        ? await this.#judgeUnchanged(own)
        : await this.#judge.judge(own, fetched.content, {
            ...this.#state,
            site: this.#state.site ?? fetched.url,
            followsLinks: this.#followsLinks && address.depth < this.#state.config.maxDepth,
          });
    if (typeof judged === "string") return judged;

    const stop = await this.#conclude(own, judged, startedMs, fetchMs);
    if (stop || !isRedirect) return stop;
    return this.#conclude(address, verdict("skipped", `It leads to ${own.url}.`), startedMs, fetchMs);
  }

  async #judgeFailure({ url }: FrontierUrl, { failure, reason }: Failed): Promise<Verdict> {
    if (SKIPPED.includes(failure)) return verdict("skipped", reason);
    const isTemporary = (ATTEMPTS[failure] ?? 0) > 0;
    const change = failure === "gone" ? await this.#miss(url) : null;
    const removed = change === "removed" ? ` ${REMOVED}` : "";
    return verdict("failed", `${reason}${removed}`, { change, isPartial: isTemporary });
  }

  async #judgeUnchanged({ url, depth }: FrontierUrl): Promise<Verdict | Stop> {
    const { frontier, pages } = this.#deps;
    const page = await pages.findByUrl(this.#state.ref.base, url);
    // It was removed after the request had been sent.
    if (!page) return verdict("failed", "The stored page was removed meanwhile.", { isPartial: true });

    await pages.confirm(this.#state.ref.base, page.id);
    return verdict("success", "", {
      reason: null,
      page,
      change: changeOf("unchanged", page, this.#state.startedAt),
      markdownHash: page.markdownHash,
      links: depth < this.#state.config.maxDepth ? (frontier.knownLinks(url) ?? []) : [],
    });
  }

  /** Stores a verdict: in the table, then in the frontier. */
  async #conclude(
    address: FrontierUrl,
    judged: Verdict,
    startedMs: number,
    fetchMs: number,
  ): Promise<Stop | undefined> {
    const { clock, frontier, jobs, onProgress } = this.#deps;
    const { outcome, change, markdownHash, reason } = judged;
    const totalMs = clock.now() - startedMs;
    const page = crawledPage(address.url, judged, { fetchMs, totalMs, crawledAt: clock.timestamp() });
    const end = {
      outcome,
      markdownHash,
      isUnchanged: change === "unchanged",
      isRemoved: change === "removed",
      chunks: page.chunkCount,
      links: { urls: judged.links, depth: address.depth + 1 },
    };
    const step = { type: stepOf(judged), url: address.url, details: reason, durationMs: totalMs } as const;
    if (!(await jobs.record(this.#state.ref, page, step, frontier.progressAfter(end)))) return "gone";

    if (outcome === "success" && this.#followsLinks) frontier.keepLinks(address.url, judged.links);
    this.#leaveOut(frontier.done(address, end), judged);
    this.#update({
      isPartial: this.#state.isPartial || judged.isPartial,
      firstFailure: this.#state.firstFailure ?? (outcome === "success" ? null : reason),
    });
    onProgress();
    return undefined;
  }

  /** Looks for pages of the last whole job with this source that this one did not come to, a few at a time. */
  async #findMissing(): Promise<WorkResult | undefined> {
    const { jobs, frontier } = this.#deps;
    const { config, ref } = this.#state;
    if (this.#state.earlier === undefined) {
      const last = await jobs.lastWhole(ref, config.sourceUrl);
      this.#update({ earlier: last ? { jobId: last.id, after: null } : null });
    }
    const { earlier } = this.#state;
    if (!earlier) {
      this.#update({ phase: "ending" });
      return undefined;
    }

    const { items, nextCursor } = await jobs.listPages(
      earlier.jobId,
      EARLIER_PAGES,
      earlier.after ?? undefined,
    );
    for (const { url, status, change } of items) {
      const wasThere = status === "success" || change === "missing";
      if (!wasThere || frontier.find(url)) continue;
      const stop = await this.#concludeMissing(url);
      if (stop) return this.#abandon();
    }
    this.#update(
      nextCursor === null ? { phase: "ending" } : { earlier: { jobId: earlier.jobId, after: nextCursor } },
    );
    return undefined;
  }

  async #concludeMissing(url: string): Promise<Stop | undefined> {
    const startedMs = this.#deps.clock.now();
    const change = await this.#miss(url);
    if (change === null) return undefined;
    const reason = `No page links to it any more.${change === "removed" ? ` ${REMOVED}` : ""}`;
    const address = { url, depth: 0, position: 0, attempts: 0, outcome: null, isNamed: false };
    return this.#conclude(address, verdict("skipped", reason, { change }), startedMs, 0);
  }

  /** Notes that this job did not find a stored page. The second job in a row removes it. */
  async #miss(url: string): Promise<"missing" | "removed" | null> {
    const { pages } = this.#deps;
    const { ref, missing } = this.#state;
    const page = await pages.findByUrl(ref.base, url);
    if (!page) return missing === url ? "removed" : null;

    this.#update({ missing: url });
    return (await pages.miss(ref.base, page.id, ref.jobId)) ? "removed" : "missing";
  }

  async #end(): Promise<WorkResult> {
    const { budget, clock, frontier, jobs, onProgress } = this.#deps;
    const { ref } = this.#state;
    await budget.settle(ref.base, ref.jobId);
    await jobs.end(ref, endOf(this.#state, frontier.progress), clock.timestamp());
    onProgress();
    return "ended";
  }

  #refusal(url: string): Promise<string | undefined> {
    return this.#rules.refusal(url, this.#state.site, this.#signal);
  }

  #fail(reason: string): void {
    this.#update({ phase: "ending", firstFailure: reason });
  }

  #note(sentence: string, isPartial: boolean): void {
    const notes = [...new Set([...this.#state.notes, sentence])].slice(0, MAX_NOTES);
    this.#update({ notes, isPartial: this.#state.isPartial || isPartial });
  }

  #leaveOut({ sitemaps, urls, variants }: LeftOut, judged?: Verdict): void {
    const leftOut = { ...this.#state.leftOut };
    for (const reason of judged?.leftOut ?? []) leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    if (urls > 0) leftOut.urls = (leftOut.urls ?? 0) + urls;
    if (variants > 0) leftOut.variants = (leftOut.variants ?? 0) + variants;
    if (sitemaps > 0) leftOut.sitemaps = (leftOut.sitemaps ?? 0) + sitemaps;
    this.#update({ leftOut, isPartial: this.#state.isPartial || urls + sitemaps > 0 });
  }

  #update(changes: Partial<CrawlState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#deps.keep(this.#state);
  }
}

/** A fetched page, and how long it took in milliseconds. */
interface Visit {
  readonly fetched: Fetched<PageContent>;
  readonly startedMs: number;
  readonly fetchMs: number;
}

const PAGES_USED_UP = "The plan's pages of this month are used up.";
const REMOVED = "The stored page was removed, because two crawls in a row did not find it.";
