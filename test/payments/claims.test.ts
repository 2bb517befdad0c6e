import { describe, expect, it } from "vitest";
import { anonymous, type Client, signUpFree as signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { deliver, deliverAll, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const stripe = stripeSide();

const starter = { planKey: "starter", billingCycle: "monthly" };
const pro = { planKey: "pro", billingCycle: "monthly" };

const post = (client: Client, path: string, body?: object) =>
  client("POST", `/payments/stripe/${path}`, body);

const claim = (client: Client, session: string) => post(client, "claim", { session_id: session });

const status = async (client: Client) => (await client("GET", "/payments/stripe/subscription/status")).body;

const idOf = (url: string): string => url.split("/").at(-1) ?? "";

/** Opens a checkout and pays, without delivering the events. */
async function paid(buyer: Client, order: object, email: string) {
  const { body } = await post(buyer, "checkout", order);
  const subscription = await stripe.pay(body.url, email);
  return { session: idOf(body.url), subscription, id: String(subscription.id) };
}

/** The same without a sign-in, with all events delivered. */
async function bought(order: object, email: string) {
  const purchase = await paid(anonymous, order, email);
  await deliverAll(purchase.id);
  return purchase;
}

const atStripe = async (customer: string) => (await stripe.act("subscriptions", { customer }))[0];

const customerOf = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "User#Metadata" }))?.["stripe_customer_id"];

const idsAt = async (email: string) =>
  (await storedSubscriptions(email)).map((item) => item["subscription_id"]);

