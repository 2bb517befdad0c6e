import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, it } from "vitest";
import { app, type Client, signUp } from "../support/app.ts";

const SETTINGS = "/settings/providers/OpenAICompatible";

/** A deployment in production. */
const PRODUCTION = {
  ...env,
  ENVIRONMENT: "production",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  PUBLIC_URL: "https://api.example.net",
  FRONTEND_URL: "https://app.example.net",
};

async function post({ token }: Client, path: string, body: object, variables: object = {}) {
  const ctx = createExecutionContext();
  const init = {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await app.request(path, init, { ...PRODUCTION, ...variables }, ctx);
  const answer = { status: response.status, body: await response.json<Record<string, unknown>>() };
  await waitOnExecutionContext(ctx);
  return answer;
}

it.each([
  ["https://api.example.net/v1", "It has to name a public host."],
  ["https://API.example.net./v1", "It has to name a public host."],
  ["https://www.app.example.net/v1", "It has to name a public host."],
  ["https://ollama.internal/v1", "It has to name a public host."],
  ["http://localhost:11434/v1", "Only the ports 80 and 443 are allowed."],
  ["http://models.example.com/v1", "It has to begin with https://."],
])("stores no base URL %s: %s", async (base_url, reason) => {
  const client = await signUp();

  const { status, body } = await post(client, SETTINGS, { base_url, api_key: "sk-1234567890" });

  expect(status).toBe(422);
  expect(body["detail"]).toContain(`This base URL can't be used. ${reason}`);
});

it("calls no server without TLS, even if it was stored before such servers were refused", async () => {
  const client = await signUp();
  const stored = { base_url: "http://models.example.com/v1", api_key: "sk-1234567890" };
  expect((await post(client, SETTINGS, stored, { ENVIRONMENT: "local" })).status).toBe(201);

  const { body } = await post(client, `${SETTINGS}/test`, {});

  expect(body).toMatchObject({
    ok: false,
    message: expect.stringContaining("It has to begin with https://."),
  });
});

it("stores and calls a private server without TLS and key if the deployment allows its origin", async () => {
  const client = await signUp();
  const { origin } = new URL(inject("model"));
  const allowed = { OUTBOUND_ALLOW: ` http://vllm.internal:8000 , ${origin}/ ` };

  const refused = await post(client, SETTINGS, { base_url: `${origin}/v1` });
  const saved = await post(client, SETTINGS, { base_url: `${origin}/v1` }, allowed);
  const tried = await post(client, `${SETTINGS}/test`, {}, allowed);
  const triedLater = await post(client, `${SETTINGS}/test`, {});

  expect([refused.status, saved.status]).toEqual([422, 201]);
  expect(tried.body).toMatchObject({ ok: true });
  expect(triedLater.body).toMatchObject({ ok: false, code: "provider-unavailable" });
});

it.each(["localhost:11434", "http://localhost:11434/v1", "http://user@localhost", "ftp://localhost", "*"])(
  "does not start with %s as an allowed origin",
  async (entry) => {
    const client = await signUp();

    const { status } = await post(client, SETTINGS, {}, { OUTBOUND_ALLOW: `https://ok.internal,${entry}` });

    expect(status).toBe(503);
  },
);
