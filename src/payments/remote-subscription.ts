import { findPlan, soldBy } from "../plans/pricing.ts";
import type { Subscription } from "../plans/subscription.ts";

/** A subscription as Stripe has it, in the words of this service. */
export interface RemoteSubscription {
  readonly id: string;
  readonly itemId: string;
  readonly customerId: string;
  /** Whose it is: what this service wrote beside it, else the customer's e-mail; nothing where neither says. */
  readonly email: string | undefined;
  /** Whether this service wrote that; customers may change their e-mail on Stripe's pages. */
  readonly isAssigned: boolean;
  readonly status: string;
  readonly price: {
    readonly id: string;
    readonly lookupKey: string | null;
    /** `plan_key` of the price's metadata, else of its product's. */
    readonly planKey: string | undefined;
    readonly interval: string | undefined;
    readonly amount: number | null;
    readonly currency: string;
  };
  /** Seconds since the epoch. */
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly canceledAt: number | null;
  readonly trialEnd: number | null;
  readonly latestInvoiceId: string | null;
}

/** The plan that a price sells; nothing where this deployment knows no such price. */
export function planSold({ lookupKey, planKey }: RemoteSubscription["price"]): string | undefined {
  const sold = lookupKey === null ? undefined : soldBy(lookupKey)?.plan;
  return sold ?? (planKey === undefined ? undefined : findPlan(planKey)?.key);
}

/** Whether it is paid for, or may still be: there must not be a second one. */
export const isRunning = ({ status }: Pick<RemoteSubscription, "status">): boolean =>
  ["active", "trialing", "past_due"].includes(status);

/** Whether it has ended for good. */
export const hasEnded = ({ status }: Pick<RemoteSubscription, "status">): boolean =>
  status === "canceled" || status === "incomplete_expired";

/**
 * What is stored of a subscription. `before` is what was stored; a price that nobody knows keeps its plan, because
 * somebody pays for it.
 */
export function toSubscription(
  remote: RemoteSubscription,
  email: string,
  before: Subscription | undefined,
  timestamp: string,
): Subscription {
  const { price } = remote;
  return {
    id: remote.id,
    email,
    customerId: remote.customerId,
    status: remote.status,
    plan: planSold(price) ?? before?.plan ?? "free",
    priceId: price.id,
    cycle: cycleOf(remote) ?? before?.cycle ?? "monthly",
    periodStart: remote.periodStart ?? before?.periodStart ?? null,
    periodEnd: remote.periodEnd ?? before?.periodEnd ?? null,
    cancelAtPeriodEnd: remote.cancelAtPeriodEnd,
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
