import { describe, expect, it } from "vitest";
import {
  anonymous,
  type Client,
  signUp as signUpWithPlan,
  signUpFree as signUp,
  table,
} from "../support/app.ts";
import { deliver, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const stripe = stripeSide();

const starter = { planKey: "starter", billingCycle: "monthly" };
const pro = { planKey: "pro", billingCycle: "monthly" };

const order = (client: Client, what: object) => client("POST", "/payments/stripe/checkout", what);

/** Pays an order on Stripe's page, and delivers the events. */
async function buy(client: Client, what: object, email?: string) {
  const { body } = await order(client, what);
  const subscription = await stripe.pay(body.url, email);
  for (const event of await stripe.events(subscription.id)) await deliver(event);
  return subscription;
}

const customerOf = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "User#Metadata" }))?.["stripe_customer_id"];

const status = async (client: Client) => (await client("GET", "/payments/stripe/subscription/status")).body;

describe("buying a plan", () => {
  it("leads to Stripe's page, and the payment to the plan", async () => {
    const client = await signUp();
    expect(await status(client)).toEqual({
      tier: "free",
      status: null,
      current_period_start: null,
      current_period_end: null,
      is_active: false,
      cancel_at_period_end: null,
      cancel_at: null,
      billing_cycle: null,
      unclaimed: false,
    });

    const answer = await order(client, starter);
    expect(answer).toMatchObject({
      status: 200,
      body: { url: expect.stringMatching(/^https:\/\/checkout\./u) },
    });

    const subscription = await stripe.pay(answer.body.url);
    expect(subscription).toMatchObject({
      customer: await customerOf(client),
      metadata: { plan_key: "starter", billing_cycle: "monthly", user_email: client.email },
    });
    const [completed] = await stripe.events(subscription.id);
    expect(completed?.type).toBe("checkout.session.completed");
    await deliver(completed ?? {});

    expect(await status(client)).toEqual({
      tier: "starter",
      status: "active",
      current_period_start: String(subscription.items.data[0].current_period_start),
      current_period_end: String(subscription.items.data[0].current_period_end),
      is_active: true,
      cancel_at_period_end: false,
      cancel_at: null,
      billing_cycle: "monthly",
      unclaimed: false,
    });
  });

  it("takes effect when the buyer returns, even before Stripe's event arrives", async () => {
    const client = await signUp();
    const { body } = await order(client, starter);
    await stripe.pay(body.url);

    expect(await status(client)).toMatchObject({ tier: "starter", is_active: true });
    expect(await storedSubscriptions(client.email)).toHaveLength(1);
  });

  it("returns the same page for the same order, and closes the page of another order", async () => {
    const client = await signUp();
    const first = await order(client, starter);
    const again = await order(client, starter);
    expect(again.body).toEqual(first.body);

    const other = await order(client, pro);
    expect(other.body).not.toEqual(first.body);
    await expect(stripe.pay(first.body.url)).rejects.toThrow("not open");
  });

  it("leaves one page open, even after concurrent orders", async () => {
    const client = await signUp();
    await order(client, { planKey: "pro", billingCycle: "annual" });

    const answers = await Promise.all([
      ...Array.from({ length: 3 }, () => order(client, starter)),
      ...Array.from({ length: 3 }, () => order(client, pro)),
    ]);

    const urls = answers.flatMap(({ status, body }) => (status === 200 ? [body.url] : []));
    const paid = await Promise.allSettled([...new Set(urls)].map((url) => stripe.pay(url)));
    expect(paid.filter((end) => end.status === "fulfilled").length).toBeLessThan(2);
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  });

  it("creates one customer per account, despite lost answers", async () => {
    const client = await signUp();
    await stripe.fault({ kind: "lose-answer", match: `"email":"${client.email}"` });
    await Promise.all([order(client, starter), order(client, starter), order(client, pro)]);
    await order(client, starter);

    const customer = await customerOf(client);
    expect(customer).toMatch(/^cus_/u);
    await table.update(
      { pk: `User#${client.email}`, sk: "User#Metadata" },
      { remove: ["stripe_customer_id"] },
    );
    await order(client, starter);
    expect(await customerOf(client)).toBe(customer);
  });

  it("creates a new customer if Stripe's was deleted", async () => {
    const client = await signUp();
    await order(client, starter);
    const before = await customerOf(client);
    await stripe.act("delete-customer", { id: before });

    expect((await order(client, starter)).status).toBe(200);

    expect(await customerOf(client)).not.toBe(before);
  });

  it("is refused with an invalid token, instead of counting as a purchase without a sign-in", async () => {
    const answer = await anonymous("POST", "/payments/stripe/checkout", starter, {
      authorization: "Bearer x.y.z",
    });
    expect(answer.status).toBe(401);
  });

  it.each([
    ["an unknown plan", { planKey: "gold", billingCycle: "monthly" }],
    ["a plan that is not sold", { planKey: "enterprise", billingCycle: "monthly" }],
    ["the free plan", { planKey: "free", billingCycle: "annual" }],
    [
      "a plan named like a member of every JavaScript object",
      { planKey: "__proto__", billingCycle: "monthly" },
    ],
    ["an unknown cycle", { planKey: "pro", billingCycle: "weekly" }],
    ["nothing", {}],
  ])("is refused for %s", async (_case, what) => {
    const client = await signUp();
    const answer = await order(client, what);
    expect(answer).toMatchObject({ status: 422, body: { code: "validation-failed" } });
  });

  it("answers 503 while Stripe is down, and works again afterwards", async () => {
    const client = await signUp();
    for (let i = 0; i < 2; i++) await stripe.fault({ kind: "fail", match: client.email, status: 503 });

    expect(await order(client, starter)).toMatchObject({
      status: 503,
      body: { detail: "The payment service is not answering at the moment. Please try again." },
    });
    expect((await order(client, starter)).status).toBe(200);
  });
});

