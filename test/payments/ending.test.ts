import { describe, expect, it } from "vitest";
import { signUpFree as signUp } from "../support/app.ts";
import {
  atStripe,
  buy,
  change,
  customerOf,
  order,
  PRO,
  STARTER,
  statusOf,
  subscribe,
} from "../support/buying.ts";
import { stripeSide } from "../support/stripe.ts";

const stripe = stripeSide();

const IN_A_MONTH = Math.floor(Date.now() / 1000) + 30 * 86_400;

describe("a cancellation in Stripe's portal under flexible billing, which sets cancel_at only", () => {
  it("is shown as ending, with its date", async () => {
    const client = await signUp();
    const { id } = await buy(client, STARTER);

    await change(id, { cancel_at: IN_A_MONTH });

    expect(await statusOf(client)).toMatchObject({
      tier: "starter",
      is_active: true,
      cancel_at_period_end: true,
      cancel_at: String(IN_A_MONTH),
    });
    expect(await client("POST", "/payments/stripe/subscription/cancel")).toMatchObject({
      status: 409,
      body: { detail: "Subscription is already scheduled for cancellation" },
    });
  });

  it("is revoked by resuming", async () => {
    const client = await signUp();
    const { id, customer } = await buy(client, STARTER);
    await change(id, { cancel_at: IN_A_MONTH });

    expect((await client("POST", "/payments/stripe/subscription/resume")).status).toBe(200);

    expect(await atStripe(customer)).toMatchObject([{ cancel_at: null, cancel_at_period_end: false }]);
    expect(await statusOf(client)).toMatchObject({ cancel_at_period_end: false, cancel_at: null });
  });

  it("is revoked by an upgrade", async () => {
    const client = await signUp();
    const { id, customer } = await buy(client, STARTER);
    await change(id, { cancel_at: IN_A_MONTH });

    expect((await order(client, PRO)).status).toBe(200);

    expect(await atStripe(customer)).toMatchObject([{ cancel_at: null, cancel_at_period_end: false }]);
    expect(await statusOf(client)).toMatchObject({ tier: "pro", cancel_at_period_end: false });
  });
});

it("an upgrade that the customer must pay first leaves the cancellation in force", async () => {
  const client = await signUp();
  const { id, customer } = await buy(client, STARTER);
  const metadata = { test: "needs-authentication", user_email: client.email };
  await change(id, { cancel_at: IN_A_MONTH, metadata });

  expect((await order(client, PRO)).body.url).toMatch(/^https:\/\/invoice\./u);

  expect(await atStripe(customer)).toMatchObject([{ cancel_at: IN_A_MONTH }]);
});

it("a cancellation under classic billing, which sets both members, is revoked by resuming", async () => {
  const client = await signUp();
  const { customer } = await buy(client, STARTER, { billing_mode: "classic" });
  await client("POST", "/payments/stripe/subscription/cancel");
  expect(await atStripe(customer)).toMatchObject([
    { cancel_at: expect.any(Number), cancel_at_period_end: true },
  ]);

  expect((await client("POST", "/payments/stripe/subscription/resume")).status).toBe(200);

  expect(await atStripe(customer)).toMatchObject([{ cancel_at: null, cancel_at_period_end: false }]);
});

describe("a downgrade that the customer has planned in the portal", () => {
  const planned = async () => {
    const client = await signUp();
    const subscription = await buy(client, PRO);
    const prices = ["price_pro_monthly", "price_starter_monthly"];
    await stripe.act("schedule", { subscription: subscription.id, prices });
    return { client, subscription };
  };

  it("is replaced if the subscription is cancelled", async () => {
    const { client, subscription } = await planned();

    expect((await client("POST", "/payments/stripe/subscription/cancel")).status).toBe(200);

    expect(await atStripe(subscription.customer)).toMatchObject([
      { schedule: null, cancel_at_period_end: true, status: "active" },
    ]);
  });

  it("blocks an upgrade, and the refusal says what to undo", async () => {
    const client = await signUp();
    const { id, customer } = await buy(client, STARTER);
    const prices = ["price_starter_monthly", "price_starter_annual"];
    const schedule = await stripe.act("schedule", { subscription: id, prices });
    const day = new Date(schedule.phases[1].start_date * 1000).toISOString().slice(0, 10);

    expect(await order(client, PRO)).toMatchObject({
      status: 409,
      body: {
        code: "conflict",
        reason: "subscription-schedule",
        detail: `Your plan is already set to change to starter on ${day}. Undo that change under Settings → Manage Subscription, then try again.`,
      },
    });
    expect(await atStripe(customer)).toMatchObject([{ schedule: schedule.id }]);
  });
});

