import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";
import { describe, expect, it } from "vitest";
import { ClientTokens } from "../../src/auth/client-tokens.ts";
import { problem } from "../http/route-cases.ts";
import { beginConversation, clientOf, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";

const SHOP = "https://shop.example.com";
const oldKey = { id: "old", secret: "an-old-secret-of-more-than-thirty-two-bytes" };
const newKey = { id: "new", secret: "a-new-secret-of-more-than-thirty-two-bytes-" };

describe("a client token", () => {
  it("is issued for an end user, who is listed from then on", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner, { allowed_origins: [SHOP] });
    const mint = () => owner("POST", `/agents/${agentId}/client-tokens`, { end_user_id: "v@x.org:1" });

    const before = Date.now();
    const { status, headers, body } = await mint();
    const after = Date.now();
    const [stored, ...more] = await table.query(`Agent#${agentId}`);
    await mint();

    expect(status).toBe(201);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toEqual({
      token: expect.any(String),
      expires_at: expect.any(String),
      agent_id: agentId,
      end_user_id: "v@x.org:1",
      origins: [SHOP],
    });
    // In whole seconds.
    expect(Date.parse(body.expires_at)).toBeGreaterThan(before + 3_600_000 - 1_000);
    expect(Date.parse(body.expires_at)).toBeLessThan(after + 3_600_000 + 1_000);
    expect(more).toEqual([]);
    expect(stored).toMatchObject({
      sk: "EndUser#v@x.org:1",
      created_by: owner.email,
      entity_type: "EndUser",
    });
    expect(await table.query(`Agent#${agentId}`)).toEqual([stored]);
  });

  it("does not reveal the account to its bearer", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    const { token } = await endUserOf(owner, agentId);

    const parts = token.split(".").map((part) => atob(part.replaceAll("-", "+").replaceAll("_", "/")));

    expect(parts[0]).toContain("client+jwt");
    expect(parts.join(" ")).not.toContain(owner.email);
  });

  it.each([
    ["an id that is too long", { end_user_id: "x".repeat(129) }],
    ["an empty id", { end_user_id: "" }],
    ["an id with a separator of the table's keys", { end_user_id: "a#b" }],
    ["an id with a slash", { end_user_id: "a/b" }],
    ["an id on two lines", { end_user_id: "a\n" }],
    ["more than a day", { end_user_id: "v", expires_in: 86_401 }],
    ["no lifetime", { end_user_id: "v", expires_in: 0 }],
    ["an origin that the agent does not allow", { end_user_id: "v", origins: ["https://evil.example"] }],
    ["an invalid origin", { end_user_id: "v", origins: ["shop.example.com"] }],
  ])("is not issued with %s", async (_case, body) => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner, { allowed_origins: [SHOP] });

    const { status } = await owner("POST", `/agents/${agentId}/client-tokens`, body);

    expect(status).toBe(422);
    expect(await table.query(`Agent#${agentId}`)).toEqual([]);
  });

  it("never authenticates as the account, however the address is spelled", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);

    for (const id of [owner.email, owner.email.toUpperCase()]) {
      const { status, body } = await owner("POST", `/agents/${agentId}/client-tokens`, { end_user_id: id });
      expect(status).toBe(422);
      expect(body.errors[0].path).toEqual(["end_user_id"]);
    }
  });

  it("is accepted while the key ring contains its key, until it expires", async () => {
    const grant = {
      accountEmail: accountEmailOf("a@example.com"),
      endUser: { agentId: agentIdOf("agent"), id: "v" },
      generation: "g",
      origins: [SHOP],
    };
    const now = Date.now();
    const at = (ms: number, ...keys: [typeof oldKey, ...(typeof oldKey)[]]) =>
      new ClientTokens({ keys, now: () => ms });
    const token = await at(now, oldKey).issue(grant, Math.floor(now / 1000) + 60);

    expect(await at(now, newKey, oldKey).read(token)).toEqual({ grant, hasExpired: false });
    expect(await at(now + 70_000, oldKey).read(token)).toEqual({ grant, hasExpired: true });
    await expect(at(now, newKey).read(token)).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(at(now, { ...newKey, id: "old" }).read(token)).rejects.toMatchObject({ status: 401 });
  });

  it.each<[string, (token: string) => string]>([
    ["if it is cut off", (token) => token.slice(0, -5)],
    ["with the end of another token", (token) => `${token.slice(0, -8)}AAAAAAAA`],
    ["if it consists of dots", () => "...."],
    ["if its header is not JSON", (token) => ["AAAA", ...token.split(".").slice(1)].join(".")],
    [
      "if its header has the type of access tokens",
      (token) =>
        [
          btoa('{"alg":"dir","enc":"A256GCM","typ":"at+jwt","kid":"default"}').replaceAll("=", ""),
          ...token.split(".").slice(1),
        ].join("."),
    ],
    ["if it contains a key", (token) => token.replace("..", ".AAAA.")],
  ])("is refused %s", async (_case, change) => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    const { token } = await endUserOf(owner, agentId);

    const { status, body } = await clientOf(change(token))("GET", "/conversations");

    expect(status).toBe(401);
    expect(body).toEqual(problem(401, "unauthenticated", "Invalid token"));
  });

  it("stays invalid after its end user was deleted and created again", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    const before = await endUserOf(owner, agentId, "v");
    const place = await beginOwnConversation(before, agentId);

    await owner("DELETE", `/agents/${agentId}/end-users/v`);
    const after = await endUserOf(owner, agentId, "v");

    for (const [method, path, sent] of [
      ["GET", "/conversations"],
      ["POST", "/conversations", { title: "T", agent_id: agentId }],
      ["POST", place.path, { content: "Hello" }],
    ] as const) {
      const { status, body } = await before(method, path, sent);
      expect(status).toBe(401);
      expect(body.detail).toBe("This token is no longer valid");
    }
    expect((await after("GET", "/conversations")).body.items).toEqual([]);
  });

  it("replays no answer of a former end user with the same id", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    const key = { "idempotency-key": "first-conversation" };
    const wish = { title: "Talk", agent_id: agentId };
    const begin = async () =>
      (await endUserOf(owner, agentId, "visitor"))("POST", "/conversations", wish, key);
    const before = await begin();
    expect((await begin()).body).toEqual(before.body);
    await owner("DELETE", `/agents/${agentId}/end-users/visitor`);

    const after = await begin();

    expect(after.status).toBe(201);
    expect(after.body.conversation_id).not.toBe(before.body.conversation_id);
  });

  it("is invalid after the account was deleted", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    const endUser = await endUserOf(owner, agentId);
    const { path } = await beginOwnConversation(endUser, agentId);
    await table.update({ pk: `User#${owner.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

    expect((await endUser("GET", "/conversations")).status).toBe(403);
    expect((await endUser("POST", path, { content: "Hello" })).status).toBe(403);
  });
});

describe("pages", () => {
  const preflight = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };

  async function onPage(origins: readonly string[], more: Record<string, unknown> = {}) {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner, { allowed_origins: [SHOP, "https://b.example"] });
    return endUserOf(owner, agentId, "v", { origins, ...more });
  }

  it("of the token's origins may read answers and refusals, without credentials", async () => {
    const endUser = await onPage([SHOP]);

    const listed = await endUser("GET", "/conversations", undefined, { origin: SHOP });
    const absent = await endUser("GET", "/conversations/nothing", undefined, { origin: SHOP });

    expect([listed.status, absent.status]).toEqual([200, 404]);
    for (const { headers } of [listed, absent]) {
      expect(headers.get("access-control-allow-origin")).toBe(SHOP);
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("access-control-expose-headers")).toContain("ETag");
      expect(headers.get("vary")).toContain("Origin");
    }
  });

  it.each([
    "https://evil.example",
    "https://b.example",
    "null",
    `${SHOP}.evil.com`,
    "http://shop.example.com",
    `${SHOP}:8443`,
    "",
  ])("of %j may neither use the token nor read the refusal", async (origin) => {
    const endUser = await onPage([SHOP]);

    const { status, headers, body } = await endUser("GET", "/conversations", undefined, { origin });

    expect(status).toBe(403);
    expect(body.detail).toBe("This token is not valid for this origin");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("use tokens that programs may not use, and the other way round", async () => {
    const [forPages, forPrograms] = await Promise.all([onPage([SHOP]), onPage([])]);

    expect((await forPages("GET", "/conversations")).status).toBe(403);
    expect((await forPrograms("GET", "/conversations")).status).toBe(200);
    expect((await forPrograms("GET", "/conversations", undefined, { origin: SHOP })).status).toBe(403);
  });

  it("get a positive preflight exactly for the routes of end users", async () => {
    const endUser = await onPage([SHOP]);
    const ask = (path: string, more: object = {}) =>
      endUser("OPTIONS", path, undefined, { origin: SHOP, ...preflight, ...more });

    const open = await ask("/agents/a/c/send-message");
    expect(open.status).toBe(204);
    expect(open.headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(open.headers.get("access-control-allow-credentials")).toBeNull();
    expect(open.headers.get("access-control-allow-headers")?.split(",")).toContain("Authorization");
    expect(open.headers.get("vary")).toContain("Origin");
    for (const closed of [
      await ask("/agents"),
      await ask("/api-keys"),
      await ask("/agents/a/client-tokens"),
      await ask("/conversations", { "access-control-request-method": "PATCH" }),
      await ask("/conversations", { origin: "null" }),
    ])
      expect(closed.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("are told that their token has expired", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner, { allowed_origins: [SHOP] });
    await endUserOf(owner, agentId, "v");
    const item = await table.get({ pk: `Agent#${agentId}`, sk: "EndUser#v" });
    const { env } = await import("cloudflare:workers");
    const tokens = new ClientTokens({ keys: [{ id: "default", secret: env.JWT_SECRET }], now: Date.now });
    const endUser = { agentId, id: "v" };
    const grant = {
      accountEmail: owner.email,
      endUser,
      generation: String(item?.["generation"]),
      origins: [SHOP],
    };
    const expired = clientOf(await tokens.issue(grant, Math.floor(Date.now() / 1000) - 60));
    const fresh = clientOf(await tokens.issue(grant, Math.floor(Date.now() / 1000) + 60));

    const { status, headers, body } = await expired("GET", "/conversations", undefined, { origin: SHOP });

    expect(status).toBe(401);
    expect(body.detail).toBe("Token expired");
    expect(headers.get("access-control-allow-origin")).toBe(SHOP);
    expect((await fresh("GET", "/conversations", undefined, { origin: SHOP })).status).toBe(200);
  });

  it("of an agent are listed by its owner", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner, { allowed_origins: [SHOP, SHOP] });
    const put = (origins: unknown) => owner("PUT", `/agents/${agentId}`, { allowed_origins: origins });

    expect((await owner("GET", `/agents/${agentId}`)).body.allowed_origins).toEqual([SHOP]);
    expect((await put(["http://localhost:5173"])).body.allowed_origins).toEqual(["http://localhost:5173"]);
    expect((await put([])).body.allowed_origins).toEqual([]);
    for (const bad of ["*", "null", `${SHOP}/`, `${SHOP}/path`, "http://shop.example.com", "https://u@x.org"])
      expect((await put([bad])).status).toBe(422);
  });
});
