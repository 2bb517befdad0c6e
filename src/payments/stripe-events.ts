import type { Stripe } from "stripe";
import { subscriptionIdOf } from "./stripe-objects.ts";

/** What Stripe tells of something that has happened; the object's state may be old by the time it is told. */
export interface PaymentEvent {
  readonly id: string;
  readonly type: string;
  /** The subscription that it is about; the id of an invoice where only that is known; nothing for other events. */
  readonly about: { readonly subscription: string } | { readonly invoice: string } | undefined;
  /** Whose it is, as far as the event says. */
  readonly emailHint: string | undefined;
}

/** The parts of an event that are believed: its kind, and what it is about. */
export function eventFrom(event: Stripe.Event): PaymentEvent {
  const { id, type } = event;
  switch (event.type) {
    case "checkout.session.completed": {
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
    default:
      return { id, type, about: undefined, emailHint: undefined };
  }
}

function aboutSubscription(subscription: string | { readonly id: string } | null | undefined) {
  if (!subscription) return undefined;
  return { subscription: typeof subscription === "string" ? subscription : subscription.id };
}
