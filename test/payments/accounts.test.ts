import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import { clientOf, table } from "../support/app.ts";
import { openBrowser, signIn, newPerson } from "../support/browser.ts";
import { deliverAll, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const stripe = stripeSide();

/** An address with an account of the legacy Python service, which has written it as the issuer spells it. */
async function inMixedCase() {
  const person = newPerson();
  const spelled = person.email.replace("p-", "P-Mixed-");
  const key = { pk: `User#${spelled}`, sk: "User#Metadata" };
  await table.put({ ...key, email: spelled, name: "Old Name", stripe_customer_id: null, status: "active" });
  return { claims: { ...person, email: spelled }, spelled, lower: spelled.toLowerCase() };
}

async function enter(claims: Record<string, unknown>) {
  const browser = openBrowser();
  await signIn(browser, claims);
  const { body } = await browser("POST", "/auth/refresh");
  return clientOf(body.token, body.email);
}

describe("an account of the legacy Python service with an address in mixed case", () => {
  it("gets the plan that it buys", async () => {
    const { claims, spelled, lower } = await inMixedCase();
    const client = await enter(claims);
    const { body } = await client("POST", "/payments/stripe/checkout", {
      planKey: "starter",
      billingCycle: "monthly",
    });
    const subscription = await stripe.pay(body.url);

    await deliverAll(subscription.id);

    expect(await storedSubscriptions(spelled)).toMatchObject([{ user_email: spelled, status: "active" }]);
    expect(await storedSubscriptions(lower)).toEqual([]);
    expect((await client("GET", "/payments/stripe/subscription/status")).body.tier).toBe("starter");
    expect((await client("POST", "/payments/stripe/subscription/cancel")).body.success).toBe(true);
  });

  it("keeps the plan that it bought before, although nobody has signed in to it yet", async () => {
    const { spelled, lower } = await inMixedCase();
    const { id } = await stripe.act("subscribe", { email: spelled, metadata: { user_email: spelled } });

    await deliverAll(id);

    expect(await storedSubscriptions(spelled)).toHaveLength(1);
    expect(await storedSubscriptions(lower)).toEqual([]);
  });

  it("gets the plan that was bought for another spelling of its address", async () => {
    const { claims, spelled, lower } = await inMixedCase();
    await enter(claims);
    const { id } = await stripe.act("subscribe", { email: lower });

    await deliverAll(id);

    expect(await storedSubscriptions(spelled)).toHaveLength(1);
    expect(await storedSubscriptions(lower)).toEqual([]);
  });

  it("gets such a plan from before its first sign-in with the next reconciliation", async () => {
    const secretKey = `sk_test_${crypto.randomUUID()}`;
    const { claims, spelled, lower } = await inMixedCase();
    await stripeSide(secretKey).act("subscribe", { email: lower });
    const compare = async () => {
      const ctx = createExecutionContext();
      await worker.scheduled(createScheduledController(), { ...env, STRIPE_SECRET_KEY: secretKey } as Env);
      await waitOnExecutionContext(ctx);
    };
    await compare();
    expect(await storedSubscriptions(spelled)).toEqual([]);

    await enter(claims);
    await compare();

    expect(await storedSubscriptions(spelled)).toMatchObject([{ status: "active" }]);
  });
});

describe("a plan bought without a sign-in", () => {
  it("stays with the address that paid, whatever its buyer changes at Stripe", async () => {
    const [first, second] = [uniqueEmail(), uniqueEmail()];
    const { id, customer } = await stripe.act("subscribe", { email: first, price: "price_pro_annual" });
    await deliverAll(id);

    await stripe.act("change-customer", { id: customer, set: { email: second } });
    await stripe.act("renew", { id });
    await deliverAll(id);

    expect(await storedSubscriptions(second)).toEqual([]);
    expect(await storedSubscriptions(first)).toMatchObject([{ status: "active", sync_version: 2 }]);
  });

  it("ends if its customer is deleted", async () => {
    const email = uniqueEmail();
    const { id, customer } = await stripe.act("subscribe", { email });
    await deliverAll(id);

    await stripe.act("delete-customer", { id: customer });
    await deliverAll(id);

    expect(await storedSubscriptions(email)).toMatchObject([{ status: "canceled" }]);
  });
});
