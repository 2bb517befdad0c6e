import { describe, expect, it } from "vitest";
import { providerError } from "../../src/llm/errors.ts";
import { signUp } from "../support/app.ts";
import { ask, asked, behaviour, newKey } from "./settings-app.ts";

const KEYED = "/settings/providers/Keyed";

async function trialOf(list: Parameters<typeof behaviour.set>[1]) {
  const client = await signUp();
  const api_key = newKey();
  behaviour.set(api_key, list);
  await ask(client)("POST", KEYED, { api_key });
  return { api_key, answer: await ask(client)("POST", `${KEYED}/test`) };
}

describe("trying a provider", () => {
  it("says that the credentials work, after asking once", async () => {
    const { api_key, answer } = await trialOf(() => Promise.resolve([{ id: "a", name: "A" }]));

    expect([answer.status, answer.body]).toEqual([
      200,
      { ok: true, message: "Keyed accepts these credentials and lists 1 models.", code: null },
    ]);
    expect(asked.filter(({ key }) => key === api_key)).toHaveLength(1);
  });

  it.each([
    [
      "provider-auth",
      () => providerError.auth("sk-canary"),
      "The model provider refused the API key. Please check it in the settings.",
    ],
    [
      "provider-quota",
      () => providerError.quota("sk-canary"),
      "The account at the model provider has no quota left.",
    ],
    ["provider-unavailable", () => new Error("connect sk-canary"), "The model provider can't be reached."],
  ])("says %s in words, and nothing of the provider's own", async (code, error, message) => {
    const { answer } = await trialOf(() => Promise.reject(error()));

    expect([answer.status, answer.body]).toEqual([200, { ok: false, message, code }]);
    expect(JSON.stringify(answer.body)).not.toContain("canary");
  });

  it("asks for what was never entered, and knows no other providers", async () => {
    const client = await signUp();

    const absent = await ask(client)("POST", `${KEYED}/test`);
    const unknown = await ask(client)("POST", "/settings/providers/Nobody/test");

    expect([absent.status, absent.body.code, absent.body.detail]).toEqual([
      409,
      "provider-not-configured",
      "Provider 'Keyed' is not configured. Please configure it in Settings > Provider Configuration.",
    ]);
    expect(unknown.status).toBe(404);
  });

  it("asks a model by name, and says what is wrong with it", async () => {
    const client = await signUp();
    await ask(client)("POST", KEYED, { api_key: newKey() });

    const { body } = await ask(client)("POST", `${KEYED}/test?model=other`);

    expect(body).toEqual({
      ok: false,
      message: "The model provider can't be reached at the moment.",
      code: "provider-unavailable",
    });
  });
});
