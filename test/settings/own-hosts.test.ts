import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { app, signUp } from "../support/app.ts";

it.each(["https://api.example.net/v1", "https://API.example.net./v1", "https://www.app.example.net/v1"])(
  "asks for no model at the service's own address %s",
  async (base_url) => {
    const { token } = await signUp();
    const ctx = createExecutionContext();
    const deployment = {
      ...env,
      ENVIRONMENT: "production",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      PUBLIC_URL: "https://api.example.net",
      FRONTEND_URL: "https://app.example.net",
    };
    const init = {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ base_url, api_key: "sk-1234567890" }),
    };

    const response = await app.request("/settings/providers/OpenAICompatible", init, deployment, ctx);

    expect(response.status).toBe(422);
    expect(await response.text()).toContain("It has to name a public host.");
    await waitOnExecutionContext(ctx);
  },
);
