import { describe, expect, it } from "vitest";
import { signUp, table } from "../support/app.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { ask, newKey, settingsKeyOf, storedSettings } from "./settings-app.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const SEALED = /^v1\.test\.[\w-]{16}\.[\w-]+$/u;

const KEYED = "/settings/providers/Keyed";
const ADDRESSED = "/settings/providers/Addressed";

const absent = { is_configured: false, key_hint: null, problem: null, created_at: null, updated_at: null };

describe("configuring a provider", () => {
  it("returns everything but the secrets, and stores the credentials encrypted", async () => {
    const client = await signUp();
    const key = newKey();

    const { status, body } = await ask(client)("POST", KEYED, { api_key: ` ${key} ` });

    expect(status).toBe(201);
    expect(body).toEqual({
      provider_name: "Keyed",
      is_configured: true,
      key_hint: key.slice(-4),
      problem: null,
      created_at: expect.stringMatching(STAMP),
      updated_at: null,
    });
    expect(await storedSettings(client, "Keyed")).toEqual({
      ...settingsKeyOf(client, "Keyed"),
      entity_type: "ProviderSettings",
      user_email: client.email,
      provider_name: "Keyed",
      encrypted_credentials: expect.stringMatching(SEALED),
      created_at: body.created_at,
      updated_at: null,
    });
  });

  it("is shown to the account only, as one provider and in the list", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    const key = newKey();
    const posted = await ask(client)("POST", KEYED, { api_key: key });

    const one = await ask(client)("GET", KEYED);
    const list = await ask(client)("GET", "/settings/providers");
    const foreign = await ask(other)("GET", KEYED);

    expect([one.status, one.body]).toEqual([200, posted.body]);
    expect(list.body.map(({ form: _form, ...rest }: { form: unknown }) => rest)).toEqual([
      { provider_name: "Keyed", is_configured: true, key_hint: key.slice(-4), problem: null },
      { provider_name: "Addressed", is_configured: false, key_hint: null, problem: null },
      { provider_name: "Paired", is_configured: false, key_hint: null, problem: null },
    ]);
    expect(foreign.body).toEqual({ provider_name: "Keyed", ...absent });
  });

  it("reveals the key in no answer, item or log line", async () => {
    const client = await signUp();
    const key = newKey();
    const lines: unknown[][] = [];
    const original = { ...console };
    for (const level of ["log", "info", "warn", "error", "debug"] as const)
      console[level] = (...line: unknown[]) => void lines.push(line);

    const as = ask(client);
    const answers = [
      await as("POST", KEYED, { api_key: key }),
      await as("POST", KEYED, { api_key: `${key} and ${"more".repeat(60)}` }),
      await as("POST", KEYED, { api_key: { key } }),
      await as("GET", KEYED),
      await as("GET", "/settings/providers"),
      await as("POST", `${KEYED}/test`),
      await as("POST", `${KEYED}/test?model=x`),
      await as("GET", "/llm/models/keyed"),
      await as("GET", "/agents/supported-models"),
      await as("DELETE", KEYED),
    ];
    await as("POST", KEYED, { api_key: key });
    Object.assign(console, original);

    const seen = JSON.stringify([answers, lines, await table.query(`User#${client.email}`)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 422, 422, 200, 200, 200, 200, 200, 200, 204]);
    for (const form of [key, key.slice(0, -4), btoa(key), btoa(`"${key}"`)]) expect(seen).not.toContain(form);
  });

  it("shows no part of a key that is too short for it", async () => {
    const client = await signUp();
    await ask(client)("POST", ADDRESSED, { base_url: "https://one.example/v1" });

    expect((await ask(client)("GET", ADDRESSED)).body).toMatchObject({ is_configured: true, key_hint: null });
  });

  it("replaces the stored credentials, and keeps the time of their creation", async () => {
    const client = await signUp();
    const [first, second] = [newKey(), newKey()];
    const { body } = await ask(client)("POST", KEYED, { api_key: first });
    const before = await storedSettings(client, "Keyed");

    const again = await ask(client)("POST", KEYED, { api_key: second });

    expect(again.body).toEqual({
      ...body,
      key_hint: second.slice(-4),
      updated_at: expect.stringMatching(STAMP),
    });
    const after = await storedSettings(client, "Keyed");
    expect(after?.["encrypted_credentials"]).not.toBe(before?.["encrypted_credentials"]);
    expect(after?.["created_at"]).toBe(before?.["created_at"]);
  });

  it("changes nothing if the same is posted again", async () => {
    const client = await signUp();
    const api_key = newKey();
    const first = await ask(client)("POST", KEYED, { api_key });
    const before = await storedSettings(client, "Keyed");

    const again = await ask(client)("POST", KEYED, { api_key });
    const blank = await ask(client)("POST", KEYED, { api_key: "" });

    expect([again.status, again.body]).toEqual([201, first.body]);
    expect([blank.status, blank.body]).toEqual([201, first.body]);
    expect(await storedSettings(client, "Keyed")).toEqual(before);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["nothing", {}, "api_key"],
    ["a blank key", { api_key: "" }, "api_key"],
    ["a key of spaces", { api_key: "   " }, "api_key"],
    ["null", { api_key: null }, "api_key"],
    ["a key that is too short", { api_key: "sk-short" }, "api_key"],
    ["a number", { api_key: 12_345_678_901_234 }, "api_key"],
  ])("refuses %s, and stores nothing", async (_case, submitted, path) => {
    const client = await signUp();

    const { status, body } = await ask(client)("POST", KEYED, submitted);

    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: [path], message: expect.any(String), code: expect.any(String) }]);
    expect(await storedSettings(client, "Keyed")).toBeUndefined();
  });

  it("refuses credentials that fail the provider's validation", async () => {
    const client = await signUp();

    const answer = await ask(client)("POST", ADDRESSED, {
      base_url: "https://forbidden.example",
      api_key: newKey(),
    });

    expect(answer.status).toBe(422);
    expect(answer.body.detail).toBe("The body is not valid: This address is out of bounds.");
    expect(await storedSettings(client, "Addressed")).toBeUndefined();
  });

  it.each(["GET", "POST", "DELETE"])("answers %s for an unknown provider with 404", async (method) => {
    const client = await signUp();
    const body = method === "POST" ? { api_key: newKey() } : undefined;

    for (const name of ["Nobody", "Demo", "%23", "__proto__"]) {
      const answer = await ask(client)(method, `/settings/providers/${name}`, body);
      expect([name, answer.status, answer.body]).toEqual([
        name,
        404,
        problem(404, "not-found", "Provider not found"),
      ]);
    }
  });
});

