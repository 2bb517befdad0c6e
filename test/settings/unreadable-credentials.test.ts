import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, signUp, table } from "../support/app.ts";
import { asked, ask, newKey, settingsKeyOf, storedSettings } from "./settings-app.ts";

const KEYED = "/settings/providers/Keyed";
const NEW_KEY = "new:bmV3LXRlc3Qta2V5LW9mLTMyLWJ5dGVzLWV4YWN0LSE=";
const ROTATED = { ENCRYPTION_KEY: `${NEW_KEY},${env.ENCRYPTION_KEY}` };

/** Without the secret of the legacy Python service, which the tests' environment has. */
const UNKNOWN = { LEGACY_ENCRYPTION_SECRET: "" };
/** Made with that secret by the Python library `cryptography`, as the legacy Python service does. */
const TOKEN =
  "gAAAAABrAu96m6deAXfKx7NK9PgKpVx21q1KzTYSduJHCw9mXAcLoofdyZIf5mIv9ZCjv9kaKTZ5-Rc-5C75866jyrJum6grAeEjN-EOG2bHXCzX1XHZRWEwb2v1UHxVlfoIPfp6Iai9Hxn55vYDdrfb0mJjQMCBHA==";
const LEGACY_KEY = "sk-ant-from-python-0123456789abcd";

const unreadable = {
  is_configured: false,
  key_hint: null,
  problem:
    "The stored credentials can't be read any more. Please enter them again in the settings of the provider.",
};

async function configured(): Promise<{ client: Client; api_key: string; sealed: string }> {
  const client = await signUp();
  const api_key = newKey();
  await ask(client)("POST", KEYED, { api_key });
  return {
    client,
    api_key,
    sealed: String((await storedSettings(client, "Keyed"))?.["encrypted_credentials"]),
  };
}

const plant = (client: Client, provider: string, encrypted_credentials: unknown) =>
  table.update(settingsKeyOf(client, provider), {
    set: {
      encrypted_credentials: encrypted_credentials as string,
      provider_name: "Keyed",
      created_at: "2025-06-01T10:00:00.000123+00:00",
    },
  });

/** What the API shows of credentials, and whether they can be replaced. */
async function seenOf(client: Client, variables: object = {}) {
  const as = ask(client, variables);
  const shown = await as("GET", KEYED);
  const tried = await as("POST", `${KEYED}/test`);
  const [listed] = (await as("GET", "/settings/providers")).body;
  const [model] = (await as("GET", "/llm/models/Keyed")).body;
  const untouched = await as("POST", KEYED, { api_key: "" });
  const replaced = await as("POST", KEYED, { api_key: newKey() });
  return {
    shown: [shown.status, shown.body],
    tried: [tried.status, tried.body.code, tried.body.detail],
    listed,
    isLive: model.is_live,
    untouched: untouched.status,
    replaced: [replaced.status, replaced.body.is_configured],
  };
}

/** Not a server error, and with advice. */
const ENTER_AGAIN = {
  shown: [200, expect.objectContaining(unreadable)],
  tried: [409, "provider-not-configured", `Provider 'Keyed': ${unreadable.problem}`],
  listed: expect.objectContaining(unreadable),
  isLive: false,
  untouched: 422,
  replaced: [201, true],
};

describe("credentials that can't be read", () => {
  it("have to be entered again if they were copied from another user", async () => {
    const [{ sealed }, thief] = await Promise.all([configured(), configured()]);
    await plant(thief.client, "Keyed", sealed);

    expect(await seenOf(thief.client)).toEqual(ENTER_AGAIN);
  });

  it("have to be entered again if the whole item was copied from another user", async () => {
    const [victim, thief] = await Promise.all([configured(), configured()]);
    const item = await storedSettings(victim.client, "Keyed");
    await table.put({ ...item, ...settingsKeyOf(thief.client, "Keyed") });

    expect(await seenOf(thief.client)).toEqual(ENTER_AGAIN);
  });

  it("have to be entered again if they were copied from another provider", async () => {
    const { client, sealed } = await configured();
    await plant(client, "Paired", sealed);

    const { status, body } = await ask(client)("GET", "/settings/providers/Paired");

    expect([status, body]).toEqual([200, expect.objectContaining(unreadable)]);
  });

  it("have to be entered again if their key was removed from the ring", async () => {
    const { client } = await configured();

    expect(await seenOf(client, { ENCRYPTION_KEY: NEW_KEY })).toEqual(ENTER_AGAIN);
  });

  it.each([
    ["a byte of them was changed", (sealed: string) => sealed.replace(/.$/u, (c) => (c === "A" ? "Q" : "A"))],
    ["half of them is missing", (sealed: string) => sealed.slice(0, 40)],
    ["they are a number", () => 7],
    ["they are empty", () => null],
    ["they are a token of the legacy service, and no secret decrypts it", () => TOKEN],
  ])("have to be entered again if %s", async (_case, change) => {
    const { client, sealed } = await configured();
    await plant(client, "Keyed", change(sealed));

    expect(await seenOf(client, UNKNOWN)).toEqual(ENTER_AGAIN);
  });
});

