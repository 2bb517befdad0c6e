import * as z from "zod";
import {
  CRAWL_STATUSES,
  type CrawledPage,
  type CrawlJob,
  type CrawlProgress,
  type CrawlStep,
} from "./crawl-model.ts";
import type { CrawlSchedule } from "./schedule-model.ts";

const ConfigView = z.object({
  source_type: z.enum(["sitemap", "url"]),
  source_url: z.string(),
  max_pages: z.number(),
  max_depth: z.number(),
  rate_limit_ms: z.number(),
  respect_robots_txt: z.boolean(),
  chunking_strategy: z.string(),
});

export const ProgressView = z.object({
  discovered_urls: z.number(),
  processed_urls: z.number(),
  successful_urls: z.number(),
  failed_urls: z.number(),
  skipped_urls: z.number(),
  unchanged_urls: z.number(),
  removed_pages: z.number(),
  total_chunks: z.number(),
  total_embeddings: z.number(),
});

/** A crawl job in answers. */
export const CrawlJobView = z
  .object({
    job_id: z.string(),
    kb_id: z.string(),
    status: z.enum(CRAWL_STATUSES),
    outcome: z.enum(["whole", "partial"]).nullable(),
    config: ConfigView,
    progress: ProgressView,
    timing: z.object({
      started_at: z.string().nullable(),
      completed_at: z.string().nullable(),
      total_duration_ms: z.number().nullable(),
      avg_page_duration_ms: z.number().nullable(),
    }),
    notes: z.array(z.string()),
    error_message: z.string().nullable(),
    is_scheduled: z.boolean(),
    created_by: z.string(),
    created_at: z.string(),
  })
  .meta({ id: "CrawlJob" });

/** For callers that may write but not read. */
export const CrawlJobReference = CrawlJobView.pick({
  job_id: true,
  kb_id: true,
  status: true,
  created_at: true,
}).meta({ id: "CrawlJobReference" });

export function toCrawlJobView(job: CrawlJob): z.infer<typeof CrawlJobView> {
  const { startedAt, completedAt, progress } = job;
  const durationMs =
    startedAt !== null && completedAt !== null ? Date.parse(completedAt) - Date.parse(startedAt) : null;
  return {
    job_id: job.id,
    kb_id: job.base.kbId,
    status: job.status,
    outcome: job.outcome,
    config: toConfigView(job.config),
    progress: toProgressView(progress),
    timing: {
      started_at: startedAt,
      completed_at: completedAt,
      total_duration_ms: durationMs,
      avg_page_duration_ms:
        durationMs !== null && progress.processed > 0 ? Math.round(durationMs / progress.processed) : null,
    },
    notes: [...job.notes],
    error_message: job.errorMessage,
    is_scheduled: job.isScheduled,
    created_by: job.base.accountEmail,
    created_at: job.createdAt,
  };
}

const toConfigView = (config: CrawlJob["config"]): z.infer<typeof ConfigView> => ({
  source_type: config.sourceType,
  source_url: config.sourceUrl,
  max_pages: config.maxPages,
  max_depth: config.maxDepth,
  rate_limit_ms: config.rateLimitMs,
  respect_robots_txt: true,
  chunking_strategy: "hierarchical",
});

export const toProgressView = (progress: CrawlProgress): z.infer<typeof ProgressView> => ({
  discovered_urls: progress.discovered,
  processed_urls: progress.processed,
  successful_urls: progress.successful,
  failed_urls: progress.failed,
  skipped_urls: progress.skipped,
  unchanged_urls: progress.unchanged,
  removed_pages: progress.removed,
  total_chunks: progress.totalChunks,
  total_embeddings: 0,
});

/** A step in answers. */
export const CrawlStepView = z
  .object({
    step_id: z.string(),
    step_type: z.string(),
    url: z.string().nullable(),
    details: z.object({ message: z.string() }).nullable(),
    duration_ms: z.number().nullable(),
    timestamp: z.string(),
  })
  .meta({ id: "CrawlStep" });

export const toCrawlStepView = (step: CrawlStep): z.infer<typeof CrawlStepView> => ({
  step_id: step.id,
  step_type: step.type,
  url: step.url,
  details: step.details === null ? null : { message: step.details },
  duration_ms: step.durationMs,
  timestamp: step.timestamp,
});

/** What a job did with an address, in answers. */
export const CrawledPageView = z
  .object({
    url: z.string(),
    status: z.enum(["pending", "success", "failed", "skipped"]),
    change: z.enum(["new", "changed", "unchanged", "missing", "removed"]).nullable(),
    page_id: z.string().nullable(),
    page_metadata: z.object({
      title: z.string().nullable(),
      description: z.string().nullable(),
      content_length: z.number(),
      word_count: z.number(),
    }),
    chunk_count: z.number(),
    timing: z.object({ fetch_duration_ms: z.number().nullable(), total_duration_ms: z.number().nullable() }),
    error: z.string().nullable(),
    crawled_at: z.string(),
  })
  .meta({ id: "CrawledPage" });

export const toCrawledPageView = (page: CrawledPage): z.infer<typeof CrawledPageView> => ({
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
});

/** A schedule in answers. */
export const CrawlScheduleView = z
  .object({
    every: z.enum(["daily", "weekly"]),
    config: ConfigView,
    status: z.enum(["active", "stopped"]),
    problem: z.string().nullable(),
    next_run_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: "CrawlSchedule" });

/** For callers that may write but not read. */
export const CrawlScheduleReference = CrawlScheduleView.pick({
  status: true,
  next_run_at: true,
  created_at: true,
}).meta({ id: "CrawlScheduleReference" });

export const toCrawlScheduleView = (schedule: CrawlSchedule): z.infer<typeof CrawlScheduleView> => ({
  every: schedule.every,
  config: toConfigView(schedule.config),
  status: schedule.status,
  problem: schedule.problem,
  next_run_at: schedule.nextRunAt,
  created_at: schedule.createdAt,
});
