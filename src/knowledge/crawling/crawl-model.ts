import { CRAWL_JOB_PREFIX, type KnowledgeBaseRef } from "../model.ts";
import { DAY_MS, ttlAfter } from "../../shared/clock.ts";
import { sha256, toHex } from "../../shared/crypto.ts";
import { derivedId, isOurs, isTimeOrdered } from "../../shared/ids.ts";
import {
  accountEmailOf,
  type CrawlJobId,
  crawlJobIdOf,
  knowledgeBaseIdOf,
  type PageId,
  pageIdOf,
} from "../../shared/id-types.ts";
import { count, flag, map, optionalCount, optionalText, text, texts } from "../../table/fields.ts";
import { knowledgeBasePartition } from "../../table/keys.ts";
import type { Item, Key } from "../../table/marshal.ts";

export const CRAWL_STATUSES = ["pending", "in_progress", "completed", "failed", "cancelled"] as const;

/** The state of a job. The last three are final. */
export type CrawlStatus = (typeof CRAWL_STATUSES)[number];

export const SOURCE_TYPES = ["sitemap", "url"] as const;

/** What a job crawls, and how far. */
export interface CrawlConfig {
  /** `sitemap`: the pages that a sitemap lists; `url`: the pages that can be reached by links from a start page. */
  readonly sourceType: (typeof SOURCE_TYPES)[number];
  readonly sourceUrl: string;
  /** The most pages that the job stores or finds unchanged. */
  readonly maxPages: number;
  /** How many links a page may be away from the start page. */
  readonly maxDepth: number;
  /** The pause between two requests to one host, in milliseconds. */
  readonly rateLimitMs: number;
}

/** How many addresses a job has dealt with. */
export interface CrawlProgress {
  readonly discovered: number;
  readonly processed: number;
  /** Pages that were stored or had not changed. */
  readonly successful: number;
  readonly failed: number;
  readonly skipped: number;
  /** The successful pages that had not changed, which cost nothing. */
  readonly unchanged: number;
  /** Pages of earlier crawls that were removed, because two crawls in a row did not find them. */
  readonly removed: number;
  /** The passages of the successful pages. */
  readonly totalChunks: number;
}

export const NO_PROGRESS: CrawlProgress = {
  discovered: 0,
  processed: 0,
  successful: 0,
  failed: 0,
  skipped: 0,
  unchanged: 0,
  removed: 0,
  totalChunks: 0,
};

/** A crawl of a site into a knowledge base. */
export interface CrawlJob {
  readonly id: CrawlJobId;
  readonly base: KnowledgeBaseRef;
  readonly status: CrawlStatus;
  /** Of a completed job: whether it dealt with everything it found. */
  readonly outcome: "whole" | "partial" | null;
  readonly config: CrawlConfig;
  readonly progress: CrawlProgress;
  /** Sentences about what the job left out and why. */
  readonly notes: readonly string[];
  /** Why the job failed. */
  readonly errorMessage: string | null;
  /** Whether a schedule created the job. */
  readonly isScheduled: boolean;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  /** When the job last made progress. */
  readonly updatedAt: string;
}

/** Identifies a job, and whose it is. */
export interface CrawlJobRef {
  readonly base: KnowledgeBaseRef;
  readonly jobId: CrawlJobId;
}

export type StepType =
  | "JOB_STARTED"
  | "URL_DISCOVERED"
  | "URL_SKIPPED"
  | "PAGE_INGEST_COMPLETE"
  | "PAGE_ERROR"
  | "PAGE_REMOVED"
  | "JOB_COMPLETED"
  | "JOB_FAILED"
  | "JOB_CANCELLED";

/** An entry of a job's audit log. */
export interface CrawlStep {
  readonly id: string;
  /** `StepType`, or another word on items of the legacy Python service. */
  readonly type: string;
  readonly url: string | null;
  /** A sentence for people. */
  readonly details: string | null;
  readonly durationMs: number | null;
  readonly timestamp: string;
}

/** What a job did with one address. */
export interface CrawledPage {
  readonly url: string;
  readonly status: "pending" | "success" | "failed" | "skipped";
  /** What happened to the stored page, or `null` if none is concerned. `missing`: it was not found and may be removed next time. */
  readonly change: "new" | "changed" | "unchanged" | "missing" | "removed" | null;
  readonly pageId: PageId | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly contentLength: number;
  readonly wordCount: number;
  readonly chunkCount: number;
  /** Why the page failed or was skipped, or what is wrong with it. A sentence for people. */
  readonly error: string | null;
  readonly fetchMs: number | null;
  readonly totalMs: number | null;
  readonly crawledAt: string;
}

