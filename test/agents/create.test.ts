import { describe, expect, it } from "vitest";
import { ada, type Client, signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { plantOldAgent, storedAgents } from "./old-items.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;

const create = (client: Client, more: Record<string, unknown> = {}) =>
  client("POST", "/agents", { ...ada, ...more });

describe("creating an agent", () => {
  it("returns the agent", async () => {
    const client = await signUp();

    const { status, body } = await create(client);

    expect(status).toBe(201);
    expect(body).toEqual({
      agent_id: expect.stringMatching(UUID_V7),
      agent_name: "Ada",
      agent_architecture: "krishna-memgpt",
      agent_provider: "Demo",
      agent_model: null,
      agent_persona: "You are Ada, curious and precise.",
      session_timeout_minutes: 60,
      temperature: null,
      max_output_tokens: null,
      context_window: null,
      fallback_provider: null,
      fallback_model: null,
      allowed_origins: [],
      tool_approvals: {},
      end_user_messages_per_month: null,
      created_by: client.email,
      created_at: expect.stringMatching(STAMP),
      updated_at: null,
    });
  });

  it("stores the agent as the legacy Python service would, with a guard for its name", async () => {
    const client = await signUp();

    const { body } = await create(client, { agent_name: "Ada #1 / Lovelace", agent_model: "demo" });

    expect(await storedAgents(client.email)).toEqual({
      agents: [
        {
          pk: `User#${client.email}`,
          sk: `Agent#${body.agent_id}`,
          entity_type: "Agent",
          agent_id: body.agent_id,
          agent_name: "Ada #1 / Lovelace",
          agent_architecture: "krishna-memgpt",
          agent_provider: "Demo",
          agent_model: "demo",
          agent_persona: "You are Ada, curious and precise.",
          session_timeout_minutes: 60,
          created_by: client.email,
          created_at: body.created_at,
          updated_at: null,
        },
      ],
      guards: [
        {
          pk: `User#${client.email}`,
          sk: "AgentName#ada%20%231%20%2F%20lovelace",
          agent_id: body.agent_id,
        },
      ],
    });
  });

  it("refuses unknown members, creates nothing and quotes no value", async () => {
    const client = await signUp();

    const { status, body } = await create(client, {
      agent_provider_api_key: "sk-secret",
      created_by: "somebody@example.com",
      agent_id: "mine",
    });

    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(JSON.stringify(body)).not.toMatch(/sk-secret|somebody/u);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it.each([
    ["60", 60],
    [" 30 ", 30],
    ["0", 0],
    [120, 120],
    ["", 60],
    [null, 60],
    [undefined, 60],
    [43_200, 43_200],
  ])("accepts %j as a session timeout", async (given, expected) => {
    const client = await signUp();

    const { status, body } = await create(client, { session_timeout_minutes: given });

    expect([status, body.session_timeout_minutes]).toEqual([201, expected]);
    expect((await storedAgents(client.email)).agents[0]?.["session_timeout_minutes"]).toBe(expected);
  });

  it("accepts a provider's name in any case", async () => {
    const client = await signUp();

    const { status, body } = await create(client, { agent_provider: "dEMO" });

    expect([status, body.agent_provider]).toEqual([201, "Demo"]);
  });

  it.each(["", null, "  "])("treats %j as no model", async (model) => {
    const client = await signUp();

    const { status, body } = await create(client, { agent_model: model });

    expect([status, body.agent_model]).toEqual([201, null]);
    expect((await storedAgents(client.email)).agents[0]?.["agent_model"]).toBeNull();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a timeout that is not a number", { session_timeout_minutes: "abc" }, "session_timeout_minutes"],
    ["a timeout below 0", { session_timeout_minutes: -1 }, "session_timeout_minutes"],
    ["half a minute", { session_timeout_minutes: 0.5 }, "session_timeout_minutes"],
    ["more than thirty days", { session_timeout_minutes: 43_201 }, "session_timeout_minutes"],
    ["a boolean as the timeout", { session_timeout_minutes: true }, "session_timeout_minutes"],
    ["an unknown architecture", { agent_architecture: "krishna-max" }, "agent_architecture"],
    ["no architecture", { agent_architecture: "" }, "agent_architecture"],
    ["an unknown provider", { agent_provider: "Nobody" }, "agent_provider"],
    ["no name", { agent_name: "" }, "agent_name"],
    ["a blank name", { agent_name: "   " }, "agent_name"],
    ["no name at all", { agent_name: undefined }, "agent_name"],
    ["a name of more than 200 characters", { agent_name: "n".repeat(201) }, "agent_name"],
    ["a name with a NUL", { agent_name: "A\0da" }, "agent_name"],
    ["a name of two lines", { agent_name: "Ada\nLovelace" }, "agent_name"],
    ["no persona", { agent_persona: null }, "agent_persona"],
    ["a number as the persona", { agent_persona: 123 }, "agent_persona"],
    ["a persona of more than 40,000 characters", { agent_persona: "p".repeat(40_001) }, "agent_persona"],
    ["a model of more than 200 characters", { agent_model: "m".repeat(201) }, "agent_model"],
  ])("refuses %s, and stores nothing", async (_case, more, member) => {
    const client = await signUp();

    const { status, body } = await create(client, more);

    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: [member], message: expect.any(String), code: expect.any(String) }]);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it.each([
    ["200 letters", 201, "n".repeat(200)],
    ["100 Chinese characters", 201, "語".repeat(100)],
    ["100 characters of two units each", 422, "😀".repeat(100)],
    ["200 Chinese characters, too many for a sort key", 422, "語".repeat(200)],
    ["200 letters that grow in lower case", 422, "İ".repeat(200)],
    ["200 signs that grow in a key", 201, "%".repeat(200)],
  ])("answers a name of %s with %i", async (_case, expected, name) => {
    const client = await signUp();

    const first = await create(client, { agent_name: name });
    const again = await create(client, { agent_name: name });

    expect([first.status, again.status]).toEqual([expected, expected === 201 ? 200 : expected]);
  });
});

describe("creating an agent again", () => {
  it.each([
    ["the same name", "Ada"],
    ["the name in another case", "aDA"],
    ["the name with surrounding spaces", "  Ada "],
    ["the name in another case with spaces", "ADA  "],
  ])("returns the existing agent for %s", async (_case, name) => {
    const client = await signUp();
    const first = await create(client);

    const again = await create(client, { agent_name: name });

    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await storedAgents(client.email)).agents).toHaveLength(1);
  });

  it("compares only the fields that the body contains", async () => {
    const client = await signUp();
    const first = await create(client, { temperature: 1.5, agent_model: "demo" });

    const again = await create(client, { temperature: "", agent_model: "" });

    expect([again.status, again.body]).toEqual([200, first.body]);
  });

  it("refuses a body that disagrees with the agent, names the fields and changes nothing", async () => {
    const client = await signUp();
    const first = await create(client);
    const stored = await storedAgents(client.email);

    const again = await create(client, { agent_persona: "Somebody else", temperature: 1 });

    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      code: "conflict",
      detail:
        "You already have an agent of this name, and it differs in agent_persona, temperature. Update that agent, or choose another name.",
      existing_agent_id: first.body.agent_id,
      fields: ["agent_persona", "temperature"],
    });
    expect(await storedAgents(client.email)).toEqual(stored);
  });

  it("creates one agent for concurrent requests that disagree", async () => {
    const client = await signUp();

    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => create(client, { agent_persona: `Persona ${index}` })),
    );

    const created = answers.filter(({ status }) => status === 201);
    expect([created.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 5]);
    expect((await storedAgents(client.email)).agents).toHaveLength(1);
  });

  it("creates one agent for ten concurrent requests", async () => {
    const client = await signUp();

    const answers = await Promise.all(Array.from({ length: 10 }, () => create(client)));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    const stored = await storedAgents(client.email);
    expect(stored.agents).toHaveLength(1);
    expect(stored.guards).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.agent_id))).toEqual(
      new Set(stored.agents.map((agent) => agent["agent_id"])),
    );
  });

  it("allows two accounts to have agents with the same name", async () => {
    const [alice, bob] = await Promise.all([signUp(), signUp()]);

    const [hers, his] = [await create(alice), await create(bob)];

    expect([hers.status, his.status]).toEqual([201, 201]);
    expect(hers.body.agent_id).not.toBe(his.body.agent_id);
  });

  it.each(["Old Ada", "old ada", " OLD ADA "])(
    "returns an agent of the legacy Python service for the name %j",
    async (name) => {
      const client = await signUp();
      const id = await plantOldAgent(client.email);

      const { status, body } = await create(client, {
        agent_name: name,
        agent_persona: "You are Ada.",
        agent_provider: "Bedrock",
      });

      expect([status, body.agent_id, body.agent_persona]).toEqual([200, id, "You are Ada."]);
      expect(JSON.stringify(body)).not.toContain("sk-legacy");
      expect((await storedAgents(client.email)).agents).toHaveLength(1);
    },
  );

  it("replaces a guard whose agent was deleted", async () => {
    const client = await signUp();
    const guard = { pk: `User#${client.email}`, sk: "AgentName#ada" };
    await table.put({ ...guard, agent_id: crypto.randomUUID() });

    const { status, body } = await create(client);

    expect(status).toBe(201);
    expect(await table.get(guard)).toEqual({ ...guard, agent_id: body.agent_id });
    expect((await create(client)).body).toEqual(body);
  });

  it("replaces a guard whose agent is being deleted", async () => {
    const client = await signUp();
    const first = await create(client);
    const key = { pk: `User#${client.email}`, sk: `Agent#${first.body.agent_id}` };
    await table.update(key, { set: { deleting_at: "2026-01-29T11:51:36.000000+00:00" } });

    const { status, body } = await create(client);

    expect(status).toBe(201);
    expect(body.agent_id).not.toBe(first.body.agent_id);
  });

  it("replaces a guard whose agent was deleted only once under concurrent requests", async () => {
    const client = await signUp();
    await table.put({ pk: `User#${client.email}`, sk: "AgentName#ada", agent_id: crypto.randomUUID() });

    const answers = await Promise.all(Array.from({ length: 6 }, () => create(client)));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.agent_id)).size).toBe(1);
    expect((await storedAgents(client.email)).agents).toHaveLength(1);
  });

  it("creates one agent if the answer of the database was lost", async () => {
    const client = await signUp();
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [client.email], operation: "TransactWriteItems", fault });

    const { status, body } = await create(client);

    expect(status).toBe(201);
    const { agents, guards } = await storedAgents(client.email);
    expect([...agents, ...guards].map((item) => item["agent_id"])).toEqual([body.agent_id, body.agent_id]);
  });
});
