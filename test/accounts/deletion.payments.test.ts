import { expect, it, vi } from "vitest";
import { type Client, signUpFree } from "../support/app.ts";
import { deliver, storedSubscriptions, stripeSide } from "../support/stripe.ts";
import { phaseOf, untilPhase } from "./deletions.ts";
import { scan } from "./plant.ts";

vi.setConfig({ testTimeout: 20_000 });

const stripe = stripeSide();

/** Somebody who pays for a plan. */
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

const tracesOf = ({ email }: Client, id: string) => scan(email, id);

it("ends what the account pays for, and keeps nothing of Stripe's last word", async () => {
  const { client, id } = await payer();

  await client("DELETE", "/users/me");
  await untilPhase(client, "resting");

  const [deleted, ...more] = await eventsOf(id);
  expect(more).toEqual([]);
  expect(deleted).toMatchObject({ data: { object: { id, status: "canceled" } } });

  // It may come while the account goes, and once more when it is gone.
  expect((await deliver(deleted ?? {})).status).toBe(200);
  expect(await storedSubscriptions(client.email)).toEqual([]);
  await untilPhase(client, "completed");
  expect(await tracesOf(client, id)).toEqual([]);
  expect((await deliver({ ...deleted, id: `evt_${crypto.randomUUID()}` })).status).toBe(200);
  expect(await tracesOf(client, id)).toEqual([]);
});

it("waits with everything else while Stripe is down, and then ends it", async () => {
  const { client, id } = await payer();
  // Two attempts for each of two rings of the alarm.
  for (let i = 0; i < 4; i++)
    await stripe.fault({ kind: "fail", match: `DELETE /v1/subscriptions/${id}`, status: 503 });

  await client("DELETE", "/users/me");
  await expect.poll(() => phaseOf(client)).toBe("sweeping");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await phaseOf(client)).toBe("sweeping");
  expect(await eventsOf(id)).toEqual([]);
  expect(await storedSubscriptions(client.email)).toHaveLength(1);

  await untilPhase(client, "completed");
  expect(await eventsOf(id)).toHaveLength(1);
  expect(await tracesOf(client, id)).toEqual([]);
});
