import type { AccountPlan, PlanRules } from "../../plans/account-plan.ts";
import { limitExceeded } from "../../plans/refusals.ts";
import { type Clock, formatTimestamp } from "../../shared/clock.ts";
import { AppError, invalidInput, notFound } from "../../shared/errors.ts";
import { type AccountEmail, crawlJobIdOf } from "../../shared/id-types.ts";
import { newId } from "../../shared/ids.ts";
import { OUT_OF_BOUNDS, type OutboundPolicy, outOfBounds } from "../../shared/outbound.ts";
import type { KnowledgeBaseRef } from "../model.ts";
import type { PageBudget } from "../page-model.ts";
import { canonicalUrl } from "./canonical-url.ts";
import type { CrawlClient } from "./crawl-client.ts";
import {
  type CrawlConfig,
  type CrawlJob,
  type CrawlJobRef,
  type CrawlStep,
  isEnded,
  newCrawlJob,
  stepCursor,
} from "./crawl-model.ts";
import type { CrawlRepository } from "./crawl-repository.ts";
import { type CrawlSchedule, type Period, PERIODS } from "./schedule-model.ts";
import type { ScheduleRepository } from "./schedule-repository.ts";
import { firstRun } from "./scheduled-run.ts";

/** A job that has shown no sign of life for so long is looked after, in milliseconds. A running one shows one each half minute. */
const SILENT_MS = 5 * 60_000;
/** Steps that a follower reads at once. */
const STEPS_AT_ONCE = 50;
/** No object has counted so many changes: asking for what came after returns at once. */
const BEFORE_ALL = -1;

/** What a follower of a job is told. `quiet` says that nothing has happened for a while. */
export type CrawlNews =
  | { readonly kind: "step"; readonly step: CrawlStep }
  | { readonly kind: "progress"; readonly job: CrawlJob }
  | { readonly kind: "end"; readonly job: CrawlJob; readonly cursor: string | undefined }
  | { readonly kind: "quiet" };

interface CrawlServiceDeps {
  readonly jobs: CrawlRepository;
  readonly schedules: ScheduleRepository;
  readonly runners: CrawlClient;
  readonly budget: PageBudget;
  readonly plans: { plan(email: AccountEmail, nowMs: number): Promise<AccountPlan> };
  readonly rules: PlanRules;
  readonly policy: OutboundPolicy;
  /** The crawler's user agent, or `undefined` if the deployment does not say whom to contact about it. */
  readonly userAgent: string | undefined;
  readonly clock: Clock;
}

/** Creates, runs, cancels and shows crawl jobs. Callers have made sure that the base is the account's and is active. */
export class CrawlService {
  readonly #jobs: CrawlRepository;
  readonly #schedules: ScheduleRepository;
  readonly #runners: CrawlClient;
  readonly #budget: PageBudget;
  readonly #plans: CrawlServiceDeps["plans"];
  readonly #rules: PlanRules;
  readonly #policy: OutboundPolicy;
  readonly #userAgent: string | undefined;
  readonly #clock: Clock;

  constructor(deps: CrawlServiceDeps) {
    this.#jobs = deps.jobs;
    this.#schedules = deps.schedules;
    this.#runners = deps.runners;
    this.#budget = deps.budget;
    this.#plans = deps.plans;
    this.#rules = deps.rules;
    this.#policy = deps.policy;
    this.#userAgent = deps.userAgent;
    this.#clock = deps.clock;
  }