/** How long steps and pages of a job are kept. */
const KEEP_MS = 90 * DAY_MS;

export const STEP_PREFIX = "Step#";
export const CRAWLED_PAGE_PREFIX = "Page#";

/** The steps and pages of a job. */
export const crawlJobPartition = (jobId: CrawlJobId): string => `${CRAWL_JOB_PREFIX}${jobId}`;

export const crawlJobKey = ({ base, jobId }: CrawlJobRef): Key => ({
  pk: knowledgeBasePartition(base.kbId),
  sk: `${CRAWL_JOB_PREFIX}${jobId}`,
});

/** The legacy Python service named these items by the MD5 of the URL. Only the prefix is shared. */
const crawledPageKey = async (jobId: CrawlJobId, url: string): Promise<Key> => ({
  pk: crawlJobPartition(jobId),
  sk: `${CRAWLED_PAGE_PREFIX}${toHex(await sha256(url))}`,
});

export const isEnded = (status: CrawlStatus): boolean => status !== "pending" && status !== "in_progress";

/** Returns whether the id of a job sorts by its time. Those of the legacy Python service do not. */
export const isTimeOrderedJob = ({ id }: CrawlJob): boolean => isTimeOrdered(id);

/** Jobs of the legacy Python service have random ids. None of them is running any more. */
const isLegacyJob = (jobId: CrawlJobId): boolean => !isOurs(jobId);

/** Returns a job that has not begun. */
export const newCrawlJob = (
  { base, jobId }: CrawlJobRef,
  config: CrawlConfig,
  createdAt: string,
  isScheduled: boolean,
): CrawlJob => ({
  id: jobId,
  base,
  status: "pending",
  outcome: null,
  config,
  progress: NO_PROGRESS,
  notes: [],
  errorMessage: null,
  isScheduled,
  createdAt,
  startedAt: null,
  completedAt: null,
  updatedAt: createdAt,
});

export const crawlJobItem = (job: CrawlJob): Item => ({
  ...crawlJobKey({ base: job.base, jobId: job.id }),
  entity_type: "CrawlJob",
  job_id: job.id,
  kb_id: job.base.kbId,
  status: job.status,
  outcome: job.outcome,
  config: configAttribute(job.config),
  progress: progressAttribute(job.progress),
  notes: job.notes,
  error_message: job.errorMessage,
  is_scheduled: job.isScheduled,
  created_by: job.base.accountEmail,
  created_at: job.createdAt,
  started_at: job.startedAt,
  completed_at: job.completedAt,
  updated_at: job.updatedAt,
});

export const configAttribute = (config: CrawlConfig): Item => ({
  source_type: config.sourceType,
  source_url: config.sourceUrl,
  max_pages: config.maxPages,
  max_depth: config.maxDepth,
  rate_limit_ms: config.rateLimitMs,
  respect_robots_txt: true,
  chunking_strategy: "hierarchical",
});

export const configFrom = (item: Item): CrawlConfig => ({
  sourceType: item["source_type"] === "url" ? "url" : "sitemap",
  sourceUrl: text(item, "source_url"),
  maxPages: count(item, "max_pages"),
  maxDepth: count(item, "max_depth"),
  rateLimitMs: count(item, "rate_limit_ms"),
});

export const progressAttribute = (progress: CrawlProgress): Item => ({
  discovered_urls: progress.discovered,
  processed_urls: progress.processed,
  successful_urls: progress.successful,
  failed_urls: progress.failed,
  skipped_urls: progress.skipped,
  unchanged_urls: progress.unchanged,
  removed_pages: progress.removed,
  total_chunks: progress.totalChunks,
});

export function crawlJobFrom(item: Item): CrawlJob {
  const id = crawlJobIdOf(text(item, "job_id"));
  const timing = map(item, "timing") ?? {};
  const stored = CRAWL_STATUSES.find((status) => status === item["status"]) ?? "failed";
  // A job of the legacy Python service that never ended will not end any more.
  const isStuck = isLegacyJob(id) && !isEnded(stored);
  return {
    id,
    base: {
      accountEmail: accountEmailOf(text(item, "created_by")),
      kbId: knowledgeBaseIdOf(text(item, "kb_id")),
    },
    status: isStuck ? "failed" : stored,
    outcome: item["outcome"] === "whole" || item["outcome"] === "partial" ? item["outcome"] : null,
    config: configFrom(map(item, "config") ?? {}),
    progress: progressFrom(map(item, "progress") ?? {}),
    notes: texts(item, "notes"),
    errorMessage: isStuck ? "The crawl never ended." : optionalText(item, "error_message"),
    isScheduled: flag(item, "is_scheduled"),
    createdAt: text(item, "created_at"),
    startedAt: optionalText(item, "started_at") ?? optionalText(timing, "started_at"),
    completedAt: optionalText(item, "completed_at") ?? optionalText(timing, "completed_at"),
    updatedAt: text(item, "updated_at") || text(item, "created_at"),
  };
}