describe("a ring of keys", () => {
  it("decrypts with an older key, and encrypts with the newest at the next use", async () => {
    const { client, api_key, sealed } = await configured();

    expect((await ask(client, ROTATED)("GET", KEYED)).body.key_hint).toBe(api_key.slice(-4));
    await ask(client, ROTATED)("POST", `${KEYED}/test`);

    const item = await storedSettings(client, "Keyed");
    expect(sealed).toMatch(/^v1\.test\./u);
    expect(item?.["encrypted_credentials"]).toMatch(/^v1\.new\./u);
    expect(item?.["updated_at"]).toBeNull();
    const alone = ask(client, { ENCRYPTION_KEY: NEW_KEY });
    expect((await alone("GET", KEYED)).body.key_hint).toBe(api_key.slice(-4));
  });

  it("encrypts repeated submissions with the newest key", async () => {
    const { client, api_key } = await configured();

    await ask(client, ROTATED)("POST", KEYED, { api_key });

    expect((await storedSettings(client, "Keyed"))?.["encrypted_credentials"]).toMatch(/^v1\.new\./u);
  });
});

describe("credentials of the legacy Python service", () => {
  it("are decrypted, and encrypted anew at their first use, with the token kept as well", async () => {
    const client = await signUp();
    await plant(client, "Keyed", TOKEN);
    const as = ask(client);

    expect((await as("GET", KEYED)).body).toMatchObject({ is_configured: true, key_hint: "abcd" });
    expect((await storedSettings(client, "Keyed"))?.["encrypted_credentials"]).toBe(TOKEN);
    expect((await as("POST", `${KEYED}/test`)).body.ok).toBe(true);

    expect(asked).toContainEqual({ key: LEGACY_KEY, at: "keyed" });
    expect(await storedSettings(client, "Keyed")).toEqual({
      ...settingsKeyOf(client, "Keyed"),
      provider_name: "Keyed",
      encrypted_credentials: expect.stringMatching(/^v1\.test\./u),
      encrypted_credentials_legacy: TOKEN,
      created_at: "2025-06-01T10:00:00.000123+00:00",
    });
  });

  it("stay readable after their secret was removed, and lose the token at the next use", async () => {
    const client = await signUp();
    await plant(client, "Keyed", TOKEN);
    await ask(client)("POST", `${KEYED}/test`);

    expect((await ask(client, UNKNOWN)("POST", `${KEYED}/test`)).body.ok).toBe(true);

    const item = await storedSettings(client, "Keyed");
    expect(item).not.toHaveProperty("encrypted_credentials_legacy");
    expect((await ask(client)("GET", KEYED)).body.key_hint).toBe("abcd");
  });

  it("lose the token when they are replaced", async () => {
    const client = await signUp();
    await plant(client, "Keyed", TOKEN);
    await ask(client)("POST", `${KEYED}/test`);

    await ask(client)("POST", KEYED, { api_key: newKey() });

    expect(await storedSettings(client, "Keyed")).not.toHaveProperty("encrypted_credentials_legacy");
  });

  it("are not restored by a late re-encryption", async () => {
    const client = await signUp();
    await plant(client, "Keyed", TOKEN);
    const api_key = newKey();

    await Promise.all([ask(client)("POST", `${KEYED}/test`), ask(client)("POST", KEYED, { api_key })]);

    expect((await ask(client)("GET", KEYED)).body.key_hint).toBe(api_key.slice(-4));
  });

  it("have to be entered again if the secret has changed", async () => {
    const client = await signUp();
    await plant(client, "Keyed", TOKEN);

    expect(await seenOf(client, { LEGACY_ENCRYPTION_SECRET: "another" })).toEqual(ENTER_AGAIN);
  });
});
