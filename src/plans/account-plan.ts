import { monthOf } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { count, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { type Plan, planOf, type PlanLimits } from "./pricing.ts";
import { activeSubscription, SUBSCRIPTION_PREFIX, subscriptionFrom } from "./subscription.ts";

/** What an account may use, and what it has used this month. */
export interface AccountPlan {
  readonly tier: Plan["key"];
  /** By the plan; null means that there is no limit. Superusers have none. */
  readonly limits: Readonly<Record<keyof PlanLimits, number | null>>;
  readonly messagesUsed: number;
  readonly kbPagesUsed: number;
  /** The first moment of the next month by UTC, when the monthly counts begin anew; milliseconds since the epoch. */
  readonly resetsAt: number;
}

/** A limit is gone by waiting only where it is a month's; elsewhere it takes an upgrade or a deletion. */
const RETRY_DAILY_SECONDS = 24 * 60 * 60;

/** The sort keys of a user's partition that decide a plan at `nowMs`: subscriptions, and usage by month. */
export const planRange = (nowMs: number) =>
  ({ between: [SUBSCRIPTION_PREFIX, `Usage#${monthOf(nowMs)}`] }) as const;

/** An account's plan at `nowMs` by the items of `planRange`; others may stand among them. */
export function accountPlanFrom(items: readonly Item[], nowMs: number, isSuperuser: boolean): AccountPlan {
  const subscriptions = items
    .filter((item) => text(item, "sk").startsWith(SUBSCRIPTION_PREFIX))
    .map(subscriptionFrom);
  const plan = planOf(activeSubscription(subscriptions, nowMs)?.plan ?? "");
  const usage = items.find((item) => item.sk === `Usage#${monthOf(nowMs)}`) ?? {};
  const limit = (value: number): number | null => (isSuperuser || value === 0 ? null : value);

  return {
    tier: plan.key,
    limits: {
      agents: limit(plan.limits.agents),
      messages_per_month: limit(plan.limits.messages_per_month),
      kb_pages: limit(plan.limits.kb_pages),
      memory_blocks: limit(plan.limits.memory_blocks),
    },
    messagesUsed: count(usage, "messages_used"),
    kbPagesUsed: count(usage, "kb_pages_used"),
    resetsAt: endOfMonth(nowMs),
  };
}

/** What is refused, and what would help. */
interface Refusal {
  readonly message: string;
  readonly limit: number;
  readonly current: number;
  readonly tier: string;
  readonly upgradeUrl: string;
  /** When waiting helps, and what time it is; milliseconds since the epoch. */
  readonly resetsAt?: { readonly at: number; readonly now: number };
}

/** The answer to a request that would exceed a plan. */
export function limitExceeded({ message, limit, current, tier, upgradeUrl, resetsAt }: Refusal): AppError {
  return new AppError("limit-exceeded", message, {
    extensions: {
      limit,
      current,
      tier,
      resets_at: resetsAt ? new Date(resetsAt.at).toISOString() : null,
      upgrade_url: upgradeUrl,
    },
    retryAfter: resetsAt ? Math.max(1, Math.ceil((resetsAt.at - resetsAt.now) / 1000)) : RETRY_DAILY_SECONDS,
  });
}

/** The answer to a message beyond the month's. */
export const messagesExceeded = (
  limit: number,
  current: number,
  { tier, resetsAt }: Pick<AccountPlan, "tier" | "resetsAt">,
  { upgradeUrl, now }: { readonly upgradeUrl: string; readonly now: number },
): AppError =>
  limitExceeded({
    message: `Monthly message limit reached (${limit}). Upgrade for more.`,
    limit,
    current,
    tier,
    upgradeUrl,
    resetsAt: { at: resetsAt, now },
  });

function endOfMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
