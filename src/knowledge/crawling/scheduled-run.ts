import { type Clock, formatTimestamp } from "../../shared/clock.ts";
import { type AccountEmail, crawlJobIdOf } from "../../shared/id-types.ts";
import { newId } from "../../shared/ids.ts";
import type { KnowledgeBaseRef } from "../model.ts";
import type { PageBudget } from "../page-model.ts";
import { type CrawlConfig, newCrawlJob } from "./crawl-model.ts";
import type { PlannedRun } from "./crawl-queue.ts";
import type { CrawlRepository } from "./crawl-repository.ts";
import { type CrawlSchedule, PERIODS } from "./schedule-model.ts";
import type { ScheduleRepository } from "./schedule-repository.ts";

export interface ScheduledRunDeps {
  readonly schedules: ScheduleRepository;
  readonly jobs: CrawlRepository;
  readonly budget: PageBudget;
  /** Returns whether the base is there and not being deleted. */
  readonly isActiveBase: (base: KnowledgeBaseRef) => Promise<boolean>;
  readonly users: {
    find(email: AccountEmail): Promise<{ readonly status: string } | undefined>;
  };
  readonly clock: Clock;
}

/** What a planned run leads to: a job, and the run after it. Without a next run, the schedule has ended. */
export interface RunResult {
  readonly config?: CrawlConfig;
  readonly next?: PlannedRun;
}

/**
 * Creates the job of a planned run, unless there is a reason against it, and plans the next run. May be repeated after a crash. A
 * schedule stops if its base or account is gone; if no further job may wait (`isFull`) or the pages of the month are used up, it
 * waits for the next time.
 */
export async function startPlannedRun(
  run: PlannedRun,
  isFull: boolean,
  deps: ScheduledRunDeps,
): Promise<RunResult> {
  const { base } = run;
  const schedule = await deps.schedules.find(base.kbId);
  if (schedule?.status !== "active") return {};

  if (!(await isActive(run, deps))) {
    const problem = "The account or the knowledge base is not active any more.";
    await deps.schedules.advance(base.kbId, schedule, { status: "stopped", problem, nextRunAt: null });
    return {};
  }

  const next = nextRun(run, schedule, deps.clock.now());
  const nextRunAt = formatTimestamp(next.at);
  const isRefused = isFull || (await deps.budget.reserve(base, run.jobId, schedule.config.maxPages)) === 0;
  if (isRefused) {
    const problem = isFull ? TOO_MANY_JOBS : PAGES_USED_UP;
    await deps.schedules.advance(base.kbId, schedule, { status: "active", problem, nextRunAt });
    return { next };
  }

  const job = newCrawlJob({ base, jobId: run.jobId }, schedule.config, deps.clock.timestamp(), true);
  await deps.jobs.create(job);
  await deps.schedules.advance(base.kbId, schedule, { status: "active", problem: null, nextRunAt });
  return { config: schedule.config, next };
}

const TOO_MANY_JOBS = "The last crawl did not begin: ten others had not ended.";
const PAGES_USED_UP = "The last crawl did not begin: the plan's pages of this month are used up.";

/** Plans the first run of a schedule. */
export const firstRun = (base: PlannedRun["base"], at: number): PlannedRun => ({
  base,
  at,
  jobId: crawlJobIdOf(newId(at)),
});

/** Runs that were missed while the service was down are not made up for. */
function nextRun({ base, at }: PlannedRun, { every }: CrawlSchedule, now: number): PlannedRun {
  const period = PERIODS[every];
  const missed = Math.max(0, Math.floor((now - at) / period));
  return firstRun(base, at + (missed + 1) * period);
}

/** Returns whether base and account are there. */
async function isActive({ base }: PlannedRun, { isActiveBase, users }: ScheduledRunDeps): Promise<boolean> {
  const user = await users.find(base.accountEmail);
  return user?.status === "active" && isActiveBase(base);
}