describe("claiming a purchase", () => {
  it("moves it from the address that paid to the account that is signed in", async () => {
    const [payer, other] = [await signUp(), await signUp()];
    const { session, subscription, id } = await bought(pro, other.email);
    expect(await status(other)).toMatchObject({ tier: "pro", unclaimed: true });

    const answer = await claim(payer, session);

    expect(answer).toMatchObject({ status: 200, body: { tier: "pro", is_active: true, unclaimed: false } });
    expect(await status(payer)).toEqual(answer.body);
    expect(await status(other)).toMatchObject({ tier: "free", unclaimed: false });
    expect(await idsAt(payer.email)).toEqual([id]);
    expect(await idsAt(other.email)).toEqual([]);
    expect(await customerOf(payer)).toBe(subscription.customer);
  });

  it("opens the portal, cancellation, resumption and upgrade to the account", async () => {
    const client = await signUp();
    const { session, subscription } = await bought(starter, client.email);
    await claim(client, session);

    expect((await post(client, "portal")).body.url).toBe(
      `https://billing.example.com/${subscription.customer}`,
    );
    expect((await post(client, "subscription/cancel")).status).toBe(200);
    expect((await post(client, "subscription/resume")).status).toBe(200);
    expect((await post(client, "checkout", pro)).body.url).toMatch(/upgraded=pro$/u);
    expect(await status(client)).toMatchObject({
      tier: "pro",
      cancel_at_period_end: false,
      unclaimed: false,
    });
  });

  it("stays with the account, whatever events arrive afterwards and in whatever order", async () => {
    const [payer, other] = [await signUp(), await signUp()];
    const { session, subscription, id } = await bought(starter, other.email);
    await claim(payer, session);

    await stripe.act("change-customer", { id: subscription.customer, set: { email: other.email } });
    await stripe.act("renew", { id });
    const again = (await stripe.events(id)).map((event) => ({ ...event, id: `evt_${crypto.randomUUID()}` }));
    await Promise.all(again.toReversed().map((event) => deliver(event)));

    expect(await idsAt(other.email)).toEqual([]);
    const [item] = await storedSubscriptions(payer.email);
    const { current_period_end: end } = (await atStripe(subscription.customer)).items.data[0];
    expect(item).toMatchObject({ claimed: true, current_period_end: String(end) });
  });

  it("works before any event of Stripe has arrived", async () => {
    const client = await signUp();
    const { session } = await paid(anonymous, pro, uniqueEmail());
    expect((await claim(client, session)).body).toMatchObject({ tier: "pro", unclaimed: false });
  });

  it("returns the same answer to repeated and concurrent requests", async () => {
    const client = await signUp();
    const { session, id } = await bought(pro, uniqueEmail());

    const answers = await Promise.all([claim(client, session), claim(client, session)]);
    answers.push(await claim(client, session));

    const [first] = answers;
    expect(first?.status).toBe(200);
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([200, first?.body]);
    expect(await idsAt(client.email)).toEqual([id]);
  });

  it("succeeds for one of two accounts that claim at the same time", async () => {
    const clients = [await signUp(), await signUp()];
    const { session, id } = await bought(pro, uniqueEmail());

    const answers = await Promise.all(clients.map((client) => claim(client, session)));

    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(answers.find((answer) => answer.status === 409)?.body.detail).toBe(
      "This purchase belongs to another account.",
    );
    for (const [index, client] of clients.entries())
      expect(await idsAt(client.email)).toEqual(answers[index]?.status === 200 ? [id] : []);
  });

  it("succeeds for one of two purchases that an account claims at the same time", async () => {
    const client = await signUp();
    const purchases = [await bought(pro, uniqueEmail()), await bought(starter, uniqueEmail())];

    const answers = await Promise.all(purchases.map(({ session }) => claim(client, session)));

    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await idsAt(client.email)).toHaveLength(1);
  });

  it("is completed by a repeat, or by the next event, after an interruption", async () => {
    const [payer, other] = [await signUp(), await signUp()];
    const { session, id, subscription } = await bought(pro, other.email);
    // The claim is recorded, and then the request fails.
    for (let i = 0; i < 2; i++)
      await stripe.fault({ kind: "fail", match: `"customer":"${subscription.customer}"`, status: 503 });
    expect((await claim(payer, session)).status).toBe(503);
    expect(await idsAt(other.email)).toEqual([id]);

    await stripe.act("renew", { id });
    await deliverAll(id);

    expect(await idsAt(other.email)).toEqual([]);
    expect(await idsAt(payer.email)).toEqual([id]);
    expect((await claim(payer, session)).body).toMatchObject({ tier: "pro" });
  });

  it("survives a lost answer of the database", async () => {
    const client = await signUp();
    const { session, id, subscription } = await bought(pro, uniqueEmail());
    await injectFault({
      match: [`StripeClaim#${subscription.customer}`],
      operation: "TransactWriteItems",
      fault: { kind: "lose-answer" },
    });

    expect((await claim(client, session)).status).toBe(200);
    expect(await idsAt(client.email)).toEqual([id]);
  });

  it("changes nothing for a purchase of the signed-in account", async () => {
    const client = await signUp();
    const { session } = await paid(client, starter, client.email);
    expect(await claim(client, session)).toMatchObject({
      status: 200,
      body: { tier: "starter", unclaimed: false },
    });
  });

  it("accepts a checkout that was paid by a coupon", async () => {
    const client = await signUp();
    const { session } = await bought(pro, uniqueEmail());
    await stripe.act("change-session", { id: session, set: { payment_status: "no_payment_required" } });
    expect((await claim(client, session)).status).toBe(200);
  });
});

describe("claiming in addition to an own plan", () => {
  it("is refused unless that plan is set to end", async () => {
    const client = await signUp();
    const own = await paid(client, starter, client.email);
    await deliverAll(own.id);
    const { session, subscription } = await bought(pro, client.email);

    expect(await claim(client, session)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("Cancel that plan") },
    });
    expect(await customerOf(client)).not.toBe(subscription.customer);

    await post(client, "subscription/cancel");
    expect(await claim(client, session)).toMatchObject({
      status: 200,
      body: { tier: "pro", unclaimed: false },
    });
    expect(await customerOf(client)).toBe(subscription.customer);
  });

  it("uses the better of the two, and lets the account manage both", async () => {
    const client = await signUp();
    const own = await paid(client, pro, client.email);
    await deliverAll(own.id);
    await post(client, "subscription/cancel");
    const { session, subscription } = await bought(starter, client.email);

    expect(await claim(client, session)).toMatchObject({ status: 200, body: { tier: "pro" } });

    expect((await post(client, "subscription/cancel")).status).toBe(200);
    expect(await atStripe(subscription.customer)).toMatchObject({ cancel_at_period_end: true });
  });
});

