import type { Stripe } from "stripe";
import { rankOf } from "../plans/pricing.ts";
import { planSold, type RemoteSubscription } from "./remote-subscription.ts";

/**
 * Readers of Stripe's objects. Their shape depends on the API version, and events arrive in the version that the
 * webhook was created with, so these readers know old and new places of members.
 */

/** Members that older versions of the API used. */
interface OldSubscription {
  readonly current_period_start?: number | null;
  readonly current_period_end?: number | null;
}

interface OldInvoice {
  readonly subscription?: string | { readonly id: string } | null;
}

/** Converts a Stripe subscription, whose customer must be expanded. */
export function fromStripe(subscription: Stripe.Subscription): RemoteSubscription {
  const item = planItemOf(subscription.items.data);
  const { customer, metadata } = subscription;
  // The newest version has moved these members to the items.
  const old = subscription as OldSubscription;

  return {
    id: subscription.id,
    itemId: item?.id ?? "",
    customerId: typeof customer === "string" ? customer : customer.id,
    customerAccount: accountOfCustomer(customer),
    email: accountOfCustomer(customer) || metadata["user_email"] || emailOf(customer),
    isAssigned: Boolean(metadata["user_email"] || accountOfCustomer(customer)),
    status: subscription.status,
    price: priceFrom(item?.price, subscription.currency),
    periodStart: item?.current_period_start ?? old.current_period_start ?? null,
    periodEnd: item?.current_period_end ?? old.current_period_end ?? null,
    // Under flexible billing, a cancellation in the portal sets `cancel_at` only. Old versions of the API lack it.
    cancelAtPeriodEnd: subscription.cancel_at_period_end || Boolean(subscription.cancel_at),
    endsWithPeriod: subscription.cancel_at_period_end,
    cancelAt: subscription.cancel_at ?? null,
    canceledAt: subscription.canceled_at,
    trialEnd: subscription.trial_end,
    latestInvoiceId: idOf(subscription.latest_invoice),
    scheduleId: idOf(subscription.schedule),
  };
}

/** Converts a Stripe price, whose product may be expanded. `currency` is that of the subscription. */
export const priceFrom = (
  price: Stripe.Price | undefined,
  currency = price?.currency ?? "",
): RemoteSubscription["price"] => ({
  id: price?.id ?? "",
  lookupKey: price?.lookup_key ?? null,
  planKey: price?.metadata["plan_key"] ?? planOfProduct(price?.product),
  interval: price?.recurring?.interval,
  amount: price?.unit_amount ?? null,
  currency,
});

/**
 * Returns the item of a subscription that sells the best plan, or the first item if none sells a plan. The others are
 * add-ons.
 */
function planItemOf(items: readonly Stripe.SubscriptionItem[]): Stripe.SubscriptionItem | undefined {
  const rank = ({ price }: Stripe.SubscriptionItem): number => {
    const plan = planSold(priceFrom(price));
    return plan === undefined ? -1 : rankOf(plan);
  };
  return items.toSorted((a, b) => rank(b) - rank(a))[0];
}

/** Returns the id of the subscription that an invoice is for, or `undefined` if it is for none. */
export function subscriptionIdOf(invoice: Stripe.Invoice): string | undefined {
  // Older versions of the API have this member.
  const { subscription } = invoice as OldInvoice;
  const details =
    invoice.parent?.type === "subscription_details" ? invoice.parent.subscription_details : null;
  return idOf(subscription) ?? idOf(details?.subscription) ?? undefined;
}

const emailOf = (customer: Stripe.Subscription["customer"]): string | undefined =>
  typeof customer === "string" || customer.deleted ? undefined : (customer.email ?? undefined);

const accountOfCustomer = (customer: Stripe.Subscription["customer"]): string | undefined =>
  typeof customer === "string" || customer.deleted ? undefined : customer.metadata["user_email"] || undefined;

function planOfProduct(product: Stripe.Price["product"] | undefined): string | undefined {
  if (typeof product !== "object" || product.deleted) return undefined;
  return product.metadata["plan_key"];
}

const idOf = (reference: string | { readonly id?: string } | null | undefined): string | null =>
  (typeof reference === "string" ? reference : reference?.id) ?? null;