it.each([
  ["sells something else", { prices: ["price_pro_monthly", "price_unknown"] }],
  ["ends the subscription", { prices: ["price_pro_monthly"], set: { end_behavior: "cancel" } }],
])("a schedule that %s was agreed on, and is not released", async (_case, schedule) => {
  const client = await signUp();
  const { id, customer } = await buy(client, PRO);
  await stripe.act("schedule", { subscription: id, ...schedule });

  expect(await client("POST", "/payments/stripe/subscription/cancel")).toMatchObject({
    status: 409,
    body: {
      reason: "subscription-schedule",
      detail:
        "Your subscription follows a schedule of future changes, so it cannot be changed here. Please contact support.",
    },
  });
  expect(await atStripe(customer)).toMatchObject([{ schedule: expect.stringMatching(/^sub_sched_/u) }]);
});

describe("two live subscriptions of an account", () => {
  const two = async () => {
    const client = await signUp();
    const starter = await buy(client, STARTER);
    const metadata = { user_email: client.email };
    const pro = await subscribe(client, { price: "price_pro_monthly", metadata });
    return { client, starter, pro };
  };

  it("count as the better plan", async () => {
    const { client } = await two();
    expect(await statusOf(client)).toMatchObject({ tier: "pro" });
  });

  it("are both listed by the portal", async () => {
    const { client, starter, pro } = await two();
    const url = `https://billing.example.com/${String(await customerOf(client))}`;

    expect((await client("POST", "/payments/stripe/portal")).body).toEqual({
      url,
      subscriptions: [
        {
          subscription_id: pro.id,
          plan: "pro",
          status: "active",
          current_period_end: String(pro.items.data[0].current_period_end),
          cancel_at_period_end: false,
          url,
        },
        expect.objectContaining({ subscription_id: starter.id, plan: "starter", url }),
      ],
    });
  });

  it("are both cancelled, and both in the answer", async () => {
    const { client, starter, pro } = await two();

    const answer = await client("POST", "/payments/stripe/subscription/cancel");

    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        message:
          "Your subscriptions (pro and starter) will be cancelled at the end of their current billing periods",
        subscriptions: [
          { subscription_id: pro.id, cancel_at_period_end: true },
          { subscription_id: starter.id, cancel_at_period_end: true },
        ],
      },
    });
    expect(await atStripe(pro.customer)).toMatchObject([
      { cancel_at_period_end: true },
      { cancel_at_period_end: true },
    ]);
  });

  it("are both cancelled although the table lacks one", async () => {
    const client = await signUp();
    const { customer } = await buy(client, STARTER);
    const metadata = { user_email: client.email };
    await stripe.act("subscribe", { customer, price: "price_pro_monthly", metadata });

    expect((await client("POST", "/payments/stripe/subscription/cancel")).body.subscriptions).toHaveLength(2);
  });

  it("continue as one after resuming, so that the account is not charged twice", async () => {
    const { client, pro, starter } = await two();
    await client("POST", "/payments/stripe/subscription/cancel");

    expect((await client("POST", "/payments/stripe/subscription/resume")).body.subscriptions).toMatchObject([
      { subscription_id: pro.id, cancel_at_period_end: false },
    ]);

    expect(await client("POST", "/payments/stripe/subscription/resume")).toMatchObject({
      status: 409,
      body: {
        detail:
          "Your pro plan continues, so resuming your starter plan would charge you for both. Cancel the pro plan first.",
      },
    });
    const kept = await atStripe(starter.customer);
    expect(kept.filter((one) => one.cancel_at_period_end)).toMatchObject([{ id: starter.id }]);
  });
});

describe("a subscription with add-ons", () => {
  const ADDONS = ["price_unknown", "price_unknown"];

  it("counts as the plan of the item that sells one", async () => {
    const client = await signUp();
    await buy(client, STARTER, { addons: ADDONS });
    expect(await statusOf(client)).toMatchObject({ tier: "starter" });
  });

  it("keeps its add-ons after an upgrade", async () => {
    const client = await signUp();
    const { customer } = await buy(client, STARTER, { addons: ADDONS });

    expect((await order(client, PRO)).status).toBe(200);

    const [subscription] = await atStripe(customer);
    expect(subscription.items.data.map((item: { price: { id: string } }) => item.price.id)).toEqual([
      ...ADDONS,
      "price_pro_monthly",
    ]);
    expect(await statusOf(client)).toMatchObject({ tier: "pro" });
  });

  it("is read to its last item, although Stripe returns only ten at a time", async () => {
    const client = await signUp();
    await buy(client, PRO, { addons: Array.from({ length: 15 }, () => "price_unknown") });
    expect(await statusOf(client)).toMatchObject({ tier: "pro" });
  });
});
