import { notFound } from "../../shared/errors.ts";
import type { CrawlJobId } from "../../shared/id-types.ts";
import type { TableClient } from "../../table/client.ts";
import type { Cursors } from "../../table/cursor.ts";
import { absent, any, equals } from "../../table/expressions.ts";
import { optionalText } from "../../table/fields.ts";
import { knowledgeBasePartition } from "../../table/keys.ts";
import { type ListPage, listInOrder } from "../../table/list.ts";
import type { Item } from "../../table/marshal.ts";
import { CRAWL_JOB_PREFIX, type KnowledgeBaseRef } from "../model.ts";
import {
  CRAWLED_PAGE_PREFIX,
  type CrawledPage,
  crawledPageFrom,
  crawledPageItem,
  type CrawlJob,
  crawlJobFrom,
  crawlJobItem,
  crawlJobKey,
  crawlJobPartition,
  type CrawlJobRef,
  type CrawlProgress,
  type CrawlStatus,
  type CrawlStep,
  crawlStepFrom,
  crawlStepItem,
  isTimeOrderedJob,
  type NewStep,
  progressAttribute,
  STEP_PREFIX,
  type StepType,
} from "./crawl-model.ts";

/** How a job ended. */
export interface CrawlEnd {
  readonly status: Extract<CrawlStatus, "completed" | "failed">;
  readonly outcome: CrawlJob["outcome"];
  readonly errorMessage: string | null;
  readonly notes: readonly string[];
  readonly progress: CrawlProgress;
}

