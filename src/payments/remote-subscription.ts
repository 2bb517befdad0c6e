import type { AccountEmail } from "../shared/id-types.ts";
import { findPlan, soldBy } from "../plans/pricing.ts";
import type { Subscription } from "../plans/subscription.ts";

/** A subscription in its state at Stripe, in this service's terms. */
export interface RemoteSubscription {
  readonly id: string;
  /** The item that sells the plan. Other items, such as add-ons, are left alone. */
  readonly itemId: string;
  readonly customerId: string;
  /**
   * The account that this service created the customer for, while signed in. `undefined` for customers that Stripe
   * created at a checkout without a sign-in. Only the merchant can write it.
   */
  readonly customerAccount: string | undefined;
  /**
   * The owner's e-mail address: the customer's account, else what this service wrote into the subscription's metadata,
   * else the customer's e-mail address. `undefined` if all are missing.
   */
  readonly email: string | undefined;
  /** Whether this service wrote `email`. Otherwise customers can change it on Stripe's pages. */
  readonly isAssigned: boolean;
  readonly status: string;
  readonly price: {
    readonly id: string;
    readonly lookupKey: string | null;
    /** `plan_key` in the metadata of the price, else of its product. */
    readonly planKey: string | undefined;
    readonly interval: string | undefined;
    readonly amount: number | null;
    readonly currency: string;
  };
  /** In seconds since the epoch. */
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
  /** Whether it is set to end, in whichever of Stripe's two ways. */
  readonly cancelAtPeriodEnd: boolean;
  /** Whether it is set to end with its period, rather than at a date. */
  readonly endsWithPeriod: boolean;
  /** When it ends, if Stripe says so, in seconds since the epoch. */
  readonly cancelAt: number | null;
  readonly canceledAt: number | null;
  readonly trialEnd: number | null;
  readonly latestInvoiceId: string | null;
  /** The schedule of future changes that manages it, if any. */
  readonly scheduleId: string | null;
}

/** Returns the plan that a price sells, or `undefined` if this deployment does not know the price. */
export function planSold({ lookupKey, planKey }: RemoteSubscription["price"]): string | undefined {
  const sold = lookupKey === null ? undefined : soldBy(lookupKey)?.plan;
  return sold ?? (planKey === undefined ? undefined : findPlan(planKey)?.key);
}

/** Returns whether a subscription is paid for, or still may be. An account must not have two of these. */
export const isRunning = ({ status }: Pick<RemoteSubscription, "status">): boolean =>
  ["active", "trialing", "past_due"].includes(status);

/** Returns whether a subscription has ended for good. */
export const hasEnded = ({ status }: Pick<RemoteSubscription, "status">): boolean =>
  status === "canceled" || status === "incomplete_expired";

/** The account that a subscription belongs to, and whether the account may change it; see `Subscription`. */
export interface Owner {
  readonly accountEmail: AccountEmail;
  readonly isClaimed: boolean;
}

/**
 * Converts a subscription to what is stored of it. `before` is what was stored so far: if the price is unknown, its
 * plan is kept, because somebody pays for it.
 */
export function toSubscription(
  remote: RemoteSubscription,
  { accountEmail, isClaimed }: Owner,
  before: Subscription | undefined,
  timestamp: string,
): Subscription {
  const { price } = remote;
  return {
    id: remote.id,
    accountEmail,
    customerId: remote.customerId,
    isClaimed,
    status: remote.status,
    plan: planSold(price) ?? before?.plan ?? "free",
    priceId: price.id,
    cycle: cycleOf(remote) ?? before?.cycle ?? "monthly",
    periodStart: remote.periodStart ?? before?.periodStart ?? null,
    periodEnd: remote.periodEnd ?? before?.periodEnd ?? null,
    cancelAtPeriodEnd: remote.cancelAtPeriodEnd,
    cancelAt: remote.cancelAt,
    canceledAt: remote.canceledAt,
    trialEnd: remote.trialEnd,
    currency: price.currency,
    amount: price.amount,
    latestInvoiceId: remote.latestInvoiceId,
    createdAt: before?.createdAt ?? timestamp,
    updatedAt: timestamp,
    syncVersion: (before?.syncVersion ?? 0) + 1,
  };
}

function cycleOf({ price }: RemoteSubscription): string | undefined {
  const sold = price.lookupKey === null ? undefined : soldBy(price.lookupKey)?.cycle;
  if (sold) return sold;
  if (price.interval === "year") return "annual";
  return price.interval === "month" ? "monthly" : undefined;
}
