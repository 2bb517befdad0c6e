import { beforeAll, describe, expect, it } from "vitest";
import { normalizedOrigin } from "../../src/http/schemas.ts";
import { problem } from "../http/route-cases.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { createKey, pageWith, SHOP } from "../support/widget.ts";

const lookUpOf = (publicKey: string) => ({
  pk: `PublishableKey#${publicKey}`,
  sk: `PublishableKey#${publicKey}`,
});

const configWith = (key: string, origin?: string) => pageWith({ key, origin })("GET", "/widget/config");

let owner: Client;
let agentId: string;
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner));
});

describe("a publishable key", () => {
  it("is created with all members of the legacy service, and opens its agent", async () => {
    const { status, body } = await owner("POST", `/agents/${agentId}/api-keys`, {
      name: " Shop ",
      allowed_origins: [SHOP],
    });

    expect(status).toBe(201);
    expect(body).toEqual({
      key_id: expect.any(String),
      agent_id: agentId,
      public_key: expect.stringMatching(/^pk_live_[0-9a-f]{32}$/u),
      name: "Shop",
      allowed_origins: [SHOP],
      is_active: true,
      requires_sign_in: false,
      created_by: owner.email,
      created_at: expect.any(String),
      last_used_at: null,
      request_count: 0,
    });
    expect(await table.get({ pk: `Agent#${agentId}`, sk: `ApiKey#${body.key_id}` })).toMatchObject({
      entity_type: "AgentApiKey",
      public_key: body.public_key,
      allowed_origins: [SHOP],
      is_active: true,
    });
    const config = await configWith(body.public_key, SHOP);
    expect([config.status, config.body.agent_id]).toEqual([200, agentId]);
  });

  it("is created once for an idempotency key", async () => {
    const wish = { name: "Once" };
    const headers = { "idempotency-key": crypto.randomUUID() };

    const first = await owner("POST", `/agents/${agentId}/api-keys`, wish, headers);
    const again = await owner("POST", `/agents/${agentId}/api-keys`, wish, headers);

    expect(again.body).toEqual(first.body);
  });

  it("is no key of the account, and no token", async () => {
    const { public_key: key } = await createKey(owner, agentId);

    const asToken = await pageWith({ token: key })("GET", "/agents");
    const asKey = await pageWith({ key })("GET", "/agents");

    expect([asToken.status, asKey.status]).toEqual([401, 401]);
    const { body } = await owner("GET", "/api-keys");
    expect(JSON.stringify(body)).not.toContain(key);
  });

  it("accepts origins however they are spelled, and keeps them as browsers send them", async () => {
    const allowed_origins = [
      " https://Shop.Example.com/ ",
      "https://shop.example.com:443",
      "https://blog.example.com:8443",
      "http://localhost:3000",
      "http://127.0.0.1",
    ];

    const { body } = await owner("POST", `/agents/${agentId}/api-keys`, { name: "Spelled", allowed_origins });

    expect(body.allowed_origins).toEqual([
      SHOP,
      "https://blog.example.com:8443",
      "http://localhost:3000",
      "http://127.0.0.1",
    ]);
  });

  it.each([
    "shop.example.com",
    "https://shop.example.com/path",
    "https://shop.example.com?a=1",
    "https://user@shop.example.com",
    "http://shop.example.com",
    "ftp://shop.example.com",
    "*",
    "https://*.example.com",
    "null",
    "",
    `https://${"x".repeat(260)}.example.com`,
  ])("does not accept %j as an origin", async (origin) => {
    const { status, body } = await owner("POST", `/agents/${agentId}/api-keys`, {
      name: "Refused",
      allowed_origins: [SHOP, origin],
    });

    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.errors[0].path).toEqual(["allowed_origins", "1"]);
  });

  it.each([
    ["no name", {}],
    ["a blank name", { name: " " }],
    ["a name of 101 characters", { name: "x".repeat(101) }],
    ["a name on two lines", { name: "a\nb" }],
    [
      "21 origins",
      { name: "a", allowed_origins: Array.from({ length: 21 }, (_, n) => `https://a${n}.example`) },
    ],
    ["a value of its own", { name: "a", public_key: `pk_live_${"0".repeat(32)}` }],
  ])("is not created with %s", async (_case, body) => {
    expect((await owner("POST", `/agents/${agentId}/api-keys`, body)).status).toBe(422);
  });

  it("is changed, disabled and enabled for the next request", async () => {
    const key = await createKey(owner, agentId);
    const path = `/agents/${agentId}/api-keys/${key.key_id}`;

    const renamed = await owner("PATCH", path, { name: "Blog", requires_sign_in: true });
    expect(renamed.body).toMatchObject({ name: "Blog", requires_sign_in: true, is_active: true });
    expect((await configWith(key.public_key)).body).toMatchObject({
      agent_name: "Blog",
      requires_sign_in: true,
    });

    await owner("PATCH", path, { is_active: false });
    const disabled = await configWith(key.public_key);
    expect(disabled.status).toBe(401);
    expect(disabled.body).toEqual(problem(401, "unauthenticated", "API key is disabled"));
    expect((await owner("GET", path)).body).toMatchObject({ name: "Blog", is_active: false });

    await owner("PATCH", path, { is_active: true, allowed_origins: [SHOP] });
    expect((await configWith(key.public_key)).status).toBe(403);
    expect((await configWith(key.public_key, SHOP)).status).toBe(200);
    expect((await owner("PATCH", path, {})).body).toMatchObject({ name: "Blog", allowed_origins: [SHOP] });
  });

  it("stays disabled when it is renamed at the same time", async () => {
    const key = await createKey(owner, agentId);
    const path = `/agents/${agentId}/api-keys/${key.key_id}`;

    await Promise.all([
      owner("PATCH", path, { is_active: false }),
      ...["A", "B", "C"].map((name) => owner("PATCH", path, { name })),
    ]);

    expect((await configWith(key.public_key)).status).toBe(401);
    const [{ body }, lookUp] = [await owner("GET", path), await table.get(lookUpOf(key.public_key))];
    expect(body.is_active).toBe(false);
    expect(lookUp).toMatchObject({ name: body.name, is_active: false });
  });

  it("is deleted for good, as often as that is asked for", async () => {
    const key = await createKey(owner, agentId);
    const path = `/agents/${agentId}/api-keys/${key.key_id}`;

    expect([(await owner("DELETE", path)).status, (await owner("DELETE", path)).status]).toEqual([204, 204]);

    expect((await configWith(key.public_key)).body).toEqual(
      problem(401, "unauthenticated", "Invalid API key"),
    );
    expect((await owner("GET", path)).body).toEqual(problem(404, "not-found", "API key not found"));
    expect((await owner("PATCH", path, { name: "Again" })).status).toBe(404);
    expect(await table.get(lookUpOf(key.public_key))).toBeUndefined();
  });

  it("counts the requests that use it, and notes the last one", async () => {
    const key = await createKey(owner, agentId, { allowed_origins: [SHOP] });

    await configWith(key.public_key, SHOP);
    await configWith(key.public_key, SHOP);
    await configWith(key.public_key, "https://evil.example");

    const { body } = await owner("GET", `/agents/${agentId}/api-keys/${key.key_id}`);
    expect(body.request_count).toBe(2);
    expect(body.last_used_at > body.created_at).toBe(true);
  });

  it("does not come back when a request is counted after its deletion", async () => {
    const key = await createKey(owner, agentId);
    const sent = await pageWith({ key: key.public_key }).raw("GET", "/widget/config");
    await sent.response.text();
    await sent.ended();
    await owner("DELETE", `/agents/${agentId}/api-keys/${key.key_id}`);

    expect((await configWith(key.public_key)).status).toBe(401);
    expect(await table.get({ pk: `Agent#${agentId}`, sk: `ApiKey#${key.key_id}` })).toBeUndefined();
  });
});