describe("buying in addition to a plan", () => {
  it("of the same plan is refused", async () => {
    const client = await signUp();
    await buy(client, starter);

    expect(await order(client, { ...starter, billingCycle: "annual" })).toMatchObject({
      status: 409,
      body: {
        detail:
          "You already have an active starter subscription. Visit Settings to manage your subscription.",
      },
    });
  });

  it("of a lower plan is refused", async () => {
    const client = await signUp();
    await buy(client, pro);

    expect(await order(client, starter)).toMatchObject({
      status: 409,
      body: {
        detail:
          "To downgrade from pro to starter, please visit Settings → Manage Subscription to modify your plan. Your pro plan will continue until the end of your billing period.",
      },
    });
  });

  it("of a higher plan changes the running subscription", async () => {
    const client = await signUp();
    const subscription = await buy(client, starter);

    const answer = await order(client, pro);

    expect(answer).toMatchObject({
      status: 200,
      body: { url: "https://app.example.com/dashboard/settings?upgraded=pro" },
    });
    expect(await status(client)).toMatchObject({ tier: "pro" });
    const all = await stripe.act("subscriptions", { customer: await customerOf(client) });
    expect(all).toMatchObject([
      { id: subscription.id, items: { data: [{ price: { id: "price_pro_monthly" } }] } },
    ]);
  });

  it("of a higher plan twice at the same time changes it once", async () => {
    const client = await signUp();
    await buy(client, starter);

    const answers = await Promise.all([order(client, pro), order(client, pro)]);

    const codes = answers.map(({ status: code }) => code);
    expect(codes).toContain(200);
    expect([200, 409]).toEqual(expect.arrayContaining(codes));
    const all = await stripe.act("subscriptions", { customer: await customerOf(client) });
    expect(all).toHaveLength(1);
  });

  it("grants nothing before the difference is paid", async () => {
    const client = await signUp();
    const subscription = await buy(client, starter);
    await stripe.act("change", {
      id: subscription.id,
      set: { metadata: { test: "needs-authentication", user_email: client.email } },
    });

    const answer = await order(client, pro);

    expect(answer.body.url).toMatch(/^https:\/\/invoice\./u);
    expect(await status(client)).toMatchObject({ tier: "starter" });
  });

  it("continues a subscription that was about to end", async () => {
    const client = await signUp();
    await buy(client, starter);
    await client("POST", "/payments/stripe/subscription/cancel");

    await order(client, pro);

    expect(await status(client)).toMatchObject({ tier: "pro", cancel_at_period_end: false });
  });

  it("notices a subscription at Stripe that the table does not have yet", async () => {
    const client = await signUp();
    const { body } = await order(client, starter);
    await stripe.pay(body.url);

    expect((await order(client, starter)).status).toBe(409);
  });

  it.each(["unpaid", "paused", "incomplete"])(
    "in addition to one that is %s is refused until that has ended",
    async (status) => {
      const client = await signUp();
      const subscription = await buy(client, starter);
      await stripe.act("change", { id: subscription.id, set: { status } });

      expect(await order(client, pro)).toMatchObject({
        status: 409,
        body: {
          detail: `You already have a subscription that is ${status}. Pay for it or cancel it before you order another one.`,
        },
      });
    },
  );

  it("in addition to one that has ended is a new purchase", async () => {
    const client = await signUp();
    const subscription = await buy(client, starter);
    await stripe.act("change", { id: subscription.id, set: { status: "canceled" }, event: "deleted" });

    expect((await order(client, starter)).body.url).toMatch(/^https:\/\/checkout\./u);
  });
});

