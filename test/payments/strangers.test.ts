import { beforeEach, describe, expect, it, vi } from "vitest";
import { anonymous, type Client, signUpFree as signUp, table } from "../support/app.ts";
import { deliver, deliverAll, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const stripe = stripeSide();

const starter = { planKey: "starter", billingCycle: "monthly" };
const pro = { planKey: "pro", billingCycle: "monthly" };
const LOGIN_PAGE = "https://billing.example.com/p/login/test";

const post = (client: Client, path: string, body?: object) =>
  client("POST", `/payments/stripe/${path}`, body);

const status = async (client: Client) => (await client("GET", "/payments/stripe/subscription/status")).body;

/** Buys a plan while signed in. */
async function buy(client: Client, order: object) {
  const { body } = await post(client, "checkout", order);
  const subscription = await stripe.pay(body.url);
  await deliverAll(subscription.id);
  return subscription;
}

/** Buys a plan without a sign-in, with an address that may be anyone's. */
async function strangerBuys(order: object, email: string) {
  const { body } = await post(anonymous, "checkout", { ...order, userEmail: email });
  const subscription = await stripe.pay(body.url, email);
  await deliverAll(subscription.id);
  return subscription;
}

const atStripe = async (customer: string) => (await stripe.act("subscriptions", { customer }))[0];

const customerOf = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "User#Metadata" }))?.["stripe_customer_id"];

const errors = vi.spyOn(console, "error");
const alertsAbout = (id: string) =>
  errors.mock.calls.filter(
    ([line]: readonly unknown[]) =>
      typeof line === "object" && line !== null && "subscription" in line && line.subscription === id,
  );

beforeEach(() => void errors.mockClear().mockReturnValue(undefined));

describe("a purchase by a stranger with the address of an account that has a plan", () => {
  it("keeps the better plan, and is reported", async () => {
    const victim = await signUp();
    const own = await buy(victim, pro);
    expect(await status(victim)).toMatchObject({ tier: "pro", unclaimed: false });

    const theirs = await strangerBuys(starter, victim.email);

    expect(await status(victim)).toMatchObject({ tier: "pro", is_active: true, unclaimed: true });
    expect(alertsAbout(theirs.id)).toHaveLength(1);
    expect(alertsAbout(own.id)).toEqual([]);
    expect(await customerOf(victim)).toBe(own.customer);
  });

  it("has no effect on an account with a plan, even if it is better", async () => {
    const victim = await signUp();
    await buy(victim, starter);

    await strangerBuys(pro, victim.email.toUpperCase());

    expect(await status(victim)).toMatchObject({ tier: "starter", unclaimed: true });
    expect((await victim("GET", "/usage")).body.tier).toBe("starter");
  });

  it("is reported if the account buys its own plan afterwards", async () => {
    const victim = await signUp();
    const theirs = await strangerBuys(starter, victim.email);
    expect(alertsAbout(theirs.id)).toEqual([]);
    await stripe.act("change", { id: theirs.id, set: { cancel_at_period_end: true } });

    await buy(victim, starter);

    expect(alertsAbout(theirs.id)).toHaveLength(1);
  });

  it("can't be changed by the account's portal, cancellation, resumption and upgrade", async () => {
    const victim = await signUp();
    const own = await buy(victim, starter);
    const theirs = await strangerBuys(pro, victim.email);

    expect((await post(victim, "portal")).body.url).toBe(`https://billing.example.com/${own.customer}`);
    expect((await post(victim, "subscription/cancel")).status).toBe(200);
    expect(await atStripe(own.customer)).toMatchObject({ cancel_at_period_end: true });
    expect((await post(victim, "subscription/cancel")).status).toBe(409);
    expect((await post(victim, "subscription/resume")).status).toBe(200);
    expect((await post(victim, "checkout", pro)).body.url).toMatch(/upgraded=pro$/u);

    expect(await atStripe(own.customer)).toMatchObject({
      cancel_at_period_end: false,
      items: { data: [{ price: { id: "price_pro_monthly" } }] },
    });
    expect(await atStripe(theirs.customer)).toMatchObject({ id: theirs.id, cancel_at_period_end: false });
  });
});

