import { DAY_MS, HOUR_MS } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import type { AccountPlan, PlanRules } from "./account-plan.ts";
import { MAX_END_USER_CONVERSATIONS } from "./end-user-usage.ts";
import { MAX_END_USER_FAILURES_PER_HOUR, MAX_FAILURES_PER_HOUR } from "./failures.ts";
import type { PlanLimits } from "./pricing.ts";

/** For too many concurrent runs: most answers take seconds. */
const RETRY_RUNS_SECONDS = 5;

type LimitName = keyof PlanLimits;

interface LimitWords {
  /** The policy name in the `RateLimit` header. */
  readonly policy: string;
  readonly message: (quota: number, remaining: number) => string;
  readonly isMonthly?: boolean;
  /** Set if callers may ask for several at once, so that the answer tells how many remain. */
  readonly tellsRemaining?: boolean;
  /** Set if waiting helps although the limit is not per period. */
  readonly retrySeconds?: number;
}

const WORDS: Readonly<Record<LimitName, LimitWords>> = {
  agents: {
    policy: "agents",
    message: (quota) => `Agent limit reached (${quota}). Upgrade to create more.`,
  },
  memory_blocks: {
    policy: "memory_blocks",
    message: (quota) => `Memory block limit reached (${quota}). Upgrade to create more.`,
  },
  messages_per_month: {
    policy: "messages",
    message: (quota) => `Monthly message limit reached (${quota}). Upgrade for more.`,
    isMonthly: true,
  },
  kb_pages: {
    policy: "kb_pages",
    message: (_quota, remaining) => `Knowledge base page limit exceeded. ${remaining} pages remaining.`,
    isMonthly: true,
    tellsRemaining: true,
  },
  end_user_messages_per_month: {
    policy: "end_user_messages",
    message: (quota) => `Monthly message limit for one end user reached (${quota}).`,
    isMonthly: true,
  },
  concurrent_runs: {
    policy: "concurrent_runs",
    message: (quota) => `Concurrent answer limit reached (${quota}). Wait until one has ended.`,
    retrySeconds: RETRY_RUNS_SECONDS,
  },
  archival_memories: {
    policy: "archival_memories",
    message: (quota) =>
      `Archival memory limit reached (${quota} memories). Delete some, or upgrade for more.`,
  },
  memory_bytes: {
    policy: "memory_bytes",
    message: (quota) => `Archival memory limit reached (${quota} bytes). Delete some, or upgrade for more.`,
  },
};

type Upgrade = Pick<PlanRules, "upgradeUrl">;

/** Returns the 429 for a request that would exceed a limit of the plan. `current` is what is used already. */
export function limitExceeded(
  plan: AccountPlan,
  name: LimitName,
  current: number,
  upgrade: Upgrade,
): AppError {
  const { policy, message, isMonthly = false, tellsRemaining = false, retrySeconds } = WORDS[name];
  const quota = plan.limits[name] ?? 0;
  const remaining = Math.max(0, quota - current);
  const rateLimit = {
    policy,
    quota,
    remaining,
    ...(isMonthly && { window: monthOfPlan(plan) }),
  };
  return refusal({
    message: message(quota, remaining),
    tier: plan.tier,
    current,
    rateLimit,
    upgrade,
    ...(tellsRemaining && { remaining }),
    ...(isMonthly && { resetsAt: plan.resetsAt }),
    ...(retrySeconds !== undefined && { retrySeconds }),
  });
}

/** Throws `limit-exceeded` if `current` has reached the limit of the plan. */
export function requireBelowLimit(
  plan: AccountPlan,
  name: LimitName,
  current: number,
  upgrade: Upgrade,
): void {
  const quota = plan.limits[name];
  if (quota !== null && current >= quota) throw limitExceeded(plan, name, current, upgrade);
}

/**
 * Throws `limit-exceeded` if too many runs of this clock hour failed before they had said anything. `ofEndUser` is the
 * number of such runs by the end user who sends now.
 */
export function requireFewFailures(plan: AccountPlan, ofEndUser: number, upgrade: Upgrade): void {
  if (ofEndUser >= MAX_END_USER_FAILURES_PER_HOUR)
    throw failuresExceeded(
      plan,
      { policy: "end_user_failures", quota: MAX_END_USER_FAILURES_PER_HOUR },
      ofEndUser,
      upgrade,
    );
  if (plan.failures >= MAX_FAILURES_PER_HOUR)
    throw failuresExceeded(
      plan,
      { policy: "failures", quota: MAX_FAILURES_PER_HOUR },
      plan.failures,
      upgrade,
    );
}

