import { describe, expect, it } from "vitest";
import { type Client, signUpFree as signUp } from "../support/app.ts";
import { buy, change, order, PRO, STARTER, statusOf } from "../support/buying.ts";
import { deliver, stripeSide } from "../support/stripe.ts";

const stripe = stripeSide();

const now = () => Math.floor(Date.now() / 1000);
const DAY = 86_400;

const claimOf = (client: Client, url: string) =>
  client("POST", "/payments/stripe/claim", { session_id: url.split("/").at(-1) });

/** The table of docs/payments.md: what Stripe says of a subscription to pro, and the plan that the account then has. */
const STATES: readonly (readonly [string, object, string])[] = [
  ["active", { status: "active" }, "pro"],
  ["in its trial", { status: "trialing", trial_end: now() + 14 * DAY }, "pro"],
  ["past due", { status: "past_due" }, "pro"],
  ["unpaid", { status: "unpaid" }, "free"],
  ["waiting for its first payment", { status: "incomplete" }, "free"],
  ["never paid", { status: "incomplete_expired" }, "free"],
  ["paused after a trial without a card", { status: "paused" }, "free"],
  ["canceled", { status: "canceled" }, "free"],
  ["set to end with its period", { status: "active", cancel_at_period_end: true }, "pro"],
  ["set to end at a date", { status: "active", cancel_at: now() + DAY }, "pro"],
  ...["void", "keep_as_draft", "mark_uncollectible"].map(
    (behavior) =>
      [
        `active with its collection paused (${behavior})`,
        { pause_collection: { behavior, resumes_at: null } },
        "pro",
      ] as const,
  ),
];

describe("a subscription that is", () => {
  it.each(STATES)("%s", async (_state, set, tier) => {
    const client = await signUp();
    const { id } = await buy(client, PRO);

    await change(id, set);

    expect(await statusOf(client)).toMatchObject({ tier, is_active: tier === "pro" });
  });

  it.each([
    [2, "pro"],
    [4, "free"],
  ])("past due for %i days beyond its period has the plan %s", async (days, tier) => {
    const client = await signUp();
    const { id, items } = await buy(client, PRO);
    const [item] = items.data;
    const over = { ...item, current_period_end: now() - days * DAY };

    await change(id, { status: "past_due", items: { object: "list", data: [over], has_more: false } });

    expect(await statusOf(client)).toMatchObject({ tier });
  });
});

describe("a checkout that is paid", () => {
  it("by a coupon of 100 % grants the plan, and can be claimed", async () => {
    const client = await signUp();
    const { body } = await order(client, PRO);
    const { id } = await stripe.pay(body.url, undefined, { payment_status: "no_payment_required" });
    for (const event of await stripe.events(id)) await deliver(event);

    expect(await statusOf(client)).toMatchObject({ tier: "pro", status: "active" });
    expect((await claimOf(client, body.url)).status).toBe(200);
  });

  it("by a debit that takes days grants the plan once the money has arrived", async () => {
    const client = await signUp();
    const { body } = await order(client, PRO);
    const { id } = await stripe.pay(body.url, undefined, { payment_status: "unpaid", status: "incomplete" });
    for (const event of await stripe.events(id)) await deliver(event);
    expect(await statusOf(client)).toMatchObject({ tier: "free" });
    expect(await claimOf(client, body.url)).toMatchObject({
      status: 409,
      body: { detail: "This checkout has not been paid yet." },
    });

    await stripe.act("change", { id, set: { status: "active" }, event: "silent" });
    const session = { object: "checkout.session", id: body.url.split("/").at(-1), subscription: id };
    await stripe.act("tell", {
      type: "checkout.session.async_payment_succeeded",
      about: id,
      object: session,
    });
    await deliver((await stripe.events(id)).at(-1) ?? {});

    expect(await statusOf(client)).toMatchObject({ tier: "pro" });
  });

  it("by a debit that fails grants nothing", async () => {
    const client = await signUp();
    const { body } = await order(client, PRO);
    const { id } = await stripe.pay(body.url, undefined, { payment_status: "unpaid", status: "active" });
    for (const event of await stripe.events(id)) await deliver(event);
    expect(await statusOf(client)).toMatchObject({ tier: "pro" });

    await stripe.act("change", { id, set: { status: "unpaid" }, event: "silent" });
    const session = { object: "checkout.session", id: body.url.split("/").at(-1), subscription: id };
    await stripe.act("tell", { type: "checkout.session.async_payment_failed", about: id, object: session });
    await deliver((await stripe.events(id)).at(-1) ?? {});

    expect(await statusOf(client)).toMatchObject({ tier: "free" });
  });
});

it.each(["charge.refunded", "charge.dispute.created", "charge.dispute.closed"])(
  "%s alone leaves the plan as it is",
  async (type) => {
    const client = await signUp();
    const { id } = await buy(client, STARTER);
    const object = { object: "charge", id: "ch_1", refunded: true, payment_intent: "pi_1" };
    await stripe.act("tell", { type, about: id, object });

    expect((await deliver((await stripe.events(id)).at(-1) ?? {})).status).toBe(200);

    expect(await statusOf(client)).toMatchObject({ tier: "starter", is_active: true });
  },
);
