import type { CrawlJobId } from "../../shared/id-types.ts";
import type { CrawlConfig, CrawlJobRef } from "./crawl-model.ts";

/** What a job does next. */
type CrawlPhase = "beginning" | "sitemaps" | "pages" | "missing" | "ending";

/** Why addresses were left out without a request. */
export type LeftOutReason = "depth" | "repeats" | "variants" | "urls" | "sitemaps";

/** Where a running job stands, besides its frontier. Stored after each step, as JSON. */
export interface CrawlState {
  readonly ref: CrawlJobRef;
  readonly config: CrawlConfig;
  readonly phase: CrawlPhase;
  /** When the job began: a timestamp. */
  readonly startedAt: string;
  /** An address of the site that is crawled; `null` until the first answer, because it may come from another host. */
  readonly site: string | null;
  /** Sentences for the report. */
  readonly notes: readonly string[];
  /** Whether something was left out that a later crawl may find. */
  readonly isPartial: boolean;
  readonly leftOut: { readonly [reason in LeftOutReason]?: number };
  /** Why the first page that failed did. */
  readonly firstFailure: string | null;
  /** The earlier job whose pages are looked for, and the last one that was; `undefined` before the search for that job. */
  readonly earlier?: { readonly jobId: CrawlJobId; readonly after: string | null } | null;
  /** The address whose stored page is being marked as missing, so that a repeat after a crash tells the same. */
  readonly missing: string | null;
}

export const initialState = (ref: CrawlJobRef, config: CrawlConfig, startedAt: string): CrawlState => ({
  ref,
  config,
  phase: "beginning",
  startedAt,
  site: null,
  notes: [],
  isPartial: false,
  leftOut: {},
  firstFailure: null,
  missing: null,
});

const LEFT_OUT_WORDS: Readonly<Record<LeftOutReason, string>> = {
  depth: "their paths have more than 12 levels, which looks endless",
  repeats: "their paths repeat themselves, which looks endless",
  variants: "they differ in their queries only, and 50 of such a kind are enough",
  urls: "a crawl remembers 50,000 addresses at most",
  sitemaps: "a crawl reads 500 of them at most",
};

const isReason = (text: string): text is LeftOutReason => Object.hasOwn(LEFT_OUT_WORDS, text);

/** Returns the sentences about links and sitemaps that were left out. */
export const leftOutNotes = ({ leftOut }: CrawlState): readonly string[] =>
  Object.keys(leftOut)
    .filter(isReason)
    .map((reason) => {
      const count = leftOut[reason] ?? 0;
      const [what, done] = reason === "sitemaps" ? ["sitemap", "read"] : ["link", "followed"];
      return `${count} ${what}${count === 1 ? " was" : "s were"} not ${done}, because ${LEFT_OUT_WORDS[reason]}.`;
    });
