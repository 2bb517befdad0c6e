import type { UsageRepository } from "../plans/usage-repository.ts";
import { type Clock, monthOf } from "../shared/clock.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { newEvent, type WantedEvents } from "../webhooks/event-model.ts";
import type { WebhookRepository } from "../webhooks/repository.ts";

/** The shares of a limit that are noticed, in percent. */
const THRESHOLDS = [80, 100] as const;

const EVENT = "usage.threshold_reached";

/** What noticing usage needs. */
export interface NoticeDeps {
  readonly usage: Pick<UsageRepository, "plan">;
  readonly webhooks: Pick<WebhookRepository, "noticeOnce">;
  readonly clock: Clock;
}

/** Returns whether an account wants to know about its usage and does not know everything about this month. */
export const mayNoticeUsage = ({ types, noticed }: WantedEvents, nowMs: number): boolean =>
  types.includes(EVENT) && THRESHOLDS.some((percent) => noticed[nameOf(percent)] !== monthOf(nowMs));

/**
 * Records an event for each threshold that the month's messages have reached, once per month. It reads the count again, because
 * turns that began together have all read the same one.
 */
export async function noticeUsage(
  accountEmail: AccountEmail,
  { noticed }: WantedEvents,
  { usage, webhooks, clock }: NoticeDeps,
): Promise<void> {
  const { limits, messagesUsed, readAt, resetsAt } = await usage.plan(accountEmail, clock.now());
  const quota = limits.messages_per_month;
  if (quota === null) return;

  const month = monthOf(readAt);
  for (const percent of THRESHOLDS) {
    const name = nameOf(percent);
    if (messagesUsed * 100 < quota * percent || noticed[name] === month) continue;
    const event = newEvent(
      EVENT,
      {
        limit: "messages_per_month",
        percent,
        used: messagesUsed,
        quota,
        period: month,
        resets_at: new Date(resetsAt).toISOString(),
      },
      clock,
    );
    await webhooks.noticeOnce(accountEmail, { name, month }, event);
  }
}

/** The attribute that stores the month of the last notice. */
const nameOf = (percent: number): string => `noticed_messages_per_month_${percent}`;
