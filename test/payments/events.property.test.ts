import { env } from "cloudflare:workers";
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import worker from "../../src/index.ts";
import { signUpFree } from "../support/app.ts";
import { deliver, storedSubscriptions, stripeSide, uniqueEmail } from "../support/stripe.ts";

const PRICES = ["price_starter_monthly", "price_pro_monthly", "price_pro_annual", "price_old_starter"];

/** What happens at Stripe. */
const Change = fc.oneof(
  fc.constantFrom("active", "past_due", "unpaid", "paused").map((status) => ({ status })),
  fc.constantFrom(...PRICES).map((price) => ({ price })),
  fc.boolean().map((ending) => ({ cancel_at_period_end: ending })),
  fc.constantFrom(null, 4_000_000_000).map((at) => ({ cancel_at: at })),
);

const PLANS: Record<string, string> = {
  price_starter_monthly: "starter",
  price_pro_monthly: "pro",
  price_pro_annual: "pro",
  price_old_starter: "starter",
};

/** What the table should contain for a subscription at Stripe. */
const expected = (subscription: {
  id: string;
  status: string;
  cancel_at_period_end: boolean;
  cancel_at: number | null;
  items: { data: { price: { id: string } }[] };
}) => ({
  subscription_id: subscription.id,
  status: subscription.status,
  cancel_at_period_end: subscription.cancel_at_period_end || subscription.cancel_at !== null,
  price_id: subscription.items.data[0]?.price.id,
  plan_name: PLANS[subscription.items.data[0]?.price.id ?? ""],
});

// Scenario 22.
it("stores Stripe's final state, however often, close together and in whatever order its events arrive", async () => {
  const stripe = stripeSide();

  await fc.assert(
    fc.asyncProperty(
      fc.array(Change, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 4 }),
      async (changes, choices, width) => {
        const email = uniqueEmail();
        const subscription = await stripe.act("subscribe", { email });
        const waiting: object[] = [];
        let told = 0;

        const tell = async () => {
          const events = await stripe.events(subscription.id);
          // Each is delivered twice, and all of them in any order.
          for (const event of events.slice(told)) waiting.push(event, event);
          told = events.length;
        };
        const deliverSome = async (count: number) => {
          const chosen = Array.from({ length: Math.min(count, waiting.length) }, () => {
            const at = (choices.next().value ?? 0) % waiting.length;
            return waiting.splice(at, 1)[0] ?? {};
          });
          const answers = await Promise.all(chosen.map((event) => deliver(event)));
          expect(answers.map(({ status }) => status)).toEqual(chosen.map(() => 200));
        };

        await tell();
        for (const set of changes) {
          await Promise.all([stripe.act("change", { id: subscription.id, set }), deliverSome(width)]);
          await tell();
        }
        while (waiting.length > 0) await deliverSome(width);

        const [now] = await stripe.act("subscriptions", { customer: subscription.customer });
        expect(await storedSubscriptions(email)).toMatchObject([expected(now)]);
      },
    ),
    { numRuns: 15 },
  );
});

/** A purchase by an account, or by a stranger with its address, and its later state. */
const Purchase = fc.record({
  isOwn: fc.boolean(),
  price: fc.constantFrom(...PRICES),
  status: fc.constantFrom("active", "past_due", "trialing", "unpaid", "paused", "canceled"),
});

const RANKS = ["free", "starter", "pro"];

/** The best of what the account has bought itself, or else of what others have bought for it. */
function bestOf(purchases: readonly { isOwn: boolean; price: string; status: string }[]): string {
  const live = purchases.filter(({ status }) => ["active", "past_due", "trialing"].includes(status));
  const own = live.filter(({ isOwn }) => isOwn);
  const deciding = own.length > 0 ? own : live;
  return RANKS[Math.max(0, ...deciding.map(({ price }) => RANKS.indexOf(PLANS[price] ?? "free")))] ?? "";
}

it("returns the best plan of the account, whatever strangers buy and in whatever order events arrive", async () => {
  const stripe = stripeSide();

  await fc.assert(
    fc.asyncProperty(
      fc.array(Purchase, { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 4 }),
      async (purchases, choices, width) => {
        const client = await signUpFree();
        const { email } = client;
        const waiting: object[] = [];
        for (const { isOwn, price, status } of purchases) {
          const metadata = isOwn ? { user_email: email } : {};
          const { id } = await stripe.act("subscribe", { email, price, metadata });
          await stripe.act("change", { id, set: { status } });
          // Some are delivered twice, and of each subscription only the first or the last; the others are lost.
          const events = await stripe.events(id);
          const told = (choices.next().value ?? 0) % 2 === 0 ? events[0] : events.at(-1);
          waiting.push(told ?? {}, ...((choices.next().value ?? 0) % 2 === 0 ? events : []));
        }
        while (waiting.length > 0) {
          const chosen = Array.from({ length: Math.min(width, waiting.length) }, () => {
            const at = (choices.next().value ?? 0) % waiting.length;
            return waiting.splice(at, 1)[0] ?? {};
          });
          const answers = await Promise.all(chosen.map((event) => deliver(event)));
          expect(answers.map(({ status }) => status)).toEqual(chosen.map(() => 200));
        }

        const { body } = await client("GET", "/payments/stripe/subscription/status");
        const isLive = ({ status }: { status: string }) => !["unpaid", "paused", "canceled"].includes(status);
        expect(body).toMatchObject({
          tier: bestOf(purchases),
          unclaimed: purchases.some((purchase) => !purchase.isOwn && isLive(purchase)),
        });
        expect((await client("GET", "/usage")).body.tier).toBe(body.tier);
      },
    ),
    { numRuns: 10 },
  );
});

it("repairs subscriptions after lost events", async () => {
  const secretKey = `sk_test_${crypto.randomUUID()}`;
  const stripe = stripeSide(secretKey);
  const owned = [];
  for (const price of [...PRICES, ...PRICES]) {
    const email = uniqueEmail();
    owned.push({ email, subscription: await stripe.act("subscribe", { email, price }) });
  }
  const ended = uniqueEmail();
  await stripe.act("subscribe", { email: ended, status: "canceled" });

  const schedule = async () => {
    const ctx = createExecutionContext();
    const deployment = { ...env, STRIPE_SECRET_KEY: secretKey } as Env;
    await worker.scheduled(createScheduledController(), deployment);
    await waitOnExecutionContext(ctx);
  };
  await schedule();
  for (const { email, subscription } of owned)
    expect(await storedSubscriptions(email)).toMatchObject([expected(subscription)]);
  expect(await storedSubscriptions(ended)).toEqual([]);

  const [first] = owned;
  await stripe.act("change", { id: first?.subscription.id, set: { status: "canceled" }, event: "silent" });
  await schedule();
  expect(await storedSubscriptions(first?.email ?? "")).toMatchObject([
    { status: "canceled", sync_version: 2 },
  ]);
  const others = await Promise.all(owned.slice(1).map(({ email }) => storedSubscriptions(email)));
  expect(others.flat().map((item) => item["sync_version"])).toEqual(owned.slice(1).map(() => 1));
});