const progressFrom = (item: Item): CrawlProgress => ({
  discovered: count(item, "discovered_urls"),
  processed: count(item, "processed_urls"),
  successful: count(item, "successful_urls"),
  failed: count(item, "failed_urls"),
  skipped: count(item, "skipped_urls"),
  unchanged: count(item, "unchanged_urls"),
  removed: count(item, "removed_pages"),
  totalChunks: count(item, "total_chunks"),
});

/** The place of a step in its job, from which a stream goes on: the sort key of its item. */
export const stepCursor = ({ timestamp, id }: Pick<CrawlStep, "timestamp" | "id">): string =>
  `${STEP_PREFIX}${timestamp}#${id}`;

/** A step that is about to be stored. */
export interface NewStep {
  readonly type: StepType;
  readonly url: string | null;
  readonly details: string | null;
  readonly durationMs: number | null;
}

/** Returns the item of a step at this time. The step's id depends on what it says, so that a repeated write replaces it. */
export async function crawlStepItem(jobId: CrawlJobId, step: NewStep, timestamp: string): Promise<Item> {
  const { type, url, details, durationMs } = step;
  const id = derivedId(await sha256(JSON.stringify([jobId, type, url, timestamp])));
  return {
    pk: crawlJobPartition(jobId),
    sk: stepCursor({ timestamp, id }),
    entity_type: "CrawlStep",
    step_id: id,
    step_type: type,
    url,
    details: details === null ? null : { message: details },
    duration_ms: durationMs,
    timestamp,
    ttl: expiryOf(timestamp),
  };
}

/** Returns when a step or page of this time expires, in seconds since the epoch. */
const expiryOf = (timestamp: string): number => ttlAfter(Date.parse(timestamp), KEEP_MS);

export const crawlStepFrom = (item: Item): CrawlStep => ({
  id: text(item, "step_id"),
  type: text(item, "step_type"),
  url: optionalText(item, "url"),
  details: optionalText(map(item, "details") ?? {}, "message") ?? optionalText(item, "details"),
  durationMs: optionalCount(item, "duration_ms") ?? null,
  timestamp: text(item, "timestamp"),
});

export const crawledPageItem = async (jobId: CrawlJobId, page: CrawledPage): Promise<Item> => ({
  ...(await crawledPageKey(jobId, page.url)),
  entity_type: "CrawledPage",
  url: page.url,
  status: page.status,
  change: page.change,
  page_id: page.pageId,
  page_metadata: {
    title: page.title,
    description: page.description,
    content_length: page.contentLength,
    word_count: page.wordCount,
  },
  chunk_count: page.chunkCount,
  timing: { fetch_duration_ms: page.fetchMs, total_duration_ms: page.totalMs },
  error: page.error,
  crawled_at: page.crawledAt,
  ttl: expiryOf(page.crawledAt),
});

const PAGE_STATUSES = ["pending", "success", "failed", "skipped"] as const;
const PAGE_CHANGES = ["new", "changed", "unchanged", "missing", "removed"] as const;

export function crawledPageFrom(item: Item): CrawledPage {
  const metadata = map(item, "page_metadata") ?? {};
  const timing = map(item, "timing") ?? {};
  const pageId = optionalText(item, "page_id");
  return {
    url: text(item, "url"),
    status: PAGE_STATUSES.find((status) => status === item["status"]) ?? "pending",
    change: PAGE_CHANGES.find((change) => change === item["change"]) ?? null,
    pageId: pageId === null ? null : pageIdOf(pageId),
    title: optionalText(metadata, "title"),
    description: optionalText(metadata, "description"),
    contentLength: count(metadata, "content_length"),
    wordCount: count(metadata, "word_count"),
    chunkCount: count(item, "chunk_count"),
    error: optionalText(item, "error"),
    fetchMs: optionalCount(timing, "fetch_duration_ms") ?? null,
    totalMs: optionalCount(timing, "total_duration_ms") ?? null,
    crawledAt: text(item, "crawled_at"),
  };
}
