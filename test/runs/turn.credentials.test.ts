import { describe, expect, inject, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { databaseRequests, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { fernetToken } from "../support/fernet.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { say } from "../support/sse.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";

const PROVIDER = "OpenAICompatible";
const SETTINGS = `/settings/providers/${PROVIDER}`;

const newKey = (): string => `sk-canary-${crypto.randomUUID()}`;
const keyOf = (client: Client) => ({ pk: `User#${client.email}`, sk: `ProviderSettings#${PROVIDER}` });

async function configure(client: Client): Promise<string> {
  const api_key = newKey();
  const { status } = await client("POST", SETTINGS, { base_url: inject("model"), api_key });
  expect(status).toBe(201);
  return api_key;
}

/** A conversation with an agent whose model is behind the provider. */
const begin = (client: Client, model: string, more: object = {}) =>
  beginConversation(client, { agent_provider: PROVIDER, agent_model: model, ...more });

const refusal = {
  status: 401,
  body: { error: { message: "Incorrect API key: sk-canary", code: "invalid_api_key" } },
};

describe("a turn with its owner's credentials", () => {
  it("calls the provider that the owner configured, with the owner's key and the agent's settings", async () => {
    const client = await signUp();
    const api_key = await configure(client);
    const model = await scriptModel([{ text: "Hello." }]);
    const { path, conversationId } = await begin(client, model.name, {
      temperature: "0.5",
      max_output_tokens: "321",
    });

    const turn = await say(client, path, "Hi");

    expect(turn.text).toBe("Hello.");
    const [asked] = (await model.log()).requests;
    expect(asked?.headers?.["authorization"]).toBe(`Bearer ${api_key}`);
    expect(asked?.body).toMatchObject({ temperature: 0.5, max_tokens: 321 });
    expect(JSON.stringify([turn.body, await storedMessages(conversationId)])).not.toContain(api_key);
  });

  it("is refused without settings of the owner, whatever other accounts have configured, and costs nothing", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    await configure(other);
    const model = await scriptModel([{ text: "Hello." }]);
    const { path, conversationId } = await begin(client, model.name);

    const { status, body } = await say(client, path, "Hi");

    expect([status, body.code, body.detail]).toEqual([
      409,
      "provider-not-configured",
      `Provider '${PROVIDER}' is not configured. Please configure it in Settings > Provider Configuration.`,
    ]);
    expect((await model.log()).requests).toEqual([]);
    expect(await storedMessages(conversationId)).toEqual([]);
    expect(await messagesUsed(client.email)).toBeUndefined();
  });

  it("uses what was configured last, and nothing that was removed", async () => {
    const client = await signUp();
    await configure(client);
    const model = await scriptModel([{ text: "One." }], [{ text: "Two." }]);
    const { path } = await begin(client, model.name);
    await say(client, path, "Hi");
    const api_key = await configure(client);
    await say(client, path, "Hi again");

    await client("DELETE", SETTINGS);
    const { status } = await say(client, path, "And now?");

    expect(status).toBe(409);
    const asked = (await model.log()).requests.map(({ headers }) => headers?.["authorization"]);
    expect(asked).toEqual([expect.any(String), `Bearer ${api_key}`]);
  });

  // Scenario 31.
  it("is refused with advice if they can't be decrypted", async () => {
    const [client, victim] = await Promise.all([signUp(), signUp()]);
    await configure(victim);
    const stolen = await table.get(keyOf(victim));
    await table.put({ ...stolen, ...keyOf(client) });
    const model = await scriptModel([{ text: "Hello." }]);
    const { path } = await begin(client, model.name);

    const { status, body } = await say(client, path, "Hi");

    expect([status, body.code]).toEqual([409, "provider-not-configured"]);
    expect(body.detail).toContain("Please enter them again");
    expect((await model.log()).requests).toEqual([]);
  });

  // Scenario 6.
  it("reports a refused key without showing any part of it", async () => {
    const client = await signUp();
    const api_key = await configure(client);
    const model = await scriptModel([refusal]);
    const { path } = await begin(client, model.name);

    const turn = await say(client, path, "Hi");

    expect(turn.last).toMatchObject({ event_type: "ERROR", code: "provider-auth", retryable: false });
    expect(JSON.stringify(turn.body)).not.toContain("canary");
    expect(JSON.stringify(turn.body)).not.toContain(api_key.slice(-4));
  });
});

describe("a turn with credentials of the legacy Python service", () => {
  it("uses them, and encrypts them anew without waiting for it", async () => {
    const client = await signUp();
    const api_key = newKey();
    const token = await fernetToken(
      "the-secret-of-the-python-service",
      JSON.stringify({ base_url: inject("model"), api_key }),
    );
    const planted = { ...keyOf(client), entity_type: "ProviderSettings", encrypted_credentials: token };
    await table.put(planted);
    const model = await scriptModel([{ text: "Hello." }]);
    const { path, conversationId } = await begin(client, model.name);
    const texts = [client.email, conversationId];
    const before = (await databaseRequests(...texts)).length;
    await injectFault({ match: texts, times: 1_000, fault: SLOW });

    const turn = await say(client, path, "Hi");

    expect(turn.text).toBe("Hello.");
    const [asked] = (await model.log()).requests;
    expect(asked?.headers?.["authorization"]).toBe(`Bearer ${api_key}`);
    const waits = (await databaseRequests(...texts))
      .slice(before)
      // What follows the turn is not over yet.
      .filter(({ endedAt }) => endedAt > 0 && endedAt <= (asked?.at ?? 0));
    expect(sequentialWaits(waits)).toBe(1);
    expect(await table.get(keyOf(client))).toEqual({
      ...planted,
      encrypted_credentials: expect.stringMatching(/^v1\.test\./u),
      encrypted_credentials_legacy: token,
    });
  });

  it("succeeds though they can't be encrypted anew, and leaves them as they are", async () => {
    const client = await signUp();
    const credentials = JSON.stringify({ base_url: inject("model"), api_key: newKey() });
    const token = await fernetToken("the-secret-of-the-python-service", credentials);
    await table.put({ ...keyOf(client), encrypted_credentials: token });
    const model = await scriptModel([{ text: "Hello." }]);
    const { path } = await begin(client, model.name);
    await injectFault({
      match: [client.email],
      operation: "UpdateItem",
      times: 100,
      fault: { kind: "answer", status: 400, body: { __type: "x#ValidationException" } },
    });

    const turn = await say(client, path, "Hi");
    await untilMet();

    expect(turn.text).toBe("Hello.");
    expect((await table.get(keyOf(client)))?.["encrypted_credentials"]).toBe(token);
  });
});

describe("an agent with a fallback", () => {
  it("is answered by it if the first provider refuses, with the fallback provider's own credentials", async () => {
    const client = await signUp();
    const api_key = await configure(client);
    const [first, second] = [await scriptModel([refusal]), await scriptModel([{ text: "From the second." }])];
    const { path } = await begin(client, first.name, {
      agent_provider: "Demo",
      fallback_provider: PROVIDER,
      fallback_model: second.name,
    });

    const turn = await say(client, path, "Hi");

    expect([turn.text, turn.last?.event_type]).toEqual(["From the second.", "STREAM_COMPLETE"]);
    const [asked] = (await second.log()).requests;
    expect(asked?.headers?.["authorization"]).toBe(`Bearer ${api_key}`);
    expect((await first.log()).requests).toHaveLength(1);
  });

  it("treats a fallback model without a provider as one of the agent's own provider", async () => {
    const client = await signUp();
    await configure(client);
    const [first, second] = [await scriptModel([refusal]), await scriptModel([{ text: "Yes." }])];
    const { path } = await begin(client, first.name, { fallback_model: second.name });

    expect((await say(client, path, "Hi")).text).toBe("Yes.");
  });

  it("is answered without it if it is not configured", async () => {
    const client = await signUp();
    const [good, bad] = [await scriptModel([{ text: "Fine." }]), await scriptModel([refusal])];
    const more = { agent_provider: "Demo", fallback_provider: "Anthropic" };
    const [fine, broken] = [await begin(client, good.name, more), await begin(client, bad.name, more)];

    expect((await say(client, fine.path, "Hi")).text).toBe("Fine.");
    expect((await say(client, broken.path, "Hi")).last).toMatchObject({ code: "provider-auth" });
  });
});
