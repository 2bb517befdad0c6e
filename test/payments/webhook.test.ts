import { describe, expect, it } from "vitest";
import { anonymous, signUpFree as signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { deliver, SECOND_SECRET, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const stripe = stripeSide();

/** A new subscription at Stripe, and its events. */
async function subscribed(email: string, more: object = {}) {
  const subscription = await stripe.act("subscribe", { email, ...more });
  return { subscription, events: await stripe.events(subscription.id) };
}

const find = <T extends { type: string }>(events: readonly T[], type: string): T => {
  const event = events.find((one) => one.type === type);
  if (!event) throw new Error(`Stripe tells nothing of ${type}.`);
  return event;
};

const markerOf = (id: string) => table.get({ pk: `WebhookEvent#${id}`, sk: `WebhookEvent#${id}` });

describe("an event about a subscription", () => {
  it("stores the current state of the subscription, and that the event was processed", async () => {
    const { email } = await signUp();
    const { subscription, events } = await subscribed(email);
    const created = find(events, "customer.subscription.created");

    const answer = await deliver(created);

    expect(answer).toMatchObject({ status: 200, body: { status: "ok" } });
    const [item] = subscription.items.data;
    expect(await storedSubscriptions(email)).toEqual([
      {
        pk: `User#${email}`,
        sk: `Subscription#${subscription.id}`,
        subscription_id: subscription.id,
        user_email: email,
        customer_id: subscription.customer,
        claimed: false,
        status: "active",
        plan_name: "starter",
        price_id: "price_starter_monthly",
        billing_cycle: "monthly",
        current_period_start: String(item.current_period_start),
        current_period_end: String(item.current_period_end),
        cancel_at_period_end: false,
        cancel_at: null,
        canceled_at: null,
        trial_end: null,
        currency: "usd",
        amount: 2900,
        latest_invoice_id: subscription.latest_invoice,
        created_at: expect.stringMatching(/^\d{4}-.*\+00:00$/u),
        updated_at: expect.stringMatching(/^\d{4}-.*\+00:00$/u),
        sync_version: 1,
      },
    ]);
    expect(await markerOf(created.id)).toEqual({
      pk: `WebhookEvent#${created.id}`,
      sk: `WebhookEvent#${created.id}`,
      event_id: created.id,
      event_type: "customer.subscription.created",
      created_at: expect.any(String),
      ttl: expect.any(Number),
    });
    const user = await table.get({ pk: `User#${email}`, sk: "User#Metadata" });
    expect(user).toMatchObject({ stripe_customer_id: null });
  });

  it("records a customer that was created for the account as the account's own", async () => {
    const { email } = await signUp();
    const { subscription, events } = await subscribed(email, { metadata: { user_email: email } });

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(email)).toMatchObject([{ claimed: true }]);
    const user = await table.get({ pk: `User#${email}`, sk: "User#Metadata" });
    expect(user).toMatchObject({ stripe_customer_id: subscription.customer });
  });

  it("belongs to the account that the address leads to, even if that is in mixed case", async () => {
    const lower = uniqueEmail();
    const account = lower.toUpperCase();
    await table.put({ pk: `User#${account}`, sk: "User#Metadata", email: account, status: "active" });
    const adopt = () => table.put({ pk: `User#${lower}`, sk: "UserAlias", account });

    const asSpelled = await subscribed(account);
    for (const event of asSpelled.events) await deliver(event);
    await adopt();
    const byAlias = await subscribed(lower);
    for (const event of byAlias.events) await deliver(event);

    const ids = [asSpelled, byAlias].map(({ subscription }) => subscription.id as string);
    const stored = (await storedSubscriptions(account)).map((item) => item["subscription_id"]);
    expect(new Set(stored)).toEqual(new Set(ids));
    expect(await storedSubscriptions(lower)).toEqual([]);
  });

  it.each([
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice_payment.paid",
  ])("makes the service fetch the subscription: %s", async (type) => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email);
    const known = events.find((one) => one.type === type);
    const event = known ?? {
      ...find(events, type.startsWith("invoice") ? "invoice.paid" : "customer.subscription.created"),
      id: `evt_${crypto.randomUUID()}`,
      type,
    };

    expect((await deliver(event)).status).toBe(200);

    expect(await storedSubscriptions(email)).toMatchObject([
      { subscription_id: subscription.id, status: "active" },
    ]);
  });

  it("reads invoices of older versions of the API", async () => {
    const email = uniqueEmail();
    const { subscription } = await subscribed(email);
    const object = { object: "invoice", id: "in_old", subscription: subscription.id };

    await deliver({
      id: `evt_${crypto.randomUUID()}`,
      object: "event",
      type: "invoice.paid",
      data: { object },
    });

    expect(await storedSubscriptions(email)).toHaveLength(1);
  });

  it("stores Stripe's current state, not that of the event", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email);
    await stripe.act("change", { id: subscription.id, set: { status: "past_due" } });

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(email)).toMatchObject([{ status: "past_due" }]);
  });

  // Scenario 22.
  it("has one effect, however often and concurrently it arrives", async () => {
    const email = uniqueEmail();
    const { events } = await subscribed(email);
    const created = find(events, "customer.subscription.created");

    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(created)));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await storedSubscriptions(email)).toMatchObject([{ sync_version: 1 }]);
  });

  it("of another account changes nothing of this one's", async () => {
    const [mine, theirs] = [uniqueEmail(), uniqueEmail()];
    const { events } = await subscribed(theirs);

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(mine)).toEqual([]);
    expect(await storedSubscriptions(theirs)).toHaveLength(1);
  });

  it("belongs to the account that was signed in, whatever address was entered at Stripe", async () => {
    const [typed, account] = [uniqueEmail(), uniqueEmail()];
    const { events } = await subscribed(typed, { metadata: { user_email: account } });

    await deliver(find(events, "invoice.paid"));

    expect(await storedSubscriptions(account)).toHaveLength(1);
    expect(await storedSubscriptions(typed)).toEqual([]);
  });
});

