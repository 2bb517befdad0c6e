import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { DAY_MS } from "../shared/clock.ts";
import { count, flag, optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { rankOf } from "./pricing.ts";

/** A subscription, as Stripe returned it when it was last fetched. */
export interface Subscription {
  readonly id: string;
  readonly accountEmail: AccountEmail;
  readonly customerId: string | null;
  /**
   * Whether the account may change it: this service created its customer for the account, or the account has claimed
   * it. Everything else was bought without a sign-in, by someone who typed in the address. Null in items from before
   * this was recorded.
   */
  readonly isClaimed: boolean | null;
  /**
   * Stripe's status: `active`, `trialing`, `past_due`, `canceled`, `unpaid`, `incomplete`, `incomplete_expired`,
   * `paused`.
   */
  readonly status: string;
  readonly plan: string;
  readonly priceId: string | null;
  readonly cycle: string;
  /** In seconds since the epoch; null if Stripe did not say. */
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
  /** Whether it is set to end, with its period or at `cancelAt`. */
  readonly cancelAtPeriodEnd: boolean;
  /** When it is set to end, in seconds since the epoch; null if it is not, or ends with its period. */
  readonly cancelAt: number | null;
  readonly canceledAt: number | null;
  readonly trialEnd: number | null;
  readonly currency: string | null;
  /** In hundredths of the currency. */
  readonly amount: number | null;
  readonly latestInvoiceId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Raised by every write, so that an older answer of Stripe never overwrites a newer one. */
  readonly syncVersion: number;
}

/** The subscriptions of an account in short. */
export interface SubscriptionState {
  /** The subscription that decides the plan; `undefined` on the free plan. */
  readonly current: Subscription | undefined;
  /** Whether a live plan was bought for the account's address without a sign-in and has not been claimed. */
  readonly hasUnclaimed: boolean;
}

export const SUBSCRIPTION_PREFIX = "Subscription#";

/** Stripe retries failed payments for days. An expired card must not end a plan overnight. */
const GRACE_MS = 3 * DAY_MS;

const LIVE_STATUSES: readonly string[] = ["active", "trialing", "past_due"];

export const subscriptionKey = (accountEmail: AccountEmail, id: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${SUBSCRIPTION_PREFIX}${id}`,
});

export const subscriptionItem = (subscription: Subscription): Item => ({
  ...subscriptionKey(subscription.accountEmail, subscription.id),
  subscription_id: subscription.id,
  user_email: subscription.accountEmail,
  customer_id: subscription.customerId,
  claimed: subscription.isClaimed,
  status: subscription.status,
  plan_name: subscription.plan,
  price_id: subscription.priceId,
  billing_cycle: subscription.cycle,
  // The legacy Python service stores seconds as text, and its pages expect that.
  current_period_start: secondsText(subscription.periodStart),
  current_period_end: secondsText(subscription.periodEnd),
  cancel_at_period_end: subscription.cancelAtPeriodEnd,
  cancel_at: secondsText(subscription.cancelAt),
  canceled_at: secondsText(subscription.canceledAt),
  trial_end: secondsText(subscription.trialEnd),
  currency: subscription.currency,
  amount: subscription.amount,
  latest_invoice_id: subscription.latestInvoiceId,
  created_at: subscription.createdAt,
  updated_at: subscription.updatedAt,
  sync_version: subscription.syncVersion,
});

export const subscriptionFrom = (item: Item): Subscription => ({
  id: text(item, "subscription_id") || text(item, "sk").slice(SUBSCRIPTION_PREFIX.length),
  accountEmail: accountEmailOf(text(item, "user_email")),
  customerId: optionalText(item, "customer_id"),
  isClaimed: typeof item["claimed"] === "boolean" ? item["claimed"] : null,
  status: text(item, "status"),
  plan: text(item, "plan_name", "free"),
  priceId: optionalText(item, "price_id"),
  cycle: text(item, "billing_cycle", "monthly"),
  periodStart: seconds(item, "current_period_start"),
  periodEnd: seconds(item, "current_period_end"),
  cancelAtPeriodEnd: flag(item, "cancel_at_period_end"),
  cancelAt: seconds(item, "cancel_at"),
  canceledAt: seconds(item, "canceled_at"),
  trialEnd: seconds(item, "trial_end"),
  currency: optionalText(item, "currency"),
  amount: optionalCount(item, "amount") ?? null,
  latestInvoiceId: optionalText(item, "latest_invoice_id"),
  createdAt: text(item, "created_at"),
  updatedAt: text(item, "updated_at") || text(item, "created_at"),
  syncVersion: count(item, "sync_version"),
});

/**
 * Returns the subscription that decides an account's plan at `nowMs`: the best that is live, `undefined` if none is. A
 * purchase by others for the account's address decides only if the account has no subscription of its own.
 */
export const activeSubscription = (
  subscriptions: readonly Subscription[],
  nowMs: number,
): Subscription | undefined => liveSubscriptions(subscriptions, nowMs)[0];

/**
 * Returns the subscriptions that grant a plan at `nowMs`, the deciding one first. The order does not depend on when
 * events arrived or which subscription was stored first.
 */
export const liveSubscriptions = (
  subscriptions: readonly Subscription[],
  nowMs: number,
): readonly Subscription[] =>
  subscriptions
    .filter((subscription) => isLive(subscription, nowMs))
    .toSorted(
      (a, b) =>
        Number(isNoPlan(a)) - Number(isNoPlan(b)) ||
        Number(b.isClaimed === true) - Number(a.isClaimed === true) ||
        rankOf(b.plan) - rankOf(a.plan) ||
        endOf(b) - endOf(a) ||
        compare(a.id, b.id),
    );

/** Whether its price sells no paid plan. Such a subscription decides only if there is no other. */
const isNoPlan = ({ plan }: Subscription): boolean => rankOf(plan) === 0;

/** Returns whether the subscription grants its plan at `nowMs`. It does if the end of its period is unknown. */
export const isLive = ({ status, periodEnd }: Subscription, nowMs: number): boolean =>
  LIVE_STATUSES.includes(status) && (periodEnd === null || nowMs < periodEnd * 1000 + GRACE_MS);

/** In seconds since the epoch; an unknown end sorts last. */
const endOf = ({ periodEnd }: Subscription): number => periodEnd ?? Number.MAX_SAFE_INTEGER;

/** Returns whether two states of a subscription are equal apart from times and version of their writes. */
export const isSameState = (a: Subscription, b: Subscription): boolean =>
  comparablePart(a) === comparablePart(b);

const comparablePart = ({
  updatedAt: _when,
  createdAt: _began,
  syncVersion: _version,
  ...rest
}: Subscription) => JSON.stringify(Object.entries(rest).toSorted(([a], [b]) => compare(a, b)));

/** Reads seconds since the epoch from a number, digits or a date. */
function seconds(item: Item, name: string): number | null {
  const digits = optionalCount(item, name);
  if (digits !== undefined) return digits;

  const ms = Date.parse(text(item, name));
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

const secondsText = (value: number | null): string | null => (value === null ? null : String(value));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