  /**
   * Creates a job and, unless told otherwise, starts it. `wantedId` is the id that an earlier attempt of the same request used. Throws
   * `validation-failed` for an address that must not be requested, `limit-exceeded` if no pages of the month are left, and
   * `not-configured` if the deployment does not say whom to contact about its crawler.
   */
  async create(
    base: KnowledgeBaseRef,
    config: CrawlConfig,
    { autoStart, wantedId }: { readonly autoStart: boolean; readonly wantedId?: string | undefined },
  ): Promise<CrawlJob> {
    this.#requireCrawlable(config);
    const ref = { base, jobId: crawlJobIdOf(wantedId ?? newId(this.#clock.now())) };
    const job = newCrawlJob(ref, config, this.#clock.timestamp(), false);
    await this.#jobs.create(job);
    if (!autoStart) return job;

    try {
      await this.#start(ref, config);
    } catch (error) {
      // A job that was refused must not stay behind. After a server error it may have begun, so it stays.
      if (error instanceof AppError && error.status < 500) await this.#jobs.discard(ref);
      throw error;
    }
    return job;
  }

  /** Returns the newest jobs of a base, newest first. */
  async list(base: KnowledgeBaseRef, limit: number): Promise<readonly CrawlJob[]> {
    const jobs = await this.#jobs.list(base, limit);
    return Promise.all(jobs.map((job) => this.#alive(job)));
  }

  /** Returns a job. Throws `not-found` if the base has no such job. */
  async get(ref: CrawlJobRef): Promise<CrawlJob> {
    return this.#alive(await this.#jobs.get(ref));
  }

  /** Starts a job that was created without being started. Throws `conflict` if it is running or has ended. */
  async run(ref: CrawlJobRef): Promise<CrawlJob> {
    const job = await this.get(ref);
    const conflict = RUN_CONFLICTS[job.status];
    if (conflict !== undefined) throw new AppError("conflict", conflict);
    this.#requireCrawlable(job.config);
    await this.#start(ref, job.config);
    return this.get(ref);
  }

  /** Cancels a job that waits or runs. It stops within one page. Does nothing if it has ended. Throws `not-found`. */
  async cancel(ref: CrawlJobRef): Promise<void> {
    const { status } = await this.#jobs.get(ref);
    // The first attempt of a repeated call may have got no further than the table.
    if (isEnded(status) && status !== "cancelled") return;
    await this.#jobs.cancel(ref, this.#clock.timestamp());
    await this.#runners.cancel(ref);
  }

  /** Stops all jobs and the schedule of a base that is closed for writes. */
  stop(base: KnowledgeBaseRef): Promise<void> {
    return this.#runners.stop(base);
  }

  /** Yields the steps of a job after a cursor and its progress, until it has ended or the signal is aborted. */
  async *follow(
    ref: CrawlJobRef,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<CrawlNews, void, void> {
    let cursor = after;
    let shown = "";
    let revision = BEFORE_ALL;
    while (!signal.aborted) {
      const job = await this.get(ref);
      // Read after the job: when that has ended, no step follows.
      for (let steps = await this.#stepsAfter(ref, cursor); steps.length > 0;) {
        for (const step of steps) yield { kind: "step", step };
        const last = steps.at(-1);
        if (last) cursor = stepCursor(last);
        steps = await this.#stepsAfter(ref, cursor);
      }
      if (isEnded(job.status)) {
        yield { kind: "end", job, cursor };
        return;
      }

      const state = JSON.stringify([job.status, job.progress]);
      if (state !== shown) yield { kind: "progress", job };
      shown = state;

      const next = await this.#runners.changed(ref.base, revision);
      if (next === revision) yield { kind: "quiet" };
      revision = next;
    }
  }

  /** Returns a page of the steps of a job, oldest first. Throws `not-found` if the base has no such job. */
  async listSteps(ref: CrawlJobRef, limit: number, cursor: string | undefined) {
    await this.#jobs.get(ref);
    return this.#jobs.listSteps(ref.jobId, limit, cursor);
  }

  /** Returns a page of what a job did with addresses. Throws `not-found` if the base has no such job. */
  async listPages(ref: CrawlJobRef, limit: number, cursor: string | undefined) {
    await this.#jobs.get(ref);
    return this.#jobs.listPages(ref.jobId, limit, cursor);
  }

  /** Returns the schedule of a base. Throws `not-found` if there is none. */
  async schedule({ kbId }: KnowledgeBaseRef): Promise<CrawlSchedule> {
    const schedule = await this.#schedules.find(kbId);
    if (!schedule) throw notFound("Crawl schedule");
    return schedule;
  }

  /** Sets the schedule of a base in place of an earlier one. The first crawl begins one period from now. */
  async setSchedule(base: KnowledgeBaseRef, every: Period, config: CrawlConfig): Promise<CrawlSchedule> {
    this.#requireCrawlable(config);
    const run = firstRun(base, this.#clock.now() + PERIODS[every]);
    const schedule: CrawlSchedule = {
      every,
      config,
      status: "active",
      problem: null,
      nextRunAt: formatTimestamp(run.at),
      createdAt: this.#clock.timestamp(),
    };
    if (!(await this.#schedules.put(base, schedule))) throw notFound("Knowledge base");
    await this.#runners.plan(base, run);
    return schedule;
  }

  /** Removes the schedule of a base, if there is one. */
  async removeSchedule(base: KnowledgeBaseRef): Promise<void> {
    await this.#schedules.remove(base.kbId);
    await this.#runners.plan(base, null);
  }

  #stepsAfter({ jobId }: CrawlJobRef, cursor: string | undefined): Promise<readonly CrawlStep[]> {
    return this.#jobs.stepsAfter(jobId, STEPS_AT_ONCE, cursor);
  }

  async #start(ref: CrawlJobRef, config: CrawlConfig): Promise<void> {
    const { base, jobId } = ref;
    if ((await this.#budget.reserve(base, jobId, config.maxPages)) === 0) {
      const plan = await this.#plans.plan(base.accountEmail, this.#clock.now());
      throw limitExceeded(plan, "kb_pages", plan.kbPagesUsed, this.#rules);
    }
    try {
      await this.#runners.start(ref, config);
    } catch (error) {
      if (error instanceof AppError && error.code === "conflict") await this.#budget.settle(base, jobId);
      throw error;
    }
  }

  /**
   * Returns the job. One that is in progress but has been silent for long is woken up, or ended if it is lost: no job is in progress
   * for ever.
   */
  async #alive(job: CrawlJob): Promise<CrawlJob> {
    const silentMs = this.#clock.now() - Date.parse(job.updatedAt);
    if (job.status !== "in_progress" || silentMs < SILENT_MS) return job;

    const ref = { base: job.base, jobId: job.id };
    if (await this.#runners.has(ref)) return job;
    await this.#budget.settle(ref.base, ref.jobId);
    const end = {
      status: "failed",
      outcome: null,
      errorMessage: "The crawl was interrupted and could not be continued. Please start another one.",
      notes: job.notes,
      progress: job.progress,
    } as const;
    await this.#jobs.end(ref, end, this.#clock.timestamp());
    return this.#jobs.get(ref);
  }

  #requireCrawlable({ sourceUrl }: CrawlConfig): void {
    if (this.#userAgent === undefined)
      throw new AppError("not-configured", "Crawling is not set up.", {
        cause: new Error("Missing configuration: CRAWLER_CONTACT or PUBLIC_URL"),
      });
    const reason = outOfBounds(sourceUrl, this.#policy);
    const message =
      reason === undefined
        ? canonicalUrl(sourceUrl) === undefined && "It must not be longer than 2,000 characters."
        : OUT_OF_BOUNDS[reason];
    if (message)
      throw invalidInput("json", [
        { path: ["source_url"], message: `source_url can't be crawled. ${message}`, code: "custom" },
      ]);
  }
}

/** Why a job can't be started, by its status. */
const RUN_CONFLICTS: { readonly [status in CrawlJob["status"]]?: string } = {
  in_progress: "Crawl job is already in progress",
  completed: "Crawl job has already completed. Create a new job to re-crawl.",
  cancelled: "Crawl job was cancelled. Create a new job to re-crawl.",
  failed: "Crawl job has failed. Create a new job to re-crawl.",
};