describe("the plan of a subscription", () => {
  it.each([
    ["its price's lookup key", "price_pro_annual", "pro", "annual"],
    ["its price's metadata", "price_old_starter", "starter", "monthly"],
    ["its product's metadata", "price_by_product", "pro", "monthly"],
  ])("is that of %s", async (_case, price, plan, cycle) => {
    const email = uniqueEmail();
    const { events } = await subscribed(email, { price });

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(email)).toMatchObject([{ plan_name: plan, billing_cycle: cycle }]);
  });

  it("stays the same if the new price is unknown", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email, { price: "price_pro_monthly" });
    await deliver(find(events, "customer.subscription.created"));

    await stripe.act("change", { id: subscription.id, set: { price: "price_unknown" } });
    await deliver(find(await stripe.events(subscription.id), "customer.subscription.updated"));

    expect(await storedSubscriptions(email)).toMatchObject([{ plan_name: "pro", price_id: "price_unknown" }]);
  });

  it("is the free one if the price was never known", async () => {
    const email = uniqueEmail();
    const { events } = await subscribed(email, { price: "price_unknown" });

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(email)).toMatchObject([{ plan_name: "free", status: "active" }]);
  });
});

describe("a subscription that sells no plan", () => {
  it("replaces no plan, although it is newer", async () => {
    const client = await signUp();
    const metadata = { user_email: client.email };
    for (const price of ["price_pro_monthly", "price_unknown"]) {
      const { events } = await subscribed(client.email, { price, metadata });
      await deliver(find(events, "customer.subscription.created"));
    }

    const { body } = await client("GET", "/payments/stripe/subscription/status");

    expect(body).toMatchObject({ tier: "pro", is_active: true });
  });
});

