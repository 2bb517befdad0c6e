import type { AccessScope } from "../access/access-scope.ts";
import { monthAfter } from "../plans/account-plan.ts";
import { endUserUsageKey } from "../plans/end-user-usage.ts";
import type { PlanLimits } from "../plans/pricing.ts";
import type { UsageRepository } from "../plans/usage-repository.ts";
import { type Clock, monthOf } from "../shared/clock.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { Item, Key } from "../table/marshal.ts";
import { type EventData, newEvent, type WantedEvents, wantedEventsKey } from "./event-model.ts";
import type { WebhookRepository } from "./repository.ts";

/** The shares of a limit that are noticed, in percent. */
const THRESHOLDS = [80, 100] as const;

const EVENT = "usage.threshold_reached";

/** A count of this month that a limit bounds. */
interface LimitedCount {
  readonly limit: keyof PlanLimits;
  readonly used: number;
  /** Null means no limit. */
  readonly quota: number | null;
  /** Whose count it is, if it is not the account's. */
  readonly about: EventData;
}

/** The item that keeps in which month each threshold of a limit was last noticed. */
interface NoticeMemo {
  readonly key: Key;
  /** What the item held when it was read. */
  readonly attributes: Item;
}

interface UsageNoticesDeps {
  readonly usage: Pick<UsageRepository, "plan" | "endUserUsage">;
  readonly webhooks: Pick<WebhookRepository, "noticeOnce" | "wanted">;
  /** Sends recorded events of an account. Never throws. */
  readonly sender: { nudge(accountEmail: AccountEmail): Promise<void> };
  readonly clock: Clock;
}

/**
 * Records an event when a count of the month has reached 80 % and when it has reached 100 % of its limit, once each per month. The
 * counts are read again, because turns and uploads that began together have all read the same ones. A notice that fails is made
 * after the next message or page.
 */
export class UsageNotices {
  readonly #usage: UsageNoticesDeps["usage"];
  readonly #webhooks: UsageNoticesDeps["webhooks"];
  readonly #sender: UsageNoticesDeps["sender"];
  readonly #clock: Clock;

  constructor({ usage, webhooks, sender, clock }: UsageNoticesDeps) {
    this.#usage = usage;
    this.#webhooks = webhooks;
    this.#sender = sender;
    this.#clock = clock;
  }

  /**
   * Notices the messages of an account and, if an end user has sent the last one, those of the end user, of which `endUserQuota` are
   * allowed. The caller has the recorded events sent. Never throws.
   */
  async ofMessages(
    { accountEmail, endUser }: Pick<AccessScope, "accountEmail" | "endUser">,
    { types, noticed }: WantedEvents,
    endUserQuota: number | null,
  ): Promise<void> {
    if (!types.includes(EVENT)) return;
    await attempt(async () => {
      const memo = { key: wantedEventsKey(accountEmail), attributes: noticed };
      const now = this.#clock.now();
      if (!isNoticed("messages_per_month", memo.attributes, now)) {
        const { limits, messagesUsed } = await this.#usage.plan(accountEmail, now);
        const count = { used: messagesUsed, quota: limits.messages_per_month, about: {} };
        await this.#notice(accountEmail, { limit: "messages_per_month", ...count }, memo, now);
      }
      if (!endUser || endUserQuota === null) return;

      const { messagesUsed: used, attributes } = await this.#usage.endUserUsage(endUser, now);
      const about = { agent_id: endUser.agentId, end_user_id: endUser.id };
      await this.#notice(
        accountEmail,
        { limit: "end_user_messages_per_month", used, quota: endUserQuota, about },
        { key: endUserUsageKey(endUser, now), attributes },
        now,
      );
    });
  }

  /**
   * Notices the pages of knowledge bases, those that crawls have reserved among them, and has the events sent. Never throws.
   */
  async ofPages(accountEmail: AccountEmail): Promise<void> {
    await attempt(async () => {
      const { types, noticed: attributes } = await this.#webhooks.wanted(accountEmail);
      const now = this.#clock.now();
      if (!types.includes(EVENT) || isNoticed("kb_pages", attributes, now)) return;

      const { limits, kbPagesUsed } = await this.#usage.plan(accountEmail, now);
      await this.#notice(
        accountEmail,
        { limit: "kb_pages", used: kbPagesUsed, quota: limits.kb_pages, about: {} },
        { key: wantedEventsKey(accountEmail), attributes },
        now,
      );
      await this.#sender.nudge(accountEmail);
    });
  }

  async #notice(
    accountEmail: AccountEmail,
    { limit, used, quota, about }: LimitedCount,
    { key, attributes }: NoticeMemo,
    now: number,
  ): Promise<void> {
    if (quota === null) return;
    const month = monthOf(now);
    const resetsAt = new Date(monthAfter(now, 1)).toISOString();
    for (const percent of THRESHOLDS) {
      const name = nameOf(limit, percent);
      if (used * 100 < quota * percent || attributes[name] === month) continue;
      const data = { limit, ...about, percent, used, quota, period: month, resets_at: resetsAt };
      await this.#webhooks.noticeOnce(accountEmail, { key, name, month }, newEvent(EVENT, data, this.#clock));
    }
  }
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.warn({ message: "The usage of an account was not noticed.", error: String(error) });
  }
}

/** Returns whether every threshold of a limit was noticed in the month of `now`. */
const isNoticed = (limit: LimitedCount["limit"], attributes: Item, now: number): boolean =>
  THRESHOLDS.every((percent) => attributes[nameOf(limit, percent)] === monthOf(now));

/** The attribute that stores the month of the last notice. */
const nameOf = (limit: LimitedCount["limit"], percent: number): string => `noticed_${limit}_${percent}`;