it("accepts a provider's name in any case", async () => {
  const client = await signUp();
  const key = newKey();

  const stored = await ask(client)("POST", "/settings/providers/kEYED", { api_key: key });

  expect([stored.status, stored.body.provider_name]).toEqual([201, "Keyed"]);
  expect((await ask(client)("GET", KEYED)).body.key_hint).toBe(key.slice(-4));
});

it("names an unknown field of a provider, and stores nothing", async () => {
  const client = await signUp();

  const { status, body } = await ask(client)("POST", KEYED, { api_key: newKey(), apikey: "x" });

  expect([status, body.errors[0].message]).toEqual([
    422,
    "apikey is not known here. Did you mean `api_key`?",
  ]);
  expect(await storedSettings(client, "Keyed")).toBeUndefined();
});

describe("keys that are sent only to the address they were entered for", () => {
  const settings = { base_url: "https://one.example/v1", region: "us" };

  it("keeps a key that is left blank while nothing else changes", async () => {
    const client = await signUp();
    const api_key = newKey();
    await ask(client)("POST", ADDRESSED, { ...settings, api_key });

    const { status, body } = await ask(client)("POST", ADDRESSED, { ...settings, api_key: "" });

    expect([status, body.key_hint]).toEqual([201, api_key.slice(-4)]);
  });

  it.each([
    ["another address", { base_url: "https://evil.example/v1" }],
    ["another region", { base_url: settings.base_url, region: "eu" }],
  ])("requires the key again for %s, and changes nothing until then", async (_case, moved) => {
    const client = await signUp();
    await ask(client)("POST", ADDRESSED, { ...settings, api_key: newKey() });
    const before = await storedSettings(client, "Addressed");

    const { status, body } = await ask(client)("POST", ADDRESSED, { api_key: "", ...moved });

    expect(status).toBe(422);
    expect(body.errors).toEqual([
      {
        path: ["api_key"],
        message: "Please enter this again, because a setting that decides where it is sent has changed.",
        code: "custom",
      },
    ]);
    expect(await storedSettings(client, "Addressed")).toEqual(before);
  });

  it("accepts another address with the key, and without one if none was stored", async () => {
    const [client, keyless] = await Promise.all([signUp(), signUp()]);
    await ask(client)("POST", ADDRESSED, { ...settings, api_key: newKey() });
    await ask(keyless)("POST", ADDRESSED, settings);

    const other = { ...settings, base_url: "https://two.example/v1" };
    const moved = await ask(client)("POST", ADDRESSED, { ...other, api_key: newKey() });
    const free = await ask(keyless)("POST", ADDRESSED, other);

    expect([moved.status, free.status]).toEqual([201, 201]);
    const list = (await ask(keyless)("GET", "/settings/providers")).body;
    expect(list[1].form.form_inputs[0].value).toBe(other.base_url);
  });

  it("never combines a new secret with an old one", async () => {
    const client = await signUp();
    const path = "/settings/providers/Paired";
    await ask(client)("POST", path, { access_key: newKey(), secret_key: newKey() });

    const { status, body } = await ask(client)("POST", path, { access_key: newKey(), secret_key: "" });

    expect([status, body.errors[0].path]).toEqual([422, ["secret_key"]]);
  });
});

