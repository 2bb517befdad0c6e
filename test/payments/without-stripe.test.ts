import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { signUp } from "../support/app.ts";

/** Sends a request of a new account to a deployment that sells nothing. */
async function answerOf(method: string, path: string, body?: object) {
  const { token } = await signUp();
  const app = createApp(async (variables) => {
    const ports = await portsFrom(variables);
    return { ...ports, config: { ...ports.config, stripe: undefined } };
  });
  const ctx = createExecutionContext();
  const init = {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  };
  const response = await app.request(path, init, env, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: JSON.parse(text) as object,
  };
}

it("without Stripe, everybody is on the free plan", async () => {
  const { status, body } = await answerOf("GET", "/payments/stripe/subscription/status");

  expect(status).toBe(200);
  expect(body).toMatchObject({ tier: "free", is_active: false, status: null, unclaimed: false });
});

it.each([
  ["/payments/stripe/checkout", { planKey: "pro", billingCycle: "monthly" }],
  ["/payments/stripe/subscription/cancel", undefined],
  ["/payments/stripe/subscription/resume", undefined],
  ["/payments/stripe/portal", undefined],
  ["/payments/stripe/claim", { session_id: "cs_test_1" }],
])("without Stripe, %s reports that it is not configured, and is not retryable", async (path, sent) => {
  const { status, retryAfter, body } = await answerOf("POST", path, sent);

  expect([status, retryAfter]).toEqual([503, null]);
  expect(body).toMatchObject({ code: "not-configured", detail: "Stripe not configured" });
});
