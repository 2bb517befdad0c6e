import { DurableObject } from "cloudflare:workers";
import { createCrawlDeps, type CrawlRunnerDeps } from "../../deps/objects.ts";
import { portsFrom } from "../../deps/ports.ts";
import { type Reply, replying } from "../../shared/durable-reply.ts";
import { AppError } from "../../shared/errors.ts";
import type { CrawlJobId } from "../../shared/id-types.ts";
import { ChangeBell } from "./change-bell.ts";
import { Crawl } from "./crawl.ts";
import type { CrawlConfig, CrawlJobRef } from "./crawl-model.ts";
import { CrawlQueue, type PlannedRun, type QueuedJob } from "./crawl-queue.ts";
import { initialState } from "./crawl-state.ts";
import { Frontier } from "./frontier.ts";
import { startPlannedRun } from "./scheduled-run.ts";

/** How long one alarm works, in milliseconds. A request that is under way then is still finished. */
const BATCH_MS = 20_000;
/** When the next alarm rings if this instance dies, in milliseconds: longer than any alarm takes. */
const WATCH_MS = 90_000;
/** The wait after a failure in milliseconds, which doubles with each one up to the second. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** After so many failures in a row, about ten minutes, a job is given up. */
const MAX_FAILURES = 15;
/** Jobs of one knowledge base that wait or run. */
const MAX_JOBS = 10;
/** The longest time that a follower waits for news, in milliseconds. */
const MAX_WAIT_MS = 15_000;

/** The job that an alarm is working on. */
interface Work {
  readonly jobId: CrawlJobId;
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

/**
 * The Durable Object that runs the crawls of one knowledge base, one after the other, in bounded batches, one per alarm. The table
 * has the jobs and what they found; the object has what is left to do. While there is a job, an alarm is always set.
 */
export class CrawlRunner extends DurableObject<Env> {
  readonly #frontier = new Frontier({ storage: this.ctx.storage });
  readonly #queue = new CrawlQueue(this.ctx.storage);
  readonly #bell = new ChangeBell();
  #work: Work | undefined;
  #failures = 0;

