import type { Stripe } from "stripe";
import type { RemoteSubscription } from "./remote-subscription.ts";

/**
 * Stripe's objects change shape from version to version, and an account's events come in the version that its webhook
 * was made with: these readers know the old places of things beside the new ones.
 */

/** Places that older versions of the API used. */
interface OldSubscription {
  readonly current_period_start?: number | null;
  readonly current_period_end?: number | null;
}

interface OldInvoice {
  readonly subscription?: string | { readonly id: string } | null;
}

/** A subscription, with its customer expanded, in our words. */
export function fromStripe(subscription: Stripe.Subscription): RemoteSubscription {
  const item = subscription.items.data[0];
  const price = item?.price;
  const { customer, metadata } = subscription;
  // Members that the newest version has moved to the items.
  const old = subscription as OldSubscription;

  return {
    id: subscription.id,
    itemId: item?.id ?? "",
    customerId: typeof customer === "string" ? customer : customer.id,
    email: metadata["user_email"] || emailOf(customer),
    isAssigned: Boolean(metadata["user_email"] || accountOfCustomer(customer)),
    status: subscription.status,
    price: {
      id: price?.id ?? "",
      lookupKey: price?.lookup_key ?? null,
      planKey: price?.metadata["plan_key"] ?? planOfProduct(price?.product),
      interval: price?.recurring?.interval,
      amount: price?.unit_amount ?? null,
      currency: subscription.currency,
    },
    periodStart: item?.current_period_start ?? old.current_period_start ?? null,
    periodEnd: item?.current_period_end ?? old.current_period_end ?? null,
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    canceledAt: subscription.canceled_at,
    trialEnd: subscription.trial_end,
    latestInvoiceId: idOf(subscription.latest_invoice),
  };
}

/** The subscription that an invoice is for, in the place where its version of the API keeps it. */
export function subscriptionIdOf(invoice: Stripe.Invoice): string | undefined {
  // A member of older versions.
  const { subscription } = invoice as OldInvoice;
  const details =
    invoice.parent?.type === "subscription_details" ? invoice.parent.subscription_details : null;
  return idOf(subscription) ?? idOf(details?.subscription) ?? undefined;
}

function emailOf(customer: Stripe.Subscription["customer"]): string | undefined {
  if (typeof customer === "string" || customer.deleted) return undefined;
  return customer.metadata["user_email"] || (customer.email ?? undefined);
}

const accountOfCustomer = (customer: Stripe.Subscription["customer"]): string | undefined =>
  typeof customer === "string" || customer.deleted ? undefined : customer.metadata["user_email"];

function planOfProduct(product: Stripe.Price["product"] | undefined): string | undefined {
  if (typeof product !== "object" || product.deleted) return undefined;
  return product.metadata["plan_key"];
}

const idOf = (reference: string | { readonly id?: string } | null | undefined): string | null =>
  (typeof reference === "string" ? reference : reference?.id) ?? null;
