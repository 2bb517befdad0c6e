import { env } from "cloudflare:workers";
import { expect, inject, it } from "vitest";
import { Vault, parseVaultKeys } from "../../src/shared/encryption.ts";
import { guardedFetch } from "../../src/shared/guarded-fetch.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { attemptDelivery } from "../../src/webhooks/attempt.ts";
import type { WebhookEndpoint } from "../../src/webhooks/model.ts";
import { newSecret, sealSecret } from "../../src/webhooks/signing.ts";
import { signUp } from "../support/app.ts";
import { requestIn } from "../http/route-cases.ts";
import { startReceiver } from "../support/webhooks.ts";

const PRODUCTION = {
  ENVIRONMENT: "production",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  PUBLIC_URL: "https://api.example.net",
  FRONTEND_URL: "https://app.example.net",
} as unknown as Partial<Env>;

const trap = new URL(inject("trap"));
const hits = async (): Promise<number> => Number(await (await fetch(new URL("/hits", trap))).text());

/** Addresses that lead into private networks, to this service or to no host, however they are written. */
const FORBIDDEN = [
  "https://127.0.0.1/hook",
  "https://127.1/hook",
  "https://2130706433/hook",
  "https://0x7f000001/hook",
  "https://0177.0.0.1/hook",
  "https://①②⑦.0.0.1/hook",
  "https://[::1]/hook",
  "https://[::ffff:127.0.0.1]/hook",
  "https://[64:ff9b::7f00:1]/hook",
  "https://0.0.0.0/hook",
  "https://169.254.169.254/latest/meta-data/",
  "https://10.0.0.1/hook",
  "https://localhost/hook",
  "https://LOCALHOST./hook",
  "https://trap.localhost/hook",
  "https://metadata.google.internal/hook",
  "https://intranet/hook",
  "https://api.example.net/webhooks",
  "https://API.example.net./webhooks",
  "https://hooks.example.com:8443/hook",
  "http://hooks.example.com/hook",
  "https://user@hooks.example.com/hook",
  "gopher://hooks.example.com/hook",
];

it.each(FORBIDDEN)("does not accept the address %s", async (url) => {
  const { token } = await signUp();
  const body = { url, events: ["run.completed"] };

  const created = await requestIn(PRODUCTION, "POST", "/webhooks", { body, token });

  expect([created.status, created.body.detail]).toEqual([422, expect.stringContaining("url can't be used.")]);
});

it("accepts a public address, and refuses to change it into a private one", async () => {
  const { token } = await signUp();
  const body = { url: "https://hooks.example.com/agents", events: ["run.completed"] };

  const created = await requestIn(PRODUCTION, "POST", "/webhooks", { body, token });
  const path = `/webhooks/${created.body.webhook_id}`;
  const changed = await requestIn(PRODUCTION, "PATCH", path, { body: { url: "https://10.0.0.1/" }, token });

  expect([created.status, changed.status]).toEqual([201, 422]);
});

const vault = new Vault(parseVaultKeys(env.ENCRYPTION_KEY) ?? [{ id: "", secret: new Uint8Array(32) }]);

/** An endpoint as it may have been stored at any time. */
async function endpointAt(url: string): Promise<WebhookEndpoint> {
  const owner = { accountEmail: accountEmailOf("alice@example.com"), id: crypto.randomUUID() };
  return {
    ...owner,
    url,
    description: null,
    events: ["run.completed"],
    isEnabled: true,
    disabledReason: null,
    disabledAt: null,
    secrets: [{ sealed: await sealSecret(vault, owner, newSecret()), endsAt: null, rotationId: null }],
    rotationIds: [],
    hint: "",
    createdAt: "",
    updatedAt: null,
  };
}

/** Attempts a delivery over the real network, with a resolver that knows where names of the test lead. */
async function attempt(url: string, { isLocal = false, to = "127.0.0.1", answerMs = 10_000 } = {}) {
  const event = { id: crypto.randomUUID(), body: "{}" };
  return attemptDelivery(await endpointAt(url), event, {
    fetch: guardedFetch({
      isLocal,
      ownHosts: ["api.example.net"],
      allowedOrigins: [],
      fetch: (input, init) => fetch(input, init),
      resolve: () => Promise.resolve([to]),
    }),
    vault,
    now: Date.now,
    answerMs,
  });
}

it("requests no forbidden address, even if it was stored", async () => {
  const before = await hits();

  const urls = [
    ...FORBIDDEN,
    `https://127.0.0.1:${trap.port}/hook`,
    `http://localhost:${trap.port}/hook`,
    "https://public-by-name.example.com/hook",
  ];
  for (const url of urls) {
    const result = await attempt(url);
    expect([url, result]).toEqual([
      url,
      {
        isDelivered: false,
        isGone: false,
        status: null,
        durationMs: expect.any(Number),
        error: expect.stringContaining("The address can't be used."),
        retryAfterMs: 0,
      },
    ]);
  }

  expect(await hits()).toBe(before);
});

it("does not follow a redirect", async () => {
  const before = await hits();
  const receiver = await startReceiver({ status: 307, headers: { location: `${trap.origin}/caught` } });

  const result = await attempt(receiver.hook, { isLocal: true });

  expect(result).toMatchObject({
    isDelivered: false,
    status: 307,
    error: "The receiver answered with 307. Redirects are not followed: enter the final address.",
  });
  expect(await hits()).toBe(before);
});

it("does not read the answer, whatever its length", async () => {
  const receiver = await startReceiver(
    { status: 200, fault: "endless" },
    { status: 500, body: "secret stack trace", fault: "stall" },
  );

  const endless = await attempt(receiver.hook, { isLocal: true });
  const stalled = await attempt(receiver.hook, { isLocal: true });

  expect(endless).toMatchObject({ isDelivered: true, status: 200, error: null });
  expect(stalled).toMatchObject({ isDelivered: false, error: "The receiver answered with 500." });
  // A few pieces are on their way before the sender closes the connection.
  expect((await receiver.log()).bytesSent).toBeLessThan(100_000_000);
});

it("gives up on a receiver that does not answer in time", async () => {
  const receiver = await startReceiver({ fault: "hold" });

  const result = await attempt(receiver.hook, { isLocal: true, answerMs: 50 });
  await receiver.release();

  expect(result).toMatchObject({
    isDelivered: false,
    status: null,
    error: "The receiver did not answer within 0.05 seconds.",
  });
});

it("says that a receiver could not be reached, and nothing about the network", async () => {
  const result = await attempt("http://127.0.0.1:1/hook", { isLocal: true });

  expect(result).toMatchObject({
    isDelivered: false,
    status: null,
    error: "The receiver could not be reached, or closed the connection.",
  });
});

it("sends nothing unsigned if the secret can't be read any more", async () => {
  const receiver = await startReceiver();
  const endpoint = { ...(await endpointAt(receiver.hook)), id: "another endpoint" };
  const result = await attemptDelivery(
    endpoint,
    { id: "1", body: "{}" },
    { fetch: (input, init) => fetch(input, init), vault, now: Date.now },
  );

  expect(result.error).toBe("The signing secret can't be read any more. Rotate it.");
  expect(await receiver.received()).toEqual([]);
});
