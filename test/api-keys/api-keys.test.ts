import { describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { ada, beginConversation, clientOf, signUp, table } from "../support/app.ts";
import { ALL_SCOPES, programOf } from "../support/callers.ts";
import { scriptModel } from "../support/control.ts";
import { eventsAfter, open } from "../support/runs.ts";
import { textOf } from "../support/sse.ts";

const INVALID = problem(401, "unauthenticated", "Invalid API key");
const wish = { name: " Back end ", scopes: ["agents:read", "agents:read"] };

const hashOf = async (secret: string) =>
  Array.from(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret))),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");

const keysOf = (email: string) => table.query(`User#${email}`, { range: { beginsWith: "ApiKey#" } });

describe("a new key", () => {
  it("shows its secret once, and stores only its hash", async () => {
    const owner = await signUp();

    const { status, body } = await owner("POST", "/api-keys", wish);
    const { secret, ...shown } = body;

    expect(status).toBe(201);
    expect(secret).toMatch(/^dab_[A-Za-z0-9_-]{43}$/u);
    expect(shown).toEqual({
      key_id: expect.any(String),
      name: "Back end",
      hint: `dab_…${secret.slice(-4)}`,
      scopes: ["agents:read"],
      agent_ids: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/u),
      expires_at: null,
      last_used_at: null,
      revoked_at: null,
    });
    const listed = await owner("GET", "/api-keys");
    expect(listed.body.items).toEqual([shown]);

    const hash = await hashOf(secret);
    const stored = await table.query(`User#${owner.email}`);
    const found = await table.query(`ApiKey#${hash}`);
    expect(found).toEqual([
      expect.objectContaining({ sk: `ApiKey#${hash}`, created_by: owner.email, key_id: shown.key_id }),
    ]);
    expect(stored.find(({ sk }) => sk === `ApiKey#${shown.key_id}`)).toMatchObject({ key_hash: hash });
    expect(JSON.stringify([stored, found])).not.toContain(secret);
    expect(JSON.stringify([stored, found])).not.toContain(secret.slice("dab_".length, -4));
  });

  it("is created once per idempotency key; a repeat is told its id, and not its secret", async () => {
    const owner = await signUp();
    const header = { "idempotency-key": "make-it-once" };

    const first = await owner("POST", "/api-keys", wish, header);
    const second = await owner("POST", "/api-keys", wish, header);
    const other = await owner("POST", "/api-keys", { ...wish, name: "Other" }, header);

    expect([first.status, second.status, other.status]).toEqual([201, 409, 422]);
    expect(second.body).toEqual(problem(409, "conflict", expect.any(String), { key_id: first.body.key_id }));
    expect(await keysOf(owner.email)).toHaveLength(1);
    const records = await table.query(`User#${owner.email}`, { range: { beginsWith: "Idempotency#" } });
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain("dab_");
  });

  it.each([
    ["no name", { ...wish, name: " " }],
    ["a name of two lines", { ...wish, name: "Key\nadmin" }],
    ["a control character in its name", { ...wish, name: "Key\u0000" }],
    ["no scopes", { ...wish, scopes: [] }],
    ["an unknown scope", { ...wish, scopes: ["account:write"] }],
    ["an expiry in the past", { ...wish, expires_at: "2020-01-01T00:00:00Z" }],
    ["an expiry that is not a time", { ...wish, expires_at: "tomorrow" }],
    ["a list of no agents", { ...wish, agent_ids: [] }],
  ])("is refused with %s", async (_case, body) => {
    const owner = await signUp();

    expect((await owner("POST", "/api-keys", body)).status).toBe(422);
    expect(await keysOf(owner.email)).toEqual([]);
  });

  it("can't be created for another account's agent", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { agentId } = await beginConversation(stranger);

    const { status } = await owner("POST", "/api-keys", { ...wish, agent_ids: [agentId] });

    expect(status).toBe(404);
    expect(await keysOf(owner.email)).toEqual([]);
  });

  it("is listed, page by page", async () => {
    const owner = await signUp();
    for (let n = 0; n < 3; n++) await programOf(owner, undefined, { name: `Key ${n}` });

    const first = await owner("GET", "/api-keys?limit=2");
    const second = await owner("GET", `/api-keys?limit=2&cursor=${first.body.next_cursor}`);

    const names = [...first.body.items, ...second.body.items].map(({ name }: { name: string }) => name);
    expect(names).toEqual(["Key 2", "Key 1", "Key 0"]);
    expect([first.body.has_more, second.body.has_more]).toEqual([true, false]);
  });
});

