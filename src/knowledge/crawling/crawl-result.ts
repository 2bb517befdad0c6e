import { canonicalUrl } from "./canonical-url.ts";
import type { CrawlProgress, StepType } from "./crawl-model.ts";
import type { CrawlEnd } from "./crawl-repository.ts";
import { type CrawlState, leftOutNotes } from "./crawl-state.ts";
import type { Verdict } from "./page-judge.ts";
import type { Fetched } from "./polite-fetcher.ts";
import { MAX_SITEMAP_URLS, type Sitemap } from "./sitemap.ts";

/** Sitemaps nest to this depth, counted from 1. */
const MAX_SITEMAP_DEPTH = 3;

/** Returns how a job ends that has nothing left to do. */
export function endOf(state: CrawlState, progress: CrawlProgress): CrawlEnd {
  const { firstFailure, isPartial } = state;
  const end = { progress, notes: [...state.notes, ...leftOutNotes(state)] };
  if (progress.successful > 0)
    return { ...end, status: "completed", outcome: isPartial ? "partial" : "whole", errorMessage: null };

  const reason = firstFailure ?? "No addresses were found.";
  const errorMessage =
    progress.processed > 1
      ? `None of ${progress.processed} addresses could be read. The first: ${reason}`
      : reason;
  return { ...end, status: "failed", outcome: null, errorMessage };
}

/** How many addresses a job tries for its pages, so that a site of nothing but dead links comes to an end. */
export const visitsFor = (maxPages: number): number => maxPages * 3 + 100;

/** Returns the type of the step that records a verdict. */
export function stepOf({ outcome, change }: Verdict): StepType {
  if (change === "removed") return "PAGE_REMOVED";
  if (outcome === "success") return "PAGE_INGEST_COMPLETE";
  return outcome === "failed" ? "PAGE_ERROR" : "URL_SKIPPED";
}

/** Returns the addresses of a sitemap at this depth in their canonical form, relative ones resolved. */
export function sitemapFrom(fetched: Fetched<Sitemap>, depth: number): Sitemap {
  if (fetched.kind !== "content")
    return {
      pages: [],
      sitemaps: [],
      warning: fetched.kind === "failed" ? fetched.reason : "The site gave no sitemap.",
    };
  const { url, content } = fetched;
  const resolved = (addresses: readonly string[]) => [
    ...new Set(addresses.slice(0, MAX_SITEMAP_URLS).flatMap((address) => canonicalUrl(address, url) ?? [])),
  ];
  const isTooDeep = depth >= MAX_SITEMAP_DEPTH && content.sitemaps.length > 0;
  return {
    pages: resolved(content.pages),
    sitemaps: isTooDeep ? [] : resolved(content.sitemaps),
    warning: isTooDeep ? "Its sitemaps nest too deeply and were not read." : content.warning,
  };
}
