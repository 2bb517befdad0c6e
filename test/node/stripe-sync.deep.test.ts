import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFakeStripe } from "./fake-stripe.ts";

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

it("prints what it would change, changes it with `--apply`, and has nothing to change afterwards", async () => {
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

it("requires a key", async () => {
  const run = promisify(execFile)(process.execPath, ["scripts/stripe-sync.ts"], {
    env: { ...process.env, STRIPE_SECRET_KEY: "" },
  });
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Set STRIPE_SECRET_KEY"),
  });
});

it.each([
  ["offline", "http://127.0.0.1:1", /^Stripe does not answer \(ECONNREFUSED\)\. Are you offline\?\n$/u],
  ["with a bad key", undefined, /^Stripe does not accept the key in STRIPE_SECRET_KEY\.\n$/u],
])("reports a failure in one line %s", async (_case, url, sentence) => {
  const refusing = createServer((_request, response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ error: { type: "invalid_request_error", message: "Invalid API Key: sk_…" } }),
    );
  });
  await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = refusing.address() as AddressInfo;
  const env = {
    ...process.env,
    STRIPE_SECRET_KEY: "sk_test_x",
    STRIPE_API_URL: url ?? `http://127.0.0.1:${port}`,
  };

  const run = promisify(execFile)(process.execPath, ["scripts/stripe-sync.ts"], { env });

  await expect(run).rejects.toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(sentence) });
  refusing.close();
});