/** Stores crawl jobs, their steps and their pages. */
export class CrawlRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new job. Does nothing if it exists: a repeated request has the same id. */
  async create(job: CrawlJob): Promise<void> {
    await this.#table.tryPut(crawlJobItem(job), absent("pk"));
  }

  /** Returns a job. Throws `not-found` if there is none in this base. */
  async get(ref: CrawlJobRef): Promise<CrawlJob> {
    const job = await this.find(ref);
    if (!job) throw notFound("Crawl job");
    return job;
  }

  async find(ref: CrawlJobRef): Promise<CrawlJob | undefined> {
    const item = await this.#table.get(crawlJobKey(ref));
    return item && crawlJobFrom(item);
  }

  /** Removes a job that was never started. */
  async discard(ref: CrawlJobRef): Promise<void> {
    await this.#table.tryRemove(crawlJobKey(ref), equals("status", "pending"));
  }

  /**
   * Returns the newest jobs of a base. Ids of this service sort by time; those of the legacy Python service do not and are read as
   * a whole, which is bounded by `MAX_LEGACY_JOBS`.
   */
  async list(base: KnowledgeBaseRef, limit: number): Promise<readonly CrawlJob[]> {
    const jobs: CrawlJob[] = [];
    let timeOrdered = 0;
    const options = { range: { beginsWith: CRAWL_JOB_PREFIX }, newestFirst: true };
    for await (const items of this.#table.pages(knowledgeBasePartition(base.kbId), options)) {
      for (const job of items.map(crawlJobFrom)) {
        if (isTimeOrderedJob(job) && ++timeOrdered > limit) continue;
        jobs.push(job);
      }
      if (jobs.length > MAX_LEGACY_JOBS) break;
    }
    return jobs.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, limit);
  }

  /** Returns the last job with this source that dealt with everything it found, or `undefined`. */
  async lastWhole({ base, jobId }: CrawlJobRef, sourceUrl: string): Promise<CrawlJob | undefined> {
    const options = { range: { beginsWith: CRAWL_JOB_PREFIX }, newestFirst: true };
    for await (const items of this.#table.pages(knowledgeBasePartition(base.kbId), options)) {
      const found = items
        .map(crawlJobFrom)
        .find(
          ({ id, outcome, config }) => id !== jobId && outcome === "whole" && config.sourceUrl === sourceUrl,
        );
      if (found) return found;
    }
    return undefined;
  }

  /** Marks a job as in progress. Returns false if it has ended or is gone. Repeating the call with the same time changes nothing. */
  async begin(ref: CrawlJobRef, startedAt: string): Promise<boolean> {
    const step = { type: "JOB_STARTED", url: null, details: null, durationMs: null } as const;
    return this.#table.tryTransact([
      {
        update: crawlJobKey(ref),
        changes: { set: { status: "in_progress", started_at: startedAt, updated_at: startedAt } },
        if: any(equals("status", "pending"), IN_PROGRESS),
      },
      { put: await crawlStepItem(ref.jobId, step, startedAt) },
    ]);
  }

  /** Stores a sign of life. Returns false if the job is no longer in progress. */
  touch(ref: CrawlJobRef, timestamp: string): Promise<boolean> {
    return this.#table.tryUpdate(crawlJobKey(ref), { set: { updated_at: timestamp } }, IN_PROGRESS);
  }

  /** Stores a step and the progress. Returns false if the job is no longer in progress, and then stores nothing. */
  async addStep(
    ref: CrawlJobRef,
    step: NewStep,
    progress: CrawlProgress,
    timestamp: string,
  ): Promise<boolean> {
    return this.#table.tryTransact([
      { update: crawlJobKey(ref), changes: progressChanges(progress, timestamp), if: IN_PROGRESS },
      { put: await crawlStepItem(ref.jobId, step, timestamp) },
    ]);
  }

  /**
   * Stores what a job did with an address, together with the step and the progress. Returns false if the job is no longer in
   * progress, and then stores nothing. A page that has been recorded before stays as it is.
   */
  async record(
    ref: CrawlJobRef,
    page: CrawledPage,
    step: NewStep,
    progress: CrawlProgress,
  ): Promise<boolean> {
    const refusal = await this.#table.transactOrRefusal([
      { put: await crawledPageItem(ref.jobId, page), if: absent("pk") },
      { put: await crawlStepItem(ref.jobId, step, page.crawledAt) },
      {
        update: crawlJobKey(ref),
        changes: progressChanges(progress, page.crawledAt),
        if: IN_PROGRESS,
      },
    ]);
    // A crash between this transaction and the next write of the job's object leads here again.
    return refusal === undefined || !refusal.has(JOB_ACTION);
  }

  /** Ends a job that is pending or in progress. Does nothing if it has ended. */
  async end(ref: CrawlJobRef, end: CrawlEnd, timestamp: string): Promise<void> {
    const type = end.status === "completed" ? "JOB_COMPLETED" : "JOB_FAILED";
    await this.#close(ref, type, timestamp, {
      status: end.status,
      outcome: end.outcome,
      error_message: end.errorMessage,
      notes: end.notes,
      progress: progressAttribute(end.progress),
    });
  }

  /** Cancels a job that is pending or in progress. Does nothing if it has ended. */
  cancel(ref: CrawlJobRef, timestamp: string): Promise<void> {
    return this.#close(ref, "JOB_CANCELLED", timestamp, { status: "cancelled" });
  }

  async #close(ref: CrawlJobRef, type: StepType, timestamp: string, set: Item): Promise<void> {
    const details = optionalText(set, "error_message");
    await this.#table.tryTransact([
      {
        update: crawlJobKey(ref),
        changes: { set: { ...set, completed_at: timestamp, updated_at: timestamp } },
        if: any(equals("status", "pending"), IN_PROGRESS),
      },
      { put: await crawlStepItem(ref.jobId, { type, url: null, details, durationMs: null }, timestamp) },
    ]);
  }

  /** Returns the steps of a job after a cursor of a stream, oldest first. */
  async stepsAfter(
    jobId: CrawlJobId,
    limit: number,
    cursor: string | undefined,
  ): Promise<readonly CrawlStep[]> {
    const page = await this.#table.queryPage(crawlJobPartition(jobId), {
      range: { beginsWith: STEP_PREFIX },
      newestFirst: false,
      limit,
      after: cursor,
    });
    return page.items.map(crawlStepFrom);
  }

  /** Returns a page of the steps of a job, oldest first. */
  listSteps(jobId: CrawlJobId, limit: number, cursor: string | undefined): Promise<ListPage<CrawlStep>> {
    return this.#list(jobId, STEP_PREFIX, { limit, cursor }, crawlStepFrom);
  }

  /** Returns a page of what a job did with addresses, in the order of their keys. */
  listPages(jobId: CrawlJobId, limit: number, cursor: string | undefined): Promise<ListPage<CrawledPage>> {
    return this.#list(jobId, CRAWLED_PAGE_PREFIX, { limit, cursor }, crawledPageFrom);
  }

  #list<T>(
    jobId: CrawlJobId,
    prefix: string,
    part: { readonly limit: number; readonly cursor: string | undefined },
    from: (item: Item) => T,
  ): Promise<ListPage<T>> {
    const partition = crawlJobPartition(jobId);
    const request = {
      partition,
      range: { beginsWith: prefix },
      cursorScope: `${prefix} of ${partition}`,
      ...part,
    };
    return listInOrder(this.#table, this.#cursors, request, from);
  }
}

/** The jobs of the legacy Python service that are read for a list, at most: a base had a handful. */
const MAX_LEGACY_JOBS = 1_000;

const IN_PROGRESS = equals("status", "in_progress");
/** The position of the job among the writes of `record`. */
const JOB_ACTION = 2;

const progressChanges = (progress: CrawlProgress, timestamp: string) => ({
  set: { progress: progressAttribute(progress), updated_at: timestamp },
});