  /** Queues a job. Does nothing if it is queued. */
  start(ref: CrawlJobRef, config: CrawlConfig): Promise<Reply<null>> {
    return replying(async () => {
      if (!this.#queue.has(ref.jobId) && this.#queue.length >= MAX_JOBS)
        throw new AppError(
          "conflict",
          `This knowledge base has ${MAX_JOBS} unfinished crawls. Cancel some, or wait until they have ended.`,
        );
      this.#queue.add(ref, config);
      await this.#wake();
      return null;
    });
  }

  /** Stops a job that has been cancelled in the table, and gives its reservation back. */
  cancel({ base, jobId }: CrawlJobRef): Promise<Reply<null>> {
    return replying(async () => {
      if (this.#work?.jobId === jobId) await this.#interrupt(this.#work);
      // A job that is not queued may have reserved pages, too: its start may have failed.
      await (await this.#deps()).budget.settle(base, jobId);
      this.#queue.remove(jobId);
      this.#bell.ring();
      await this.#setNextAlarm();
      return null;
    });
  }

  /** Stops everything and forgets it, because the base is being deleted. */
  stop(): Promise<Reply<null>> {
    return replying(async () => {
      if (this.#work) await this.#interrupt(this.#work);
      // Race: no await in between, so that a later call creates its tables after the removal.
      this.#queue.forgetTables();
      this.#frontier.forgetTables();
      await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
      return null;
    });
  }

  /** Returns whether the object has a job, and sees to it that an alarm is set. */
  has(jobId: CrawlJobId): Promise<Reply<boolean>> {
    return replying(async () => {
      const isKnown = this.#queue.has(jobId);
      if (isKnown && !this.#work) await this.#wake();
      return isKnown;
    });
  }

  /** Plans the next run of the schedule, or none. */
  plan(run: PlannedRun | null): Promise<Reply<null>> {
    return replying(async () => {
      this.#queue.plan(run ?? undefined);
      await this.#setNextAlarm();
      return null;
    });
  }

  /** Waits for a change after `revision`, for at most 15 seconds. Returns the number of changes so far. */
  changed(revision: number): Promise<Reply<number>> {
    return replying(() => this.#bell.changed(revision, MAX_WAIT_MS));
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + WATCH_MS);
    try {
      const deps = await this.#deps();
      await this.#startPlanned(deps);
      await this.#workOnFirst(deps);
      this.#failures = 0;
      await this.#setNextAlarm();
    } catch (error) {
      console.warn({ message: "A part of a crawl failed and will be retried.", error: String(error) });
      const waitMs = Math.min(RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
      await this.ctx.storage.setAlarm(Date.now() + waitMs);
    }
  }

  async #startPlanned(deps: CrawlRunnerDeps): Promise<void> {
    const { planned } = this.#queue;
    if (!planned || planned.at > Date.now()) return;

    const isFull = this.#queue.length >= MAX_JOBS;
    const { config, next } = await startPlannedRun(planned, isFull, deps);
    this.ctx.storage.transactionSync(() => {
      if (config) this.#queue.add({ base: planned.base, jobId: planned.jobId }, config);
      // Race: the schedule may have been replaced or removed meanwhile.
      if (this.#queue.planned?.jobId === planned.jobId) this.#queue.plan(next);
    });
  }

  async #workOnFirst(deps: CrawlRunnerDeps): Promise<void> {
    const first = this.#queue.first();
    if (!first) return;
    if (this.#failures >= MAX_FAILURES) return this.#giveUp(first, deps);

    const state = first.state ?? initialState(first.ref, first.config, deps.clock.timestamp());
    this.#queue.keep(state);
    const crawl = new Crawl({
      ...deps,
      frontier: this.#frontier,
      flush: () => this.ctx.storage.sync(),
      keep: (next) => this.#queue.keep(next),
      onProgress: () => this.#bell.ring(),
      state,
    });
    const abort = new AbortController();
    const working = crawl.work(Date.now() + BATCH_MS, abort.signal);
    this.#work = { jobId: first.ref.jobId, abort, ended: working.catch(() => undefined) };
    try {
      if ((await working) === "ended") this.#forget(first.ref.jobId);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    } finally {
      this.#work = undefined;
    }
  }

  /** Ends a job that keeps failing for reasons of this service, so that it is not in progress for ever. */
  async #giveUp({ ref, state }: QueuedJob, { budget, clock, jobs }: CrawlRunnerDeps): Promise<void> {
    await budget.settle(ref.base, ref.jobId);
    const end = {
      status: "failed",
      outcome: null,
      errorMessage: "The crawl failed repeatedly on our side. Please start another one.",
      notes: state?.notes ?? [],
      progress: this.#frontier.progress,
    } as const;
    await jobs.end(ref, end, clock.timestamp());
    this.#forget(ref.jobId);
  }

  #forget(jobId: CrawlJobId): void {
    this.#queue.remove(jobId);
    this.#frontier.clear();
    this.#bell.ring();
  }

  /** Stops the work of the current alarm, and waits until nothing of it is under way. */
  async #interrupt({ abort, ended }: Work): Promise<void> {
    abort.abort(new DOMException("The crawl was stopped.", "AbortError"));
    await ended;
  }

  #wake(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now());
  }

  /** Sets the alarm for the next batch or the next planned run. Without either, none is set. */
  async #setNextAlarm(): Promise<void> {
    const { planned } = this.#queue;
    if (this.#queue.length > 0) await this.#wake();
    else if (planned) await this.ctx.storage.setAlarm(planned.at);
    else await this.ctx.storage.deleteAlarm();
  }

  async #deps(): Promise<CrawlRunnerDeps> {
    return createCrawlDeps(await portsFrom(this.env), (work) => this.ctx.waitUntil(work));
  }
}
