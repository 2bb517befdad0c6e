import type { CrawlJobId } from "../../shared/id-types.ts";
import type { KnowledgeBaseRef } from "../model.ts";
import type { CrawlConfig, CrawlJobRef } from "./crawl-model.ts";
import type { CrawlState } from "./crawl-state.ts";
import type { FrontierStorage } from "./frontier.ts";

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, position INTEGER NOT NULL, job TEXT NOT NULL, state TEXT) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS plan (id INTEGER PRIMARY KEY CHECK (id = 1), plan TEXT NOT NULL)",
] as const;

/** A job that runs or waits to run. */
export interface QueuedJob {
  readonly ref: CrawlJobRef;
  readonly config: CrawlConfig;
  /** `null` until the job begins. */
  readonly state: CrawlState | null;
}

/** The next run of a schedule, as the object that runs it remembers it. */
export interface PlannedRun {
  readonly base: KnowledgeBaseRef;
  /** When to run, in milliseconds since the epoch. */
  readonly at: number;
  /** The id of the job, chosen in advance, so that a repeat after a crash creates the same job. */
  readonly jobId: CrawlJobId;
}

/** Stores the jobs of a knowledge base that run or wait to run, one after the other, and the next run of its schedule. */
export class CrawlQueue {
  readonly #storage: FrontierStorage;
  #hasTables = false;

  constructor(storage: FrontierStorage) {
    this.#storage = storage;
  }

  /** Must be called before the whole storage is removed, so that the next use creates the tables again. */
  forgetTables(): void {
    this.#hasTables = false;
  }

  /** Adds a job at the end, unless it is there. */
  add(ref: CrawlJobRef, config: CrawlConfig): void {
    const query =
      "INSERT OR IGNORE INTO jobs SELECT ?, (SELECT COALESCE(MAX(position), 0) + 1 FROM jobs), ?, NULL";
    this.#sql.exec(query, ref.jobId, JSON.stringify({ ref, config }));
  }

  /** Returns the job that runs, or the next one, or `undefined`. */
  first(): QueuedJob | undefined {
    const query = "SELECT job, state FROM jobs ORDER BY position LIMIT 1";
    const [row] = this.#sql.exec<{ job: string; state: string | null }>(query).toArray();
    if (!row) return undefined;
    // Written by `add` and `keep`.
    const job = JSON.parse(row.job) as Omit<QueuedJob, "state">;
    return { ...job, state: row.state === null ? null : (JSON.parse(row.state) as CrawlState) };
  }

  has(jobId: CrawlJobId): boolean {
    return this.#sql.exec("SELECT 1 FROM jobs WHERE job_id = ?", jobId).toArray().length > 0;
  }

  get length(): number {
    return this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM jobs").one().n;
  }

  /** Stores where a job stands. Does nothing if it was removed. */
  keep(state: CrawlState): void {
    this.#sql.exec("UPDATE jobs SET state = ? WHERE job_id = ?", JSON.stringify(state), state.ref.jobId);
  }

  remove(jobId: CrawlJobId): void {
    this.#sql.exec("DELETE FROM jobs WHERE job_id = ?", jobId);
  }

  get planned(): PlannedRun | undefined {
    const [row] = this.#sql.exec<{ plan: string }>("SELECT plan FROM plan").toArray();
    // Written by `plan`.
    return row && (JSON.parse(row.plan) as PlannedRun);
  }

  /** Stores the next run of the schedule, or that there is none. */
  plan(run: PlannedRun | undefined): void {
    if (run) this.#sql.exec("INSERT OR REPLACE INTO plan VALUES (1, ?)", JSON.stringify(run));
    else this.#sql.exec("DELETE FROM plan");
  }

  /** Creates the tables at first use. */
  get #sql(): SqlStorage {
    if (!this.#hasTables) for (const statement of SCHEMA) this.#storage.sql.exec(statement);
    this.#hasTables = true;
    return this.#storage.sql;
  }
}
