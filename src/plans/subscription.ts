import { DAY_MS } from "../shared/clock.ts";
import { count, flag, optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** What a person has bought, as Stripe said when it was last asked. */
export interface Subscription {
  readonly id: string;
  readonly email: string;
  readonly customerId: string | null;
  /** Stripe's word: `active`, `trialing`, `past_due`, `canceled`, `unpaid`, `incomplete`, `incomplete_expired`, `paused`. */
  readonly status: string;
  readonly plan: string;
  readonly priceId: string | null;
  readonly cycle: string;
  /** Seconds since the epoch; null where Stripe did not say. */
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly canceledAt: number | null;
  readonly trialEnd: number | null;
  readonly currency: string | null;
  /** In the currency's hundredths. */
  readonly amount: number | null;
  readonly latestInvoiceId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Raised by every write, which makes sure that an older answer of Stripe's never overwrites a newer one. */
  readonly syncVersion: number;
}

export const SUBSCRIPTION_PREFIX = "Subscription#";

/** Payments that fail are tried again for days; nobody is locked out over a card that expired overnight. */
const GRACE_MS = 3 * DAY_MS;

const LIVE_STATUSES: readonly string[] = ["active", "trialing", "past_due"];

export const subscriptionKey = (email: string, id: string): Key => ({
  pk: userPartition(email),
  sk: `${SUBSCRIPTION_PREFIX}${id}`,
});

export const subscriptionItem = (subscription: Subscription): Item => ({
  ...subscriptionKey(subscription.email, subscription.id),
  subscription_id: subscription.id,
  user_email: subscription.email,
  customer_id: subscription.customerId,
  status: subscription.status,
  plan_name: subscription.plan,
  price_id: subscription.priceId,
  billing_cycle: subscription.cycle,
  // The service before stores, and its pages expect, seconds as texts.
  current_period_start: secondsText(subscription.periodStart),
  current_period_end: secondsText(subscription.periodEnd),
  cancel_at_period_end: subscription.cancelAtPeriodEnd,
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
  email: text(item, "user_email"),
  customerId: optionalText(item, "customer_id"),
  status: text(item, "status"),
  plan: text(item, "plan_name", "free"),
  priceId: optionalText(item, "price_id"),
  cycle: text(item, "billing_cycle", "monthly"),
  periodStart: seconds(item, "current_period_start"),
  periodEnd: seconds(item, "current_period_end"),
  cancelAtPeriodEnd: flag(item, "cancel_at_period_end"),
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
 * The subscription that decides a person's plan at `nowMs`: of those that are paid for (or were until three days ago),
 * the one that changed last. One for something that is no plan decides only where there is no other.
 */
export function activeSubscription(
  subscriptions: readonly Subscription[],
  nowMs: number,
): Subscription | undefined {
  return subscriptions
    .filter((subscription) => isActive(subscription, nowMs))
    .toSorted(
      (a, b) =>
        Number(isNoPlan(a)) - Number(isNoPlan(b)) || compare(b.updatedAt, a.updatedAt) || compare(b.id, a.id),
    )[0];
}

/** Whether its price was never known. */
const isNoPlan = ({ plan }: Subscription): boolean => plan === "free";

/** Whether it gives its plan at `nowMs`. One whose end is unknown does. */
const isActive = ({ status, periodEnd }: Subscription, nowMs: number): boolean =>
  LIVE_STATUSES.includes(status) && (periodEnd === null || nowMs < periodEnd * 1000 + GRACE_MS);

/** Whether two states of a subscription say the same, whenever they were written. */
export const saysTheSame = (a: Subscription, b: Subscription): boolean => tellingPart(a) === tellingPart(b);

const tellingPart = ({ updatedAt: _when, createdAt: _began, syncVersion: _version, ...rest }: Subscription) =>
  JSON.stringify(Object.entries(rest).toSorted(([a], [b]) => compare(a, b)));

/** Seconds since the epoch, however they were written: digits, or a date. */
function seconds(item: Item, name: string): number | null {
  const digits = optionalCount(item, name);
  if (digits !== undefined) return digits;

  const ms = Date.parse(text(item, name));
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

const secondsText = (value: number | null): string | null => (value === null ? null : String(value));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