function failuresExceeded(
  { tier, readAt }: AccountPlan,
  { policy, quota }: Pick<RateLimit, "policy" | "quota">,
  current: number,
  upgrade: Upgrade,
): AppError {
  const resetsAt = (Math.floor(readAt / HOUR_MS) + 1) * HOUR_MS;
  const window = { seconds: HOUR_MS / 1000, resetSeconds: secondsUntil(resetsAt, readAt) };
  return refusal({
    message: `Too many answers have failed this hour (${quota}). Check the agent's provider and try again later.`,
    tier,
    current,
    rateLimit: { policy, quota, remaining: 0, window },
    upgrade,
    resetsAt,
  });
}

/** Returns the 429 for a turn that a model of Cloudflare would answer beyond `quota` turns a day. */
export function cloudflareTurnsExceeded(
  { tier, readAt }: AccountPlan,
  quota: number,
  upgrade: Upgrade,
): AppError {
  const resetsAt = (Math.floor(readAt / DAY_MS) + 1) * DAY_MS;
  const window = { seconds: DAY_MS / 1000, resetSeconds: secondsUntil(resetsAt, readAt) };
  return refusal({
    message: `Daily limit of answers by Cloudflare's models reached (${quota}). Choose another provider, or wait until tomorrow.`,
    tier,
    current: quota,
    rateLimit: { policy: "cloudflare_turns", quota, remaining: 0, window },
    upgrade,
    resetsAt,
  });
}

/** Returns the 429 for an end user who has `current` conversations and starts another. */
export function endUserConversationsExceeded(
  { tier }: AccountPlan,
  current: number,
  upgrade: Upgrade,
): AppError {
  const quota = MAX_END_USER_CONVERSATIONS;
  return refusal({
    message: `Conversation limit for one end user reached (${quota}). Delete some to start others.`,
    tier,
    current,
    rateLimit: { policy: "end_user_conversations", quota, remaining: 0 },
    upgrade,
  });
}

/** Returns the rate limit for headers after `used` messages, or `undefined` if messages are unlimited. */
export function messagesLeft(plan: AccountPlan, used: number): RateLimit | undefined {
  const quota = plan.limits.messages_per_month;
  if (quota === null) return undefined;
  const { policy } = WORDS.messages_per_month;
  return { policy, quota, remaining: Math.max(0, quota - used), window: monthOfPlan(plan) };
}

const monthOfPlan = ({ beganAt, resetsAt, readAt }: AccountPlan) => ({
  seconds: (resetsAt - beganAt) / 1000,
  resetSeconds: secondsUntil(resetsAt, readAt),
});

const secondsUntil = (ms: number, nowMs: number): number => Math.max(1, Math.ceil((ms - nowMs) / 1000));

/** The contents of a 429. */
interface Refusal {
  readonly message: string;
  readonly tier: string;
  readonly current: number;
  readonly rateLimit: RateLimit;
  readonly upgrade: Upgrade;
  /** What is left of the limit, if the answer has a member of its own for that. */
  readonly remaining?: number;
  /** When the limit resets, in milliseconds since the epoch; absent if it does not. */
  readonly resetsAt?: number;
  /** Set if retrying after a while may help. */
  readonly retrySeconds?: number;
}

/** Builds the 429 that all limits share. */
function refusal({ message, tier, current, rateLimit, upgrade, remaining, resetsAt, retrySeconds }: Refusal) {
  // Absent for limits that waiting does not reset, only an upgrade or a deletion.
  const retryAfter = retrySeconds ?? rateLimit.window?.resetSeconds;
  return new AppError("limit-exceeded", message, {
    extensions: {
      limit: rateLimit.quota,
      current,
      ...(remaining !== undefined && { remaining }),
      tier,
      resets_at: resetsAt === undefined ? null : new Date(resetsAt).toISOString(),
      upgrade_url: upgrade.upgradeUrl,
    },
    ...(retryAfter !== undefined && { retryAfter }),
    rateLimit,
    ...(retrySeconds !== undefined && { retryable: true }),
  });
}
