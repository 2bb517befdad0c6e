import type { AccountPlan } from "../plans/account-plan.ts";
import { sleep } from "../shared/async.ts";
import { type Clock, monthOf } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail, CrawlJobId } from "../shared/id-types.ts";
import type { PageBudgetRepository } from "./budget-repository.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import type { PageBudget } from "./page-model.ts";

/** How often a reservation is attempted while the account uses pages elsewhere. */
const ATTEMPTS = 16;
/** The longest random pause between attempts, which spreads concurrent writes out. */
const MAX_PAUSE_MS = 50;

interface PageBudgetServiceDeps {
  readonly reservations: PageBudgetRepository;
  readonly plans: { plan(email: AccountEmail, nowMs: number): Promise<AccountPlan> };
  /** Tells the account's webhooks of its usage. Never throws. */
  readonly notices: { ofPages(accountEmail: AccountEmail): Promise<void> };
  readonly clock: Clock;
}

/** Reserves the pages of a month for crawl jobs, so that no plan's limit is overrun. */
export class PageBudgetService implements PageBudget {
  readonly #reservations: PageBudgetRepository;
  readonly #plans: PageBudgetServiceDeps["plans"];
  readonly #notices: PageBudgetServiceDeps["notices"];
  readonly #clock: Clock;

  constructor({ reservations, plans, notices, clock }: PageBudgetServiceDeps) {
    this.#reservations = reservations;
    this.#plans = plans;
    this.#notices = notices;
    this.#clock = clock;
  }

  async reserve(base: KnowledgeBaseRef, jobId: CrawlJobId, wanted: number): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.#reservations.find(base, jobId);
      if (known) return known.pages;

      const nowMs = this.#clock.now();
      const { limits, kbPagesUsed } = await this.#plans.plan(base.accountEmail, nowMs);
      const limit = limits.kb_pages;
      const pages = limit === null ? wanted : Math.min(wanted, Math.max(0, limit - kbPagesUsed));
      if (pages === 0) return 0;

      const time = { timestamp: this.#clock.timestamp(), nowMs };
      const wish = { jobId, month: monthOf(nowMs), pages, limit };
      const reserved = await this.#reservations.reserve(base, wish, time);
      if (reserved === "gone") return 0;
      if (reserved) return reserved.pages;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw contended();
  }

  async settle(base: KnowledgeBaseRef, jobId: CrawlJobId): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const reservation = await this.#reservations.find(base, jobId);
      if (!reservation) return;

      const time = { timestamp: this.#clock.timestamp(), nowMs: this.#clock.now() };
      // Not before pages are given back. If an earlier call was interrupted after that, its notice is made up for here.
      if (!reservation.isOpen || (await this.#reservations.settle(base, reservation, time)))
        return this.#notices.ofPages(base.accountEmail);
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw contended();
  }

  /** Gives back what all jobs of a base have reserved and not used. For a base that is being deleted. */
  async settleAll(base: KnowledgeBaseRef): Promise<void> {
    for (const { jobId } of await this.#reservations.open(base)) await this.settle(base, jobId);
  }
}

const contended = (): AppError =>
  new AppError("unavailable", "Your pages are being counted concurrently. Please try again.", {
    retryAfter: 1,
  });