describe("a plan that was bought without a sign-in", () => {
  it("counts for the account with the address, which can't change it", async () => {
    const client = await signUp();
    const theirs = await strangerBuys(starter, client.email);

    expect(await status(client)).toMatchObject({ tier: "starter", is_active: true, unclaimed: true });
    for (const [path, body] of [
      ["checkout", pro],
      ["checkout", starter],
      ["subscription/cancel", undefined],
      ["subscription/resume", undefined],
    ] as const)
      expect(await post(client, path, body)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining("has not been claimed yet") },
      });
    expect(await post(client, "portal")).toMatchObject({ status: 200, body: { url: LOGIN_PAGE } });

    expect(await atStripe(theirs.customer)).toMatchObject({ cancel_at_period_end: false });
    expect(await customerOf(client)).not.toBe(theirs.customer);
  });

  it("counts as the best of several, despite a worse one", async () => {
    const client = await signUp();
    await strangerBuys(pro, client.email);
    await strangerBuys(starter, client.email);

    expect(await status(client)).toMatchObject({ tier: "pro", unclaimed: true });
  });

  it.each(["trialing", "past_due"])("counts while it is %s", async (state) => {
    const client = await signUp();
    const theirs = await strangerBuys(pro, client.email);
    await stripe.act("change", { id: theirs.id, set: { status: state } });
    await deliverAll(theirs.id);

    expect(await status(client)).toMatchObject({ tier: "pro", status: state, unclaimed: true });
  });

  it.each(["paused", "unpaid", "canceled"])("does not prevent a purchase once it is %s", async (state) => {
    const client = await signUp();
    const theirs = await strangerBuys(pro, client.email);
    await stripe.act("change", { id: theirs.id, set: { status: state } });
    await deliverAll(theirs.id);

    expect(await status(client)).toMatchObject({ tier: "free", unclaimed: false });
    expect((await post(client, "portal")).status).toBe(404);
    await buy(client, starter);
    expect(await status(client)).toMatchObject({ tier: "starter" });
  });

  it("does not prevent a purchase once it is about to end", async () => {
    const client = await signUp();
    const theirs = await strangerBuys(starter, client.email);
    await stripe.act("change", { id: theirs.id, set: { cancel_at_period_end: true }, event: "silent" });

    const own = await buy(client, pro);

    expect(own.customer).not.toBe(theirs.customer);
    expect(await status(client)).toMatchObject({ tier: "pro", unclaimed: true });
  });

  it("belongs to another account if the address has a plus", async () => {
    const client = await signUp();
    await strangerBuys(pro, client.email.replace("@", "+x@"));
    expect(await status(client)).toMatchObject({ tier: "free", unclaimed: false });
  });

  it("is managed by Stripe's login page, and the portal answers 409 if the merchant has none", async () => {
    const client = await signUp();
    await strangerBuys(pro, client.email);

    await stripe.act("login-page", { enabled: false, url: null });
    try {
      expect((await post(client, "portal")).status).toBe(409);
    } finally {
      await stripe.act("login-page", { enabled: true, url: LOGIN_PAGE });
    }
  });
});

