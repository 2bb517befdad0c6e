import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { anonymous, type Client, signUpFree } from "../support/app.ts";
import { deliver, deliverAll, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";
import { deletionOf, phaseOf, untilPhase } from "./deletions.ts";
import { itemsAbout } from "./plant.ts";

const stripe = stripeSide();

/** An account that pays for a plan. */
async function payer() {
  const client = await signUpFree();
  const { body } = await client("POST", "/payments/stripe/checkout", {
    planKey: "starter",
    billingCycle: "monthly",
  });
  const subscription = await stripe.pay(body.url);
  for (const event of await stripe.events(subscription.id)) await deliver(event);
  expect(await storedSubscriptions(client.email)).toHaveLength(1);
  return { client, id: subscription.id as string };
}

const eventsOf = async (id: string) =>
  (await stripe.events(id)).filter(({ type }) => type === "customer.subscription.deleted");

const tracesOf = ({ email }: Client, id: string) => itemsAbout(email, id);

it("ends the account's subscription, and stores nothing of the events that Stripe sends afterwards", async () => {
  const { client, id } = await payer();

  await client("DELETE", "/users/me");
  await untilPhase(client, "resting");

  const [deleted, ...more] = await eventsOf(id);
  expect(more).toEqual([]);
  expect(deleted).toMatchObject({ data: { object: { id, status: "canceled" } } });

  // It may arrive while the account is being deleted, and again afterwards.
  expect((await deliver(deleted ?? {})).status).toBe(200);
  expect(await storedSubscriptions(client.email)).toEqual([]);
  await untilPhase(client, "completed");
  expect(await tracesOf(client, id)).toEqual([]);
  expect((await deliver({ ...deleted, id: `evt_${crypto.randomUUID()}` })).status).toBe(200);
  expect(await tracesOf(client, id)).toEqual([]);
});

it("removes nothing while Stripe is down, and ends the subscription afterwards", async () => {
  const { client, id } = await payer();
  const ending = `DELETE /v1/subscriptions/${id}`;
  // More than are needed: Stripe stays down until the test mends it.
  for (let i = 0; i < 20; i++) await stripe.fault({ kind: "fail", match: ending, status: 503 });
  const attempts = async () => (await stripe.requests(id)).filter(({ method }) => method === "DELETE").length;

  await client("DELETE", "/users/me");
  // Two attempts for each of two rings of the alarm; the second ring is far off and let ring at once.
  await expect.poll(attempts).toBeGreaterThanOrEqual(2);
  await runDurableObjectAlarm(deletionOf(client)).catch(() => false);
  await expect.poll(attempts).toBeGreaterThanOrEqual(4);
  expect(await phaseOf(client)).toBe("sweeping");
  expect(await eventsOf(id)).toEqual([]);
  expect(await storedSubscriptions(client.email)).toHaveLength(1);

  await stripe.mend(ending);
  await untilPhase(client, "completed");
  expect(await eventsOf(id)).toHaveLength(1);
  expect(await tracesOf(client, id)).toEqual([]);
});

describe("a purchase without a sign-in", () => {
  /** Buys a plan for an address without a sign-in. */
  async function boughtFor(email: string) {
    const { body } = await anonymous("POST", "/payments/stripe/checkout", {
      planKey: "pro",
      billingCycle: "monthly",
    });
    const { id, customer } = await stripe.pay(body.url, email);
    await deliverAll(id);
    return { id: String(id), customer: String(customer), session: String(body.url.split("/").at(-1)) };
  }

  it("continues if no account has claimed it", async () => {
    const client = await signUpFree();
    const { id, customer } = await boughtFor(client.email);
    expect(await storedSubscriptions(client.email)).toHaveLength(1);

    await client("DELETE", "/users/me");
    await untilPhase(client, "completed");

    expect(await stripe.act("subscriptions", { customer })).toMatchObject([{ id, status: "active" }]);
    expect(await tracesOf(client, id)).toEqual([]);
  });

  it("ends if the account has claimed it, and leaves nothing of the claim", async () => {
    const client = await signUpFree();
    const { id, customer, session } = await boughtFor(uniqueEmail());
    await client("POST", "/payments/stripe/claim", { session_id: session });

    await client("DELETE", "/users/me");
    await untilPhase(client, "completed");

    expect(await eventsOf(id)).toHaveLength(1);
    expect(await itemsAbout(client.email, id, customer)).toEqual([]);
    const next = await signUpFree();
    expect((await next("POST", "/payments/stripe/claim", { session_id: session })).status).toBe(409);
  });

  it("refuses payments for an account that is being deleted", async () => {
    const client = await signUpFree();
    const { id, customer, session } = await boughtFor(uniqueEmail());
    await client("POST", "/payments/stripe/claim", { session_id: session });
    await stripe.act("change", { id, set: { status: "canceled" } });
    await deliverAll(id);
    const order = { planKey: "starter", billingCycle: "monthly" };
    const { body } = await client("POST", "/payments/stripe/checkout", order);

    await client("DELETE", "/users/me");
    await untilPhase(client, "resting");
    const late = await stripe.pay(body.url);
    await deliverAll(late.id);
    await untilPhase(client, "completed");

    expect(late.customer).toBe(customer);
    expect(await eventsOf(late.id)).toHaveLength(1);
    expect(await itemsAbout(client.email, late.id, customer)).toEqual([]);
  });

  it("is exported with the customer's id if the account has claimed it, and without it otherwise", async () => {
    const client = await signUpFree();
    const { customer, session } = await boughtFor(client.email);
    const exported = async () => String((await client("GET", "/users/me/export")).body);

    expect(await exported()).toContain('"plan":"pro"');
    expect(await exported()).not.toContain(customer);

    await client("POST", "/payments/stripe/claim", { session_id: session });
    expect(await exported()).toContain(`"customer_id":"${customer}"`);
    expect(await exported()).toContain('"kind":"StripeClaim"');
  });
});

it("removes the account from its customer at Stripe, so that a later account with the address does not find it", async () => {
  const { client, id } = await payer();
  const customer = (await storedSubscriptions(client.email))[0]?.["customer_id"];
  expect((await stripe.act("change-customer", { id: customer, set: {} })).metadata).toEqual({
    user_email: client.email,
  });

  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  expect(await eventsOf(id)).toHaveLength(1);
  expect((await stripe.act("change-customer", { id: customer, set: {} })).metadata).toEqual({});
});
