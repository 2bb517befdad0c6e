import { type Client, table } from "./app.ts";
import { deliver, deliverAll, stripeSide } from "./stripe.ts";

/** Orders of the two plans that are sold. */
export const STARTER = { planKey: "starter", billingCycle: "monthly" };
export const PRO = { planKey: "pro", billingCycle: "monthly" };

const stripe = stripeSide();

/** Asks the service for a checkout, or for an upgrade. */
export const order = (client: Client, what: object) => client("POST", "/payments/stripe/checkout", what);

/** Pays an order on Stripe's page, and delivers the events. `outcome` has members of the new subscription and its checkout. */
export async function buy(client: Client, what: object, outcome?: object) {
  const { body } = await order(client, what);
  const subscription = await stripe.pay(body.url, undefined, outcome);
  await deliverAll(subscription.id);
  return subscription;
}

/** Adds a subscription to the account's own customer at Stripe, and delivers the events. */
export async function subscribe(client: Client, what: object) {
  const customer = await customerOf(client);
  const subscription = await stripe.act("subscribe", { customer, ...what });
  await deliverAll(subscription.id);
  return subscription;
}

/** Changes a subscription at Stripe, and delivers the event. */
export async function change(id: string, set: object, event?: string) {
  await stripe.act("change", { id, set, event });
  await deliver((await stripe.events(id)).at(-1) ?? {});
}

export const customerOf = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "User#Metadata" }))?.["stripe_customer_id"];

/** The service's answer about the account's subscription. */
export const statusOf = async (client: Client) =>
  (await client("GET", "/payments/stripe/subscription/status")).body;

/** A customer's subscriptions at Stripe, oldest first. */
// oxlint-disable-next-line typescript/no-explicit-any -- objects as Stripe writes them
export const atStripe = (customer: unknown) => stripe.act<any[]>("subscriptions", { customer });