describe("removing credentials", () => {
  it("deletes them, and can be repeated", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    await ask(client)("POST", KEYED, { api_key: newKey() });
    await ask(other)("POST", KEYED, { api_key: newKey() });

    const answers = [await ask(client)("DELETE", KEYED), await ask(client)("DELETE", KEYED)];

    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [204, ""],
      [204, ""],
    ]);
    expect(await storedSettings(client, "Keyed")).toBeUndefined();
    expect((await ask(client)("GET", KEYED)).body).toEqual({ provider_name: "Keyed", ...absent });
    expect((await ask(other)("GET", KEYED)).body.is_configured).toBe(true);
  });
});

describe("concurrent requests and lost answers", () => {
  it("store one of many concurrent configurations, and never a mixture", async () => {
    const client = await signUp();
    const bodies = Array.from({ length: 4 }, (_, i) => ({
      base_url: `https://host-${i}.example/v1`,
      api_key: newKey(),
    }));

    const answers = await Promise.all(bodies.map((body) => ask(client)("POST", ADDRESSED, body)));

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const shown = (await ask(client)("GET", "/settings/providers")).body[1];
    const last = bodies.find(({ base_url }) => base_url === shown.form.form_inputs[0].value);
    expect(shown.key_hint).toBe(last?.api_key.slice(-4));
  });

  it("store the configuration once if the answer to the first attempt is lost", async () => {
    const client = await signUp();
    const api_key = newKey();
    await injectFault({ match: [client.email], operation: "PutItem", fault: { kind: "lose-answer" } });

    const { status, body } = await ask(client)("POST", KEYED, { api_key });

    expect([status, body.key_hint, body.updated_at]).toEqual([201, api_key.slice(-4), null]);
    const puts = (await databaseRequests(client.email)).filter(
      ({ operation, body: sent }) => operation === "PutItem" && sent.includes("ProviderSettings#Keyed"),
    );
    expect(puts).toHaveLength(2);
  });
});
