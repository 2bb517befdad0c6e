import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { monthOf } from "../shared/clock.ts";
import { count, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { cloudflareTurnsKey } from "./cloudflare-turns.ts";
import { failuresKey } from "./failures.ts";
import { type Plan, planOf, type PlanLimits } from "./pricing.ts";
import { runSlotsKey, slotsFrom } from "./run-slots.ts";
import { activeSubscription, SUBSCRIPTION_PREFIX, subscriptionFrom } from "./subscription.ts";

/** The deployment's settings about limits. */
export interface PlanRules {
  /** Accounts whose usage is counted but exempt from limits. */
  readonly isSuperuser: (accountEmail: AccountEmail) => boolean;
  /** The page where plans are bought. */
  readonly upgradeUrl: string;
}

/** Returns the rules of a deployment. `superusers` lists e-mail addresses; `*` means everybody. */
export const rulesOf = ({
  superusers,
  frontendOrigins,
}: {
  readonly superusers: readonly string[];
  readonly frontendOrigins: readonly string[];
}): PlanRules => ({
  isSuperuser: (accountEmail) => superusers.includes("*") || superusers.includes(accountEmail.toLowerCase()),
  upgradeUrl: `${frontendOrigins[0] ?? ""}/pricing`,
});

/** What an account may use, and what it has used in the current month. */
export interface AccountPlan {
  readonly tier: Plan["key"];
  /** The limits of the plan. Null means no limit; superusers have none. */
  readonly limits: Readonly<Record<keyof PlanLimits, number | null>>;
  readonly messagesUsed: number;
  readonly kbPagesUsed: number;
  /** Runs that have not ended. 0 if their number is unlimited, because then they are not counted. */
  readonly openRuns: number;
  /** Runs of this clock hour that ended before they had said anything. 0 for superusers, who are exempt. */
  readonly failures: number;
  /** Turns of this day (UTC) that models of Cloudflare have answered. 0 for superusers, who are exempt. */
  readonly cloudflareTurns: number;
  /** When this was read, in milliseconds since the epoch. */
  readonly readAt: number;
  /**
   * The first moments (UTC) of the month that messages are counted in and of the next, in milliseconds since the epoch.
   */
  readonly beganAt: number;
  readonly resetsAt: number;
}

/**
 * The range of sort keys in a user's partition that decide a plan: subscriptions, open and failed runs, monthly usage.
 */
export const planRange = (nowMs: number) =>
  ({ between: [SUBSCRIPTION_PREFIX, `Usage#${monthOf(nowMs)}`] }) as const;

/** Computes an account's plan at `nowMs` from the items of `planRange`. Ignores other items among them. */
export function accountPlanFrom(items: readonly Item[], nowMs: number, isSuperuser: boolean): AccountPlan {
  const subscriptions = items
    .filter((item) => text(item, "sk").startsWith(SUBSCRIPTION_PREFIX))
    .map(subscriptionFrom);
  const plan = planOf(activeSubscription(subscriptions, nowMs)?.plan ?? "");
  const find = (sk: string): Item | undefined => items.find((item) => item.sk === sk);
  const usage = find(`Usage#${monthOf(nowMs)}`) ?? {};
  const failed = find(failuresKey(accountEmailOf(""), nowMs).sk) ?? {};
  const ofCloudflare = find(cloudflareTurnsKey(accountEmailOf(""), nowMs).sk) ?? {};
  const limit = (name: keyof PlanLimits): number | null =>
    isSuperuser || plan.limits[name] === 0 ? null : plan.limits[name];

  return {
    tier: plan.key,
    limits: {
      agents: limit("agents"),
      messages_per_month: limit("messages_per_month"),
      kb_pages: limit("kb_pages"),
      memory_blocks: limit("memory_blocks"),
      archival_memories: limit("archival_memories"),
      memory_bytes: limit("memory_bytes"),
      concurrent_runs: limit("concurrent_runs"),
      end_user_messages_per_month: limit("end_user_messages_per_month"),
    },
    messagesUsed: count(usage, "messages_used"),
    kbPagesUsed: count(usage, "kb_pages_used"),
    openRuns: slotsFrom(find(runSlotsKey(accountEmailOf("")).sk), nowMs).open.length,
    failures: isSuperuser ? 0 : count(failed, "failures"),
    cloudflareTurns: isSuperuser ? 0 : count(ofCloudflare, "turns"),
    readAt: nowMs,
    beganAt: monthAfter(nowMs, 0),
    resetsAt: monthAfter(nowMs, 1),
  };
}

/**
 * Returns the plan with an agent's own limit of messages per end user and month, if it is lower. Null sets no limit.
 */
export function withAgentLimit(plan: AccountPlan, endUserMessages: number | null): AccountPlan {
  const byPlan = plan.limits.end_user_messages_per_month;
  if (endUserMessages === null || (byPlan !== null && byPlan <= endUserMessages)) return plan;
  return { ...plan, limits: { ...plan.limits, end_user_messages_per_month: endUserMessages } };
}

/** Returns the first moment (UTC) of the month that is `months` after the month of `ms`. */
export function monthAfter(ms: number, months: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}
