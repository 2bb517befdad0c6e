import { describe, expect, it } from "vitest";
import { providerError } from "../../src/llm/errors.ts";
import { plantOldAgent } from "../agents/old-items.ts";
import { signUp } from "../support/app.ts";
import { answering, ask, asked, behaviour, newKey } from "./settings-app.ts";

const KEYED = "/settings/providers/Keyed";

async function trialOf(list: Parameters<typeof behaviour.set>[1]) {
  const client = await signUp();
  const api_key = newKey();
  behaviour.set(api_key, list);
  await ask(client)("POST", KEYED, { api_key });
  return { api_key, answer: await ask(client)("POST", `${KEYED}/test`) };
}

describe("trying a provider", () => {
  it("does not call a key accepted if the provider has only listed its models", async () => {
    const { api_key, answer } = await trialOf(() => Promise.resolve([{ id: "a", name: "A" }]));

    expect([answer.status, answer.body]).toEqual([
      200,
      {
        ok: true,
        message:
          "Keyed lists 1 model. It may do so without checking the key; a trial message to a model says more.",
        code: null,
        checked: "list",
      },
    ]);
    expect(asked.filter(({ key }) => key === api_key)).toHaveLength(1);
  });

  it("sends a trial message to a listed model that is known to answer messages", async () => {
    const client = await signUp();
    const api_key = newKey();
    const listed = ["embedding-1", "old-2"].map((id) => ({ id, name: id }));
    behaviour.set(api_key, () => Promise.resolve(listed));
    await ask(client)("POST", KEYED, { api_key });
    const test = async () => (await ask(client)("POST", `${KEYED}/test`)).body;

    // The list is open, and the key is wrong.
    expect(await test()).toMatchObject({ ok: false, code: "provider-unavailable", checked: null });
    answering.add(api_key);
    expect(await test()).toEqual({
      ok: true,
      message: "Keyed lists 2 models. The model 'old-2' answers.",
      code: null,
      checked: "message",
    });
  });

  it("sends a trial message to the model of an agent, if no other is known", async () => {
    const client = await signUp();
    const api_key = newKey();
    const base_url = "https://one.example/v1";
    await ask(client)("POST", "/settings/providers/Addressed", { base_url, api_key });
    answering.add(api_key);
    await plantOldAgent(client.email, { agent_provider: "Addressed", agent_model: "of-ada" });

    const { body } = await ask(client)("POST", "/settings/providers/Addressed/test");

    expect(body).toMatchObject({
      message: "Addressed Things lists 1 model. The model 'of-ada' answers.",
      checked: "message",
    });
  });

  it("asks the model of an agent at a server that has no list, and otherwise says what is missing", async () => {
    const client = await signUp();
    const api_key = newKey();
    behaviour.set(api_key, () => Promise.reject(providerError.unknownModel(new Error("404"))));
    answering.add(api_key);
    await ask(client)("POST", KEYED, { api_key });
    const test = async () => (await ask(client)("POST", `${KEYED}/test`)).body;

    expect(await test()).toEqual({
      ok: false,
      message: "This address has no list of models. Check it, or name a model to test.",
      code: "provider-unavailable",
      checked: null,
    });
    await plantOldAgent(client.email, { agent_provider: "Keyed", agent_model: "of-ada" });
    expect(await test()).toMatchObject({
      ok: true,
      message: "The model 'of-ada' answers.",
      checked: "message",
    });
  });

  it("prefers a model of an agent that is listed, because others may be of an earlier address", async () => {
    const client = await signUp();
    const api_key = newKey();
    const base_url = "https://one.example/v1";
    await ask(client)("POST", "/settings/providers/Addressed", { base_url, api_key });
    answering.add(api_key);
    for (const agent_model of ["of-another-server", "live-1"])
      await plantOldAgent(client.email, { agent_model, agent_provider: "Addressed" });

    const { body } = await ask(client)("POST", "/settings/providers/Addressed/test");

    expect(body.message).toBe("Addressed Things lists 1 model. The model 'live-1' answers.");
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
      "The account at the model provider has no credit left. Please add credit there.",
    ],
    ["provider-unavailable", () => new Error("connect sk-canary"), "The model provider can't be reached."],
  ])("reports %s in a sentence that quotes nothing of the provider's", async (code, error, message) => {
    const { answer } = await trialOf(() => Promise.reject(error()));

    expect([answer.status, answer.body]).toEqual([200, { ok: false, message, code, checked: null }]);
    expect(JSON.stringify(answer.body)).not.toContain("canary");
  });

  it("reports missing credentials and unknown providers", async () => {
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

  it("calls a model by name, and reports what is wrong with it", async () => {
    const client = await signUp();
    await ask(client)("POST", KEYED, { api_key: newKey() });

    const { body } = await ask(client)("POST", `${KEYED}/test?model=other`);

    expect(body).toEqual({
      ok: false,
      message: "The model provider can't be reached at the moment.",
      code: "provider-unavailable",
      checked: null,
    });
  });
});
