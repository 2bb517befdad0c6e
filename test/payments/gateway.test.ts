import { accountEmailOf } from "../../src/shared/id-types.ts";
import { expect, inject, it } from "vitest";
import { StripeGateway } from "../../src/payments/gateway.ts";
import { stripeSide, uniqueEmail } from "../support/stripe.ts";

const MINUTE_MS = 60_000;

it("sends a new request after a failure that Stripe replays for the same idempotency key", async () => {
  const secretKey = `sk_test_${crypto.randomUUID()}`;
  const stripe = stripeSide(secretKey);
  let now = Date.now();
  const gateway = new StripeGateway({
    secretKey,
    webhookSecrets: [],
    apiUrl: inject("stripe"),
    fetch: (input, init) => fetch(input, init),
    now: () => now,
  });
  const email = uniqueEmail();
  await stripe.fault({ kind: "fail", match: `POST /v1/customers {"email":"${email}"`, status: 500 });
  await expect(gateway.customerOf(accountEmailOf(email), "", undefined)).rejects.toMatchObject({
    code: "unavailable",
  });

  now += MINUTE_MS;

  expect(await gateway.customerOf(accountEmailOf(email), "", undefined)).toMatch(/^cus_/u);
});
