import { now, type Obj, randomId } from "./stripe-answers.ts";

/** New objects of the fake of Stripe, with the members that Stripe gives them. */

const DAY = 86_400;

const newItem = (price: Obj): Obj => ({
  id: `si_${randomId()}`,
  object: "subscription_item",
  price,
  current_period_start: now(),
  current_period_end: now() + 30 * DAY,
});

/** A subscription to prices. Its billing is flexible, as Stripe's is by default. */
export const newSubscription = (
  prices: readonly Obj[],
  {
    customer,
    metadata = {},
    status = "active",
    billing_mode = "flexible",
    currency = "usd",
    trial_end = null,
  }: Obj,
): Obj => ({
  id: `sub_${randomId()}`,
  object: "subscription",
  customer,
  status,
  metadata,
  currency,
  created: now(),
  billing_mode: { type: billing_mode },
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  trial_end,
  latest_invoice: null,
  pending_update: null,
  schedule: null,
  pause_collection: null,
  items: { object: "list", data: prices.map(newItem), has_more: false },
});

/** A paid invoice of a subscription. */
export function newInvoice(subscription: Obj): Obj {
  const id = `in_${randomId()}`;
  return {
    id,
    object: "invoice",
    status: "paid",
    customer: subscription["customer"],
    hosted_invoice_url: `https://invoice.example.com/${id}`,
    parent: {
      type: "subscription_details",
      subscription_details: { subscription: subscription["id"], metadata: {} },
    },
    lines: { object: "list", data: [] },
  };
}

/** An open page of a checkout. */
export function newSession(input: Obj): Obj {
  const id = `cs_test_${randomId()}`;
  return {
    id,
    object: "checkout.session",
    status: "open",
    payment_status: "unpaid",
    mode: "subscription",
    url: `https://checkout.example.com/${id}`,
    customer: input["customer"] ?? null,
    customer_email: input["customer_email"] ?? null,
    customer_details: null,
    subscription: null,
    metadata: input["metadata"] ?? {},
    // Not Stripe's: what the session was opened with.
    opened: { price: input["line_items"][0].price, metadata: input["subscription_data"]?.metadata ?? {} },
  };
}

/** An active price. */
export const newPrice = ({
  id,
  product,
  lookup_key = null,
  metadata = {},
  unit_amount = 2_900,
  interval = "month",
}: Obj): Obj => ({
  id,
  object: "price",
  active: true,
  lookup_key,
  metadata,
  unit_amount,
  currency: "usd",
  recurring: { interval },
  product,
});
