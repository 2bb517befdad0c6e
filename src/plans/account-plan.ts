import { monthOf } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import { count, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { type Plan, planOf, type PlanLimits } from "./pricing.ts";
import { activeSubscription, SUBSCRIPTION_PREFIX, subscriptionFrom } from "./subscription.ts";

/** What the deployment says about limits. */
export interface PlanRules {
  /** Whose use is counted and never refused. */
  readonly isSuperuser: (email: string) => boolean;
  /** The page on which plans are bought. */
  readonly upgradeUrl: string;
}

/** What an account may use, and what it has used this month. */
export interface AccountPlan {
  readonly tier: Plan["key"];
  /** By the plan; null means that there is no limit. Superusers have none. */
  readonly limits: Readonly<Record<keyof PlanLimits, number | null>>;
  readonly messagesUsed: number;
  readonly kbPagesUsed: number;
  /** The month that messages are counted in: its first moment by UTC, and that of the next one; milliseconds since the epoch. */
  readonly beganAt: number;
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
    beganAt: monthAfter(nowMs, 0),
    resetsAt: monthAfter(nowMs, 1),
  };
}

/** What is refused, and what would help. */
interface Refusal {
  readonly message: string;
  readonly tier: string;
  readonly upgradeUrl: string;
  readonly current: number;
  readonly rateLimit: RateLimit;
  /** When waiting helps; milliseconds since the epoch. */
  readonly resetsAt?: number;
}

/** The answer to a request that would exceed a plan. */
function limitExceeded({ message, tier, upgradeUrl, current, rateLimit, resetsAt }: Refusal): AppError {
  return new AppError("limit-exceeded", message, {
    extensions: {
      limit: rateLimit.quota,
      current,
      tier,
      resets_at: resetsAt === undefined ? null : new Date(resetsAt).toISOString(),
      upgrade_url: upgradeUrl,
    },
    retryAfter: rateLimit.window?.resetSeconds ?? RETRY_DAILY_SECONDS,
    rateLimit,
  });
}

type Upgrade = Pick<PlanRules, "upgradeUrl">;

/** How many messages are left, behind `used` of them, for headers; nothing where there is no limit. */
export function messagesLeft(plan: AccountPlan, used: number, nowMs: number): RateLimit | undefined {
  const { beganAt, resetsAt, limits } = plan;
  const quota = limits.messages_per_month;
  if (quota === null) return undefined;

  const resetSeconds = Math.max(1, Math.ceil((resetsAt - nowMs) / 1000));
  const window = { seconds: (resetsAt - beganAt) / 1000, resetSeconds };
  return { policy: "messages", quota, remaining: Math.max(0, quota - used), window };
}

/** Throws a 429 for a message beyond the month's, when so many are used. */
export function requireMessage(
  plan: AccountPlan,
  used: number,
  { upgradeUrl }: Upgrade,
  nowMs: number,
): void {
  const rateLimit = messagesLeft(plan, used, nowMs);
  if (!rateLimit || used < rateLimit.quota) return;
  throw limitExceeded({
    message: `Monthly message limit reached (${rateLimit.quota}). Upgrade for more.`,
    tier: plan.tier,
    upgradeUrl,
    current: used,
    rateLimit,
    resetsAt: plan.resetsAt,
  });
}

/** Throws a 429 for another agent, where there are so many. */
export const requireAgent = (plan: AccountPlan, current: number, upgrade: Upgrade): void =>
  requireRoom(plan, { policy: "agents", name: "Agent" }, current, upgrade);

/** Throws a 429 for another memory block that is not one of the default ones, where there are so many. */
export const requireBlock = (plan: AccountPlan, current: number, upgrade: Upgrade): void =>
  requireRoom(plan, { policy: "memory_blocks", name: "Memory block" }, current, upgrade);

function requireRoom(
  { tier, limits }: AccountPlan,
  { policy, name }: { readonly policy: "agents" | "memory_blocks"; readonly name: string },
  current: number,
  { upgradeUrl }: Upgrade,
): void {
  const quota = limits[policy];
  if (quota === null || current < quota) return;
  throw limitExceeded({
    message: `${name} limit reached (${quota}). Upgrade to create more.`,
    tier,
    upgradeUrl,
    current,
    rateLimit: { policy, quota, remaining: 0 },
  });
}

/** The first moment of a month by UTC, so many months behind that of `ms`. */
function monthAfter(ms: number, months: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}