describe("an event without an effect", () => {
  it.each([
    ["of a kind that is of no interest", { type: "customer.created", data: { object: { id: "cus_1" } } }],
    ["about an invoice for no subscription", { type: "invoice.paid", data: { object: { id: "in_1" } } }],
  ])("is acknowledged: one %s", async (_case, event) => {
    const answer = await deliver({ id: `evt_${crypto.randomUUID()}`, object: "event", ...event });
    expect(answer).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it.each([
    ["without an e-mail", { email: null }],
    ["with an e-mail that would break a key", { email: "a#b@example.com" }],
  ])("is acknowledged and remembered: one about a customer %s", async (_case, customer) => {
    const { events } = await subscribed(uniqueEmail(), customer);
    const created = find(events, "customer.subscription.created");

    expect((await deliver(created)).status).toBe(200);

    expect(await markerOf(created.id)).toMatchObject({ reason: "The subscription has no e-mail address." });
  });

  it("is acknowledged if the customer is deleted, and ends the stored subscription", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email, { metadata: { user_email: email } });
    await deliver(find(events, "customer.subscription.created"));

    await stripe.act("delete-customer", { id: subscription.customer });
    await deliver(find(await stripe.events(subscription.id), "customer.subscription.deleted"));

    expect(await storedSubscriptions(email)).toMatchObject([{ status: "canceled" }]);
  });

  it("stores nothing of a subscription that had ended before its first event", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email);
    await stripe.act("change", { id: subscription.id, set: { status: "canceled" }, event: "deleted" });

    await deliver(find(events, "customer.subscription.created"));

    expect(await storedSubscriptions(email)).toEqual([]);
  });
});

// Scenario 23.
describe("a request that is not Stripe's", () => {
  const now = () => Math.floor(Date.now() / 1000);
  const event = () => ({
    id: `evt_${crypto.randomUUID()}`,
    object: "event",
    type: "customer.created",
    data: {},
  });

  it("is refused without a signature", async () => {
    const answer = await anonymous("POST", "/payments/stripe/webhook", event());
    expect(answer).toMatchObject({ status: 400, body: { detail: "Missing stripe-signature header" } });
  });

  it.each([
    ["another secret", { secret: "whsec_somebody_elses" }],
    ["a time long ago", { at: now() - 301 }],
    ["a time in the future", { at: now() + 320 }],
    ["another body", { body: JSON.stringify({ id: "evt_forged" }) }],
    ["the same body, written differently", { body: JSON.stringify(event(), null, 2) }],
  ])("is refused with the signature of %s", async (_case, delivery) => {
    const email = uniqueEmail();
    const { events } = await subscribed(email);

    const answer = await deliver(find(events, "customer.subscription.created"), delivery);

    expect(answer).toMatchObject({ status: 400, body: { detail: "Invalid signature" } });
    expect(await storedSubscriptions(email)).toEqual([]);
  });

  it("is refused with a malformed signature", async () => {
    for (const signature of [
      "",
      "t=,v1=",
      "t=abc,v1=00",
      "v1=00",
      `t=${now()}`,
      `t=${now()},v1=zz`,
      "x".repeat(5_000),
    ]) {
      const answer = await anonymous("POST", "/payments/stripe/webhook", event(), {
        "stripe-signature": signature,
      });
      expect(answer.status).toBe(400);
    }
  });

  it("is accepted with the second secret, so that a secret can be replaced", async () => {
    const email = uniqueEmail();
    const { events } = await subscribed(email);

    const answer = await deliver(find(events, "customer.subscription.created"), { secret: SECOND_SECRET });

    expect(answer.status).toBe(200);
    expect(await storedSubscriptions(email)).toHaveLength(1);
  });

  it("is refused unread if it is longer than any event", async () => {
    const answer = await deliver({ id: "evt_long", object: "event", filling: "x".repeat(5_000_000) });
    expect(answer.status).toBe(413);
  });
});

describe("a failure", () => {
  it("at Stripe is answered with 503, and the repeated event has its effect", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email);
    const created = find(events, "customer.subscription.created");
    for (let i = 0; i < 2; i++)
      await stripe.fault({ kind: "fail", match: `GET /v1/subscriptions/${subscription.id}`, status: 500 });

    expect(await deliver(created)).toMatchObject({ status: 503 });
    expect(await storedSubscriptions(email)).toEqual([]);

    expect((await deliver(created)).status).toBe(200);
    expect(await storedSubscriptions(email)).toHaveLength(1);
  });

  it("of the database to answer does not change the effect", async () => {
    const email = uniqueEmail();
    const { subscription, events } = await subscribed(email);
    await injectFault({
      match: [subscription.id],
      operation: "TransactWriteItems",
      fault: { kind: "lose-answer" },
    });

    expect((await deliver(find(events, "customer.subscription.created"))).status).toBe(200);

    expect(await storedSubscriptions(email)).toMatchObject([{ sync_version: 1 }]);
  });
});
