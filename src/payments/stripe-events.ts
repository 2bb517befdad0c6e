import type { Stripe } from "stripe";
import { subscriptionIdOf } from "./stripe-objects.ts";

/** An event from Stripe. The state of the object that it contains may be outdated, and is not used. */
export interface PaymentEvent {
  readonly id: string;
  readonly type: string;
  /** The id of the subscription, or of the invoice if the event names only that. `undefined` for other events. */
  readonly about: { readonly subscription: string } | { readonly invoice: string } | undefined;
  /** The account that the event names, if any. Saves a request if it is right. */
  readonly emailHint: string | undefined;
  /** What the operator must decide, because the service does not. */
  readonly alert?: string;
}

/** Returns the parts of an event that are used: its type, and what it is about. */
export function eventFrom(event: Stripe.Event): PaymentEvent {
  const { id, type } = event;
  switch (event.type) {
    case "checkout.session.completed":
    // Payments that take days, such as direct debits, end later than the checkout.
    case "checkout.session.async_payment_succeeded":
    case "checkout.session.async_payment_failed": {
      const { subscription, metadata } = event.data.object;
      return { id, type, about: aboutSubscription(subscription), emailHint: metadata?.["user_email"] };
    }
    case "customer.subscription.created":
    case "customer.subscription.updated":
    case "customer.subscription.deleted":
    case "customer.subscription.paused":
    case "customer.subscription.resumed": {
      const { id: subscription, metadata } = event.data.object;
      return { id, type, about: { subscription }, emailHint: metadata["user_email"] };
    }
    case "invoice.paid":
    case "invoice.payment_succeeded":
    case "invoice.payment_failed":
      return {
        id,
        type,
        about: aboutSubscription(subscriptionIdOf(event.data.object)),
        emailHint: undefined,
      };
    case "invoice_payment.paid": {
      const { invoice } = event.data.object;
      return {
        id,
        type,
        about: { invoice: typeof invoice === "string" ? invoice : invoice.id },
        emailHint: undefined,
      };
    }
    case "charge.dispute.created":
      return {
        id,
        type,
        about: undefined,
        emailHint: undefined,
        alert: "A customer disputes a payment. The subscription was not changed.",
      };
    default:
      return { id, type, about: undefined, emailHint: undefined };
  }
}

function aboutSubscription(subscription: string | { readonly id: string } | null | undefined) {
  if (!subscription) return undefined;
  return { subscription: typeof subscription === "string" ? subscription : subscription.id };
}