describe("buying without a sign-in", () => {
  it("adds the plan to the account of the address that paid", async () => {
    const name = `late-${crypto.randomUUID().slice(0, 13)}`;
    const email = `${name}@example.com`;
    const { body } = await anonymous("POST", "/payments/stripe/checkout", {
      ...pro,
      userEmail: email.toUpperCase(),
    });
    const subscription = await stripe.pay(body.url, email.toUpperCase());
    for (const event of await stripe.events(subscription.id)) await deliver(event);

    expect(subscription.metadata).not.toHaveProperty("user_email");
    expect(await table.get({ pk: `User#${email}`, sk: "User#Metadata" })).toBeUndefined();
    const client = await signUp(name);
    expect(await status(client)).toMatchObject({ tier: "pro", is_active: true });
  });

  it("adds no plan to an address that was entered here but did not pay", async () => {
    const victim = await signUp();
    const { body } = await anonymous("POST", "/payments/stripe/checkout", {
      ...pro,
      userEmail: victim.email,
    });
    const subscription = await stripe.pay(body.url, uniqueEmail());
    for (const event of await stripe.events(subscription.id)) await deliver(event);

    expect(await storedSubscriptions(victim.email)).toEqual([]);
  });

  it("reports its progress, and nothing about the buyer", async () => {
    const { body } = await anonymous("POST", "/payments/stripe/checkout", pro);
    const id = body.url.split("/").at(-1);
    const look = (session: string) => anonymous("GET", `/payments/stripe/session/${session}`);

    expect((await look(id)).body).toEqual({ status: "open", payment_status: "unpaid" });
    await stripe.pay(body.url, uniqueEmail());
    expect((await look(id)).body).toEqual({ status: "complete", payment_status: "paid" });
    for (const absent of ["cs_test_absent", "x", "..%2Fcustomers", "cs_test_a%2F..%2F..%2Fcustomers"])
      expect(await look(absent)).toMatchObject({ status: 404 });
  });
});

describe("ending a subscription", () => {
  it("ends it with its period, which can be revoked", async () => {
    const client = await signUp();
    const subscription = await buy(client, starter);
    const end = String(subscription.items.data[0].current_period_end);

    expect(await client("POST", "/payments/stripe/subscription/cancel")).toMatchObject({
      status: 200,
      body: {
        success: true,
        message: "Subscription will be cancelled at the end of the current billing period",
        current_period_end: end,
      },
    });
    expect(await status(client)).toMatchObject({
      tier: "starter",
      is_active: true,
      cancel_at_period_end: true,
    });
    expect(await client("POST", "/payments/stripe/subscription/cancel")).toMatchObject({
      status: 409,
      body: { detail: "Subscription is already scheduled for cancellation" },
    });

    expect((await client("POST", "/payments/stripe/subscription/resume")).status).toBe(200);
    expect(await status(client)).toMatchObject({ cancel_at_period_end: false });
    expect((await client("POST", "/payments/stripe/subscription/resume")).status).toBe(409);
  });

  it("answers 404 if Stripe does not have the subscription of the table", async () => {
    const client = await signUpWithPlan();
    expect((await client("POST", "/payments/stripe/subscription/cancel")).status).toBe(404);
  });

  it("answers 404 if there is none", async () => {
    const client = await signUp();
    expect(await client("POST", "/payments/stripe/subscription/cancel")).toMatchObject({
      status: 404,
      body: {
        detail: "No active subscription found. If you just signed up, please wait 30 seconds for processing.",
      },
    });
  });
});

describe("the customer's own pages", () => {
  it("are Stripe's portal", async () => {
    const client = await signUp();
    await buy(client, starter);

    const answer = await client("POST", "/payments/stripe/portal");

    expect(answer).toMatchObject({
      status: 200,
      body: { url: `https://billing.example.com/${String(await customerOf(client))}` },
    });
  });

  it("answer 404 for an account that has never bought anything", async () => {
    expect((await (await signUp())("POST", "/payments/stripe/portal")).status).toBe(404);
  });
});