describe("a claim that is refused", () => {
  it.each([
    ["no id", ""],
    ["another kind of id", "sub_0123456789"],
    ["an id with a path to another resource", "cs_test_a/../../customers"],
    ["an id with white space", "cs_test_a b"],
    ["an id without a mode", "cs_0123456789"],
    ["an id that is too long", `cs_test_${"a".repeat(201)}`],
    ["the name of a member of every JavaScript object", "__proto__"],
  ])("never reaches Stripe: %s", async (_case, session) => {
    const answer = await claim(await signUp(), session);
    expect(answer).toMatchObject({ status: 422, body: { code: "validation-failed" } });
    const asked = await stripe.act<{ path: string }[]>("requests", { match: "/v1/checkout/sessions/" });
    expect(asked.filter(({ path }) => path.endsWith(`/${encodeURIComponent(session)}`))).toEqual([]);
  });

  it.each([
    ["nobody", "cs_test_0123456789"],
    ["the other mode", "cs_live_0123456789"],
  ])("answers 404 for a session of %s", async (_case, session) => {
    expect(await claim(await signUp(), session)).toMatchObject({
      status: 404,
      body: { detail: "Session not found or expired" },
    });
  });

  it.each([
    ["has not been paid", { status: "open" }, 409, "This checkout has not been paid yet."],
    ["waits for its payment", { payment_status: "unpaid" }, 409, "This checkout has not been paid yet."],
    ["has expired", { status: "expired" }, 404, "Session not found or expired"],
    ["is for no plan", { mode: "payment", subscription: null }, 409, "This checkout was not for a plan."],
  ])("states the reason if the checkout %s", async (_case, set, code, detail) => {
    const client = await signUp();
    const { session } = await bought(pro, uniqueEmail());
    await stripe.act("change-session", { id: session, set });

    expect(await claim(client, session)).toMatchObject({ status: code, body: { detail } });
    expect(await idsAt(client.email)).toEqual([]);
  });

  it("states the reason if the subscription has ended", async () => {
    const client = await signUp();
    const { session, id } = await bought(pro, uniqueEmail());
    await stripe.act("change", { id, set: { status: "canceled" }, event: "deleted" });

    expect(await claim(client, session)).toMatchObject({
      status: 409,
      body: { detail: "The subscription of this checkout has ended." },
    });
  });

  it("concerns a purchase of another signed-in account, before and after its event", async () => {
    const [buyer, thief] = [await signUp(), await signUp()];
    const { session, id } = await paid(buyer, pro, buyer.email);

    expect((await claim(thief, session)).status).toBe(409);
    await deliverAll(id);
    expect((await claim(thief, session)).status).toBe(409);

    expect(await idsAt(buyer.email)).toEqual([id]);
    expect(await idsAt(thief.email)).toEqual([]);
  });

  it("concerns a checkout that another service opened, except for the account that it names", async () => {
    const [client, thief] = [await signUp(), await signUp()];
    const { session } = await bought(pro, client.email);
    await stripe.act("change-session", { id: session, set: { metadata: {} } });

    expect((await claim(thief, session)).status).toBe(409);
    expect((await claim(client, session)).status).toBe(200);
  });

  it("comes from a deleted account", async () => {
    const client = await signUp();
    const { session } = await bought(pro, uniqueEmail());
    await client("DELETE", "/users/me");

    expect((await claim(client, session)).status).toBe(403);
  });

  it("has no token, or other members than the id", async () => {
    const { session } = await bought(pro, uniqueEmail());
    expect((await claim(anonymous, session)).status).toBe(401);

    const [client, victim] = [await signUp(), await signUp()];
    for (const name of ["email", "user_email"]) {
      const body = { session_id: session, [name]: victim.email };
      expect((await post(client, "claim", body)).status).toBe(422);
    }
    expect((await claim(client, session)).body).toMatchObject({ tier: "pro" });
    expect(await idsAt(victim.email)).toEqual([]);
  });
});