describe("the use of a key", () => {
  it("is recorded with the precision of an hour, in the background", async () => {
    const owner = await signUp();
    const program = await programOf(owner);
    const used = async () => (await owner("GET", "/api-keys")).body.items[0].last_used_at as string | null;

    await program("GET", "/agents");
    const first = await used();
    await program("GET", "/agents");
    const second = await used();
    expect(first).toMatch(/^\d{4}-/u);
    expect(second).toBe(first);

    const lookUp = {
      pk: `ApiKey#${await hashOf(program.token)}`,
      sk: `ApiKey#${await hashOf(program.token)}`,
    };
    await table.update(lookUp, { set: { last_used_at: "2025-01-01T00:00:00.000000+00:00" } });
    await program("GET", "/agents");
    expect(Date.parse((await used()) ?? "")).toBeGreaterThan(Date.parse(first ?? ""));
  });

  it("ends at once when the key is revoked, which can be repeated", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const program = await programOf(owner);

    await stranger("DELETE", `/api-keys/${program.keyId}`);
    expect((await program("GET", "/agents")).status).toBe(200);
    const answers = [
      await owner("DELETE", `/api-keys/${program.keyId}`),
      await owner("DELETE", `/api-keys/${program.keyId}`),
      await owner("DELETE", "/api-keys/nonsense"),
    ];

    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    const { status, headers, body } = await program("GET", "/agents");
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(body).toEqual(INVALID);
    const [listed] = (await owner("GET", "/api-keys")).body.items;
    expect(listed).toMatchObject({ key_id: program.keyId, revoked_at: expect.any(String) });
    expect(await table.query(`ApiKey#${await hashOf(program.token)}`)).toEqual([]);
  });

  it("ends when the key expires", async () => {
    const owner = await signUp();
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const program = await programOf(owner, ALL_SCOPES, { expires_at: expiresAt });
    expect((await program("GET", "/agents")).status).toBe(200);

    const hash = await hashOf(program.token);
    const past = new Date(Date.now() - 1).toISOString();
    await table.update({ pk: `ApiKey#${hash}`, sk: `ApiKey#${hash}` }, { set: { expires_at: past } });

    const { status, body } = await program("GET", "/agents");
    expect(status).toBe(401);
    expect(body).toEqual(INVALID);
  });

  it("ends when the account is deleted", async () => {
    const [paused, gone] = await Promise.all([signUp(), signUp()]);
    const programs = await Promise.all([paused, gone].map((owner) => programOf(owner)));
    await table.update({ pk: `User#${paused.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });
    await table.remove({ pk: `User#${gone.email}`, sk: "User#Metadata" });

    const statuses = programs.map(async (program) => [
      (await program("GET", "/agents")).status,
      (await program("POST", "/agents", ada)).status,
    ]);

    expect(await Promise.all(statuses)).toEqual([
      [403, 403],
      [401, 401],
    ]);
  });

  it.each([
    ["another character", (secret: string) => `${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`],
    ["less", (secret: string) => secret.slice(0, -1)],
    ["its beginning only", () => "dab_"],
    ["text that looks like a key of the table", () => "dab_#ApiKey#"],
  ])("requires the whole secret, and refuses %s", async (_case, change) => {
    const program = await programOf(await signUp());

    const { status, body } = await clientOf(change(program.token))("GET", "/agents");

    expect(status).toBe(401);
    expect(body).toEqual(INVALID);
  });
});

describe("a key for certain agents", () => {
  it("allows access to these and their conversations only", async () => {
    const owner = await signUp();
    const mine = await beginConversation(owner);
    const other = await beginConversation(owner);
    for (let n = 0; n < 3; n++) {
      await owner("POST", "/conversations", { title: `Mine ${n}`, agent_id: mine.agentId });
      await owner("POST", "/conversations", { title: `Other ${n}`, agent_id: other.agentId });
    }
    const program = await programOf(owner, ALL_SCOPES, { agent_ids: [mine.agentId] });

    const agents = await program("GET", "/agents");
    expect(agents.body.map(({ agent_id }: { agent_id: string }) => agent_id)).toEqual([mine.agentId]);

    const titles: string[] = [];
    let cursor = "";
    do {
      const { body } = await program("GET", `/conversations?limit=2&cursor=${cursor}`);
      titles.push(...body.items.map(({ title }: { title: string }) => title));
      cursor = body.next_cursor ?? "";
    } while (cursor);
    expect(titles).toEqual(["Mine 2", "Mine 1", "Mine 0", "Talk"]);

    const begun = await program("POST", "/conversations", { title: "New", agent_id: other.agentId });
    const moved = await program("PUT", `/conversations/${mine.conversationId}`, { agent_id: other.agentId });
    const said = await program("POST", other.path, { content: "Hello" });
    expect([begun, moved, said].map(({ status, body }) => [status, body.detail])).toEqual([
      [404, "Agent not found"],
      [404, "Agent not found"],
      [404, "Agent not found"],
    ]);
    expect((await program("GET", `/conversations/${mine.conversationId}`)).body.agent_id).toBe(mine.agentId);
  });

  it("can neither follow nor cancel runs of other agents, nor detect them", async () => {
    const owner = await signUp();
    const mine = await beginConversation(owner);
    const model = await scriptModel([{ text: "Once " }, { hold: true }, { text: "more" }]);
    const other = await beginConversation(owner, { agent_model: model.name });
    const program = await programOf(owner, ALL_SCOPES, { agent_ids: [mine.agentId] });
    const key = { "idempotency-key": crypto.randomUUID() };
    const turn = await open(owner, other.path, "Go", key);
    const runs = `/conversations/${other.conversationId}/runs`;
    const viaMine = `/agents/${mine.agentId}/${other.conversationId}/send-message`;
    const attempts = [
      ["GET", `${runs}/active/events`],
      ["GET", `${runs}/${turn.runId}/events`],
      ["GET", `${runs}/${crypto.randomUUID()}/events`],
      ["GET", `${runs}/${turn.runId}`],
      ["POST", `${runs}/${turn.runId}/cancel`],
      ["POST", viaMine, { content: "Go" }],
      ["POST", viaMine, { content: "Go" }, key],
    ] as const;

    for (const [method, path, body, headers] of attempts) {
      const answer = await program(method, path, body, headers);
      expect([path, answer.status, answer.body.detail]).toEqual([path, 404, "Conversation not found"]);
    }

    await model.release();
    expect(textOf(await turn.rest())).toBe("Once more");
    const ended = await eventsAfter(program, other.conversationId, turn.runId, 0);
    expect([ended.status, ended.events]).toEqual([404, []]);
    expect((await eventsAfter(owner, other.conversationId, turn.runId, 0)).status).toBe(200);
  });

  it("can neither create nor list keys", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    await owner("POST", "/agents", { ...ada, agent_name: "Taken" });
    const program = await programOf(owner, ALL_SCOPES, { agent_ids: [agentId] });

    const [taken, free] = await Promise.all(
      ["Taken", "Free"].map((agent_name) => program("POST", "/agents", { ...ada, agent_name })),
    );

    expect([taken?.status, free?.status]).toEqual([403, 403]);
    expect(taken?.body.detail).toBe(free?.body.detail);
  });
});

it("uses idempotency keys separate from its account's", async () => {
  const owner = await signUp();
  const program = await programOf(owner);
  const header = { "idempotency-key": "same" };

  const first = await owner("POST", "/agents", { ...ada, agent_name: "One" }, header);
  const second = await program("POST", "/agents", { ...ada, agent_name: "Two" }, header);

  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body.agent_name).toBe("Two");
});
