import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFakeStripe } from "./fake-stripe.ts";

/** Each run starts a process. */
const SLOW = { timeout: 60_000 };

let stripe: Awaited<ReturnType<typeof startFakeStripe>>;
beforeAll(async () => {
  stripe = await startFakeStripe();
});
afterAll(() => stripe.stop());

async function sync(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, STRIPE_SECRET_KEY: "sk_test_sync", STRIPE_API_URL: stripe.url };
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/stripe-sync.ts", ...args], {
    env,
  });
  return stdout;
}

it("says what it would change, changes it when told to, and then has nothing to change", SLOW, async () => {
  const first = await sync();
  expect(first).toContain("would: create the product Starter");
  expect(first).toContain(
    "would: replace the price price_pro_monthly by 99.00 USD per month (pro-monthly-usd)",
  );
  expect(await sync()).toBe(first);

  expect(await sync("--apply")).toContain("changes made.");
  expect(await sync()).toBe("Stripe has everything as pricing_config.json says.\n");
  expect(await sync("--apply")).toBe("Stripe has everything as pricing_config.json says.\n");
});

it("wants a key", SLOW, async () => {
  const run = promisify(execFile)(process.execPath, ["scripts/stripe-sync.ts"], {
    env: { ...process.env, STRIPE_SECRET_KEY: "" },
  });
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Set STRIPE_SECRET_KEY"),
  });
});
