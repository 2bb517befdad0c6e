import { DurableClient } from "../../shared/durable-client.ts";
import type { KnowledgeBaseRef } from "../model.ts";
import type { CrawlConfig, CrawlJobRef } from "./crawl-model.ts";
import type { PlannedRun } from "./crawl-queue.ts";
import type { CrawlRunner } from "./crawl-runner.ts";

interface CrawlClientDeps {
  readonly namespace: DurableObjectNamespace<CrawlRunner>;
  readonly region: string;
}

/** Calls the Durable Objects that crawl, one for each knowledge base. All calls are idempotent. */
export class CrawlClient {
  readonly #runners: DurableClient<CrawlRunner>;

  /** `region` is the AWS region of the table. */
  constructor({ namespace, region }: CrawlClientDeps) {
    const unavailable = "Crawling is not available at the moment. Please try again.";
    this.#runners = new DurableClient({ namespace, region, unavailable });
  }

  /** Queues a job. Throws `conflict` if too many are queued. */
  async start(ref: CrawlJobRef, config: CrawlConfig): Promise<void> {
    await this.#runners.call(ref.base.kbId, (runner) => runner.start(ref, config));
  }

  /** Stops a job that has been cancelled in the table. */
  async cancel(ref: CrawlJobRef): Promise<void> {
    await this.#runners.call(ref.base.kbId, (runner) => runner.cancel(ref));
  }

  /** Stops all jobs of a base and its schedule, because the base is being deleted. */
  async stop({ kbId }: KnowledgeBaseRef): Promise<void> {
    await this.#runners.call(kbId, (runner) => runner.stop());
  }

  /** Returns whether a job is queued or runs. */
  has({ base, jobId }: CrawlJobRef): Promise<boolean> {
    return this.#runners.call(base.kbId, (runner) => runner.has(jobId));
  }

  /** Plans the next run of a base's schedule, or none. */
  async plan({ kbId }: KnowledgeBaseRef, run: PlannedRun | null): Promise<void> {
    await this.#runners.call(kbId, (runner) => runner.plan(run));
  }

  /** Waits for a change of a base's jobs after `revision`, for at most 15 seconds. Returns the number of changes so far. */
  changed({ kbId }: KnowledgeBaseRef, revision: number): Promise<number> {
    return this.#runners.call(kbId, (runner) => runner.changed(revision));
  }
}