describe("a customer that was recorded before its owner was known", () => {
  /** What earlier versions, which did not distinguish strangers, stored of a plan that was bought for an address. */
  async function recordedBefore(client: Client, metadata: Record<string, string> = {}) {
    const customer = await stripe.act("subscribe", { email: client.email, metadata });
    const { id } = customer;
    await deliverAll(id);
    await table.update({ pk: `User#${client.email}`, sk: `Subscription#${id}` }, { remove: ["claimed"] });
    await table.update(
      { pk: `User#${client.email}`, sk: "User#Metadata" },
      { set: { stripe_customer_id: customer.customer } },
    );
    return customer;
  }

  it("is not the account's unless Stripe has it as created for the account", async () => {
    const client = await signUp();
    const { customer } = await recordedBefore(client);

    expect(await status(client)).toMatchObject({ tier: "starter", unclaimed: true });
    expect((await post(client, "portal")).body.url).toBe(LOGIN_PAGE);
    expect((await post(client, "subscription/cancel")).status).toBe(409);
    expect((await post(client, "checkout", pro)).status).toBe(409);
    expect(await atStripe(customer)).toMatchObject({ cancel_at_period_end: false });
    expect(await customerOf(client)).not.toBe(customer);
  });

  it("is the account's if Stripe has it as created for the account", async () => {
    const client = await signUp();
    const { customer } = await recordedBefore(client, { user_email: client.email });

    expect((await post(client, "portal")).body.url).toBe(`https://billing.example.com/${customer}`);
    expect((await post(client, "subscription/cancel")).status).toBe(200);
    expect(await status(client)).toMatchObject({ unclaimed: false, cancel_at_period_end: true });
  });

  it("is not used for a checkout of the account", async () => {
    const client = await signUp();
    const { id, customer } = await recordedBefore(client);
    await stripe.act("change", { id, set: { status: "canceled" }, event: "deleted" });
    await deliverAll(id);

    const own = await buy(client, starter);

    expect(own.customer).not.toBe(customer);
  });
});

describe("a checkout without a sign-in", () => {
  interface Asked {
    readonly method: string;
    readonly path: string;
    readonly asked: string;
  }

  /** The answer of a checkout, and its requests to Stripe about the address, with the address replaced by one word. */
  const checkout = async (email: string) => {
    const spelled = encodeURIComponent(email);
    const log = () => stripe.act<Asked[]>("requests", { match: spelled });
    const before = (await log()).length;
    const answer = await post(anonymous, "checkout", { ...pro, userEmail: email.toUpperCase() });
    return {
      status: answer.status,
      members: Object.keys(answer.body),
      headers: [...answer.headers.keys()].toSorted(),
      requests: (await log())
        .slice(before)
        .map((one) => ({ ...one, asked: one.asked.replaceAll(spelled, "ADDRESS") })),
    };
  };

  it("is the same for the address of a customer and for any other", async () => {
    const customer = await signUp();
    await buy(customer, pro);

    const known = await checkout(customer.email);
    const unknown = await checkout(uniqueEmail());

    expect(known).toEqual(unknown);
    expect(known.requests.map(({ path }) => path)).toEqual(["/v1/checkout/sessions"]);
    expect(known.requests.map(({ asked }) => asked).join("&")).not.toMatch(/(?:^|&)customer=/u);
  });

  it("ignores an account and a customer in its body", async () => {
    const victim = await signUp();
    const own = await buy(victim, pro);
    const more = { user_email: victim.email, customer: own.customer, metadata: { user_email: victim.email } };
    for (const [name, value] of Object.entries(more))
      expect((await post(anonymous, "checkout", { ...starter, [name]: value })).status).toBe(422);

    const { body } = await post(anonymous, "checkout", { ...starter, userEmail: victim.email });
    const theirs = await stripe.pay(body.url, victim.email);

    expect(theirs.metadata).not.toHaveProperty("user_email");
    expect(theirs.customer).not.toBe(own.customer);
  });
});

it("does not trust an event about the owner of a subscription", async () => {
  const victim = await signUp();
  const theirs = await strangerBuys(starter, uniqueEmail());
  const [event] = await stripe.events(theirs.id);
  const forged = structuredClone(event ?? {}) as unknown as { id: string; data: { object: object } };
  forged.id = `evt_${crypto.randomUUID()}`;
  Object.assign(forged.data.object, { metadata: { user_email: victim.email } });

  expect((await deliver(forged)).status).toBe(200);

  expect(await storedSubscriptions(victim.email)).toEqual([]);
});