describe("the list of publishable keys", () => {
  it("has all keys of the agent, newest first, page by page", async () => {
    const { agentId: another } = await beginConversation(owner);
    const keys = [
      await createKey(owner, another),
      await createKey(owner, another),
      await createKey(owner, another),
    ];

    const first = await owner("GET", `/agents/${another}/api-keys?limit=2`);
    const cursor = first.headers.get("next-cursor") ?? "";
    const second = await owner(
      "GET",
      `/agents/${another}/api-keys?limit=2&cursor=${encodeURIComponent(cursor)}`,
    );

    expect([...first.body, ...second.body].map(({ key_id }) => key_id)).toEqual(
      keys.map(({ key_id }) => key_id).toReversed(),
    );
    expect(second.headers.get("next-cursor")).toBeNull();
  });

  it("makes keys of the legacy service usable, for visitors who sign in", async () => {
    const { agentId: another } = await beginConversation(owner);
    const keyId = crypto.randomUUID();
    const publicKey = `pk_live_${crypto.randomUUID().replaceAll("-", "")}`;
    await table.put({
      pk: `Agent#${another}`,
      sk: `ApiKey#${keyId}`,
      gsi2_pk: `ApiKey#${publicKey}`,
      gsi2_sk: `Agent#${another}`,
      entity_type: "AgentApiKey",
      key_id: keyId,
      agent_id: another,
      public_key: publicKey,
      name: "Old page",
      allowed_origins: [SHOP],
      is_active: true,
      created_by: owner.email,
      created_at: "2025-01-01T00:00:00.000000+00:00",
      request_count: 17,
    });
    expect((await configWith(publicKey, SHOP)).status).toBe(401);

    const { body } = await owner("GET", `/agents/${another}/api-keys`);
    await owner("GET", `/agents/${another}/api-keys`);

    expect(body).toEqual([
      expect.objectContaining({
        key_id: keyId,
        requires_sign_in: true,
        request_count: 17,
        last_used_at: null,
      }),
    ]);
    expect((await configWith(publicKey, SHOP)).body).toMatchObject({
      agent_id: another,
      agent_name: "Old page",
      requires_sign_in: true,
    });
    expect((await configWith(publicKey)).status).toBe(403);
  });
});

describe("publishable keys are deleted", () => {
  it("with their agent, before anything else", async () => {
    const place = await beginConversation(owner);
    const keys = [await createKey(owner, place.agentId), await createKey(owner, place.agentId)];

    expect((await owner("DELETE", `/agents/${place.agentId}`)).status).toBe(204);

    for (const { public_key } of keys) {
      expect(await table.get(lookUpOf(public_key))).toBeUndefined();
      expect((await configWith(public_key)).status).toBe(401);
    }
    const { status } = await owner("POST", `/agents/${place.agentId}/api-keys`, { name: "Late" });
    expect(status).toBe(404);
  });
});

it("returns the origin that a text spells, and other texts as they are", () => {
  expect(normalizedOrigin("HTTPS://A.example:443/")).toBe("https://a.example");
  expect(normalizedOrigin("https://a.example/b")).toBe("https://a.example/b");
  expect(normalizedOrigin("nonsense")).toBe("nonsense");
});
