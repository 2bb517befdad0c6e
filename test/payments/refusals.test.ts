import { afterEach, describe, expect, it, vi } from "vitest";
import { type Client, signUpFree as signUp } from "../support/app.ts";
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
import { deliver, storedSubscriptions, stripeSide } from "../support/stripe.ts";

const stripe = stripeSide();

const errors = vi.spyOn(console, "error");
afterEach(() => errors.mockClear());

/** The alerts in the log. */
const alerts = () => errors.mock.calls.flatMap(([line]) => (line?.alert === "payments" ? [line] : []));

const cancel = (client: Client) => client("POST", "/payments/stripe/subscription/cancel");

describe("an upgrade", () => {
  const upgrading = async (test: string) => {
    const client = await signUp();
    const { id, customer } = await buy(client, STARTER);
    await change(id, { metadata: { test, user_email: client.email } });
    return { answer: await order(client, PRO), client, customer };
  };

  it("with a declined card is refused, and leaves the plan as it is", async () => {
    const { answer, client } = await upgrading("declined");

    expect(answer).toMatchObject({
      status: 409,
      body: {
        reason: "card-declined",
        detail: "The card was declined. Please check it or use another card.",
      },
    });
    expect(await statusOf(client)).toMatchObject({ tier: "starter" });
  });

  it.each(["needs-authentication", "refused-until-confirmed"])(
    "that the bank wants confirmed leads to the page for the confirmation: %s",
    async (test) => {
      const { answer, client, customer } = await upgrading(test);

      const [{ latest_invoice: invoice }] = await atStripe(customer);
      expect(answer).toMatchObject({
        status: 200,
        body: { url: `https://invoice.example.com/${invoice}` },
      });
      expect(await statusOf(client)).toMatchObject({ tier: "starter" });
    },
  );

  it("in another currency is refused with the reason", async () => {
    const client = await signUp();
    await buy(client, STARTER, { currency: "gbp" });

    expect(await order(client, PRO)).toMatchObject({
      status: 409,
      body: {
        reason: "currency",
        detail:
          "This plan is not sold in the currency that you have paid in so far. Please contact support to change it.",
      },
    });
    expect(alerts()).toMatchObject([{ reason: "currency", type: "StripeInvalidRequestError", status: 400 }]);
  });
});

it("reports the schedule as the reason if Stripe mentions it only in its refusal", async () => {
  const client = await signUp();
  const { id } = await buy(client, STARTER);
  const message =
    "The subscription is managed by the subscription schedule `sub_sched_1`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.";
  const error = { type: "invalid_request_error", message };
  await stripe.fault({ kind: "fail", match: `POST /v1/subscriptions/${id}`, status: 400, error });

  expect(await cancel(client)).toMatchObject({ status: 409, body: { reason: "subscription-schedule" } });
});

it("a checkout in another currency than the customer's is refused with the reason", async () => {
  const client = await signUp();
  await order(client, STARTER);
  await stripe.act("change-customer", { id: await customerOf(client), set: { currency: "eur" } });

  expect(await order(client, PRO)).toMatchObject({ status: 409, body: { reason: "currency" } });
});

it("an unforeseen refusal is a conflict and an alert, and quotes nothing of Stripe's", async () => {
  const client = await signUp();
  const { id } = await buy(client, STARTER);
  const error = {
    type: "invalid_request_error",
    code: "parameter_invalid",
    message: "sk_test_secret is odd.",
  };
  await stripe.fault({ kind: "fail", match: `POST /v1/subscriptions/${id}`, status: 400, error });

  const answer = await cancel(client);

  expect(answer).toMatchObject({
    status: 409,
    body: {
      reason: "refused",
      detail: "The payment service refused this request, and nothing was changed. Please contact support.",
    },
  });
  expect(alerts()).toMatchObject([{ code: "parameter_invalid", reason: "refused" }]);
  expect(JSON.stringify([answer.body, errors.mock.calls])).not.toContain("sk_test_secret");
});

it("a key that Stripe refuses is an alert, and not retryable", async () => {
  const client = await signUp();
  const error = { type: "invalid_request_error", message: "Invalid API Key provided: sk_test_*** " };
  await stripe.fault({ kind: "fail", match: client.email, status: 401, error });

  const answer = await order(client, STARTER);

  expect(answer).toMatchObject({
    status: 503,
    body: { detail: "Payments are not set up correctly. Please contact support." },
  });
  expect(answer.headers.has("retry-after")).toBe(false);
  expect(alerts()).toMatchObject([{ type: "StripeAuthenticationError" }]);
});

describe("a subscription in Stripe's other mode", () => {
  const moved = async () => {
    const client = await signUp();
    const { id, customer } = await buy(client, STARTER);
    await stripe.act("move-to-live-mode", { ids: [id, customer] });
    return { client, id, customer };
  };
  const refusal = {
    status: 409,
    body: {
      reason: "wrong-mode",
      detail:
        "This purchase belongs to Stripe's live mode, but this service uses Stripe's test mode. Please contact support.",
    },
  };

  it("is not reported as missing by a cancellation or the portal", async () => {
    const { client } = await moved();

    expect(await cancel(client)).toMatchObject(refusal);
    expect(await client("POST", "/payments/stripe/portal")).toMatchObject(refusal);
    expect(alerts().length).toBeGreaterThan(1);
  });

  it("does not prevent a purchase in this mode", async () => {
    const { client, customer } = await moved();

    const answer = await order(client, PRO);

    expect(answer.body.url).toMatch(/^https:\/\/checkout\./u);
    expect(await customerOf(client)).not.toBe(customer);
  });

  it("is acknowledged as an event, with an alert", async () => {
    const { id } = await moved();
    const [event] = await stripe.events(id);

    expect((await deliver({ ...event, id: `evt_${crypto.randomUUID()}` })).status).toBe(200);
    expect(alerts()).toContainEqual(expect.objectContaining({ subscription: id }));
  });
});

it("two live subscriptions of an account cause one alert that names both", async () => {
  const client = await signUp();
  const first = await buy(client, STARTER);
  expect(alerts()).toEqual([]);

  const metadata = { user_email: client.email };
  const second = await subscribe(client, { price: "price_pro_monthly", metadata });

  expect(alerts()).toEqual([
    {
      message: "An account pays for several plans. The best of them counts.",
      alert: "payments",
      subscriptions: [second.id, first.id],
    },
  ]);
});

it("a disputed payment causes one alert, however often its event arrives, and changes nothing", async () => {
  const client = await signUp();
  await buy(client, PRO);
  const stored = await storedSubscriptions(client.email);
  const event = {
    id: `evt_${crypto.randomUUID()}`,
    object: "event",
    type: "charge.dispute.created",
    data: { object: { object: "dispute", id: "dp_1", charge: "ch_1" } },
  };

  expect((await deliver(event)).status).toBe(200);
  expect((await deliver(event)).status).toBe(200);

  expect(alerts()).toMatchObject([{ event: event.id, type: "charge.dispute.created" }]);
  expect(await storedSubscriptions(client.email)).toEqual(stored);
});
