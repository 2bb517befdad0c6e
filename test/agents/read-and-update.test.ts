import type { AgentId } from "../../src/shared/id-types.ts";
import { describe, expect, it } from "vitest";
import { ada, type Client, signUp, table } from "../support/app.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { plantOldAgent, storedAgents } from "./old-items.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;

async function createAda(client: Client) {
  const { body } = await client("POST", "/agents", { ...ada, agent_model: "demo" });
  return { agent: body, path: `/agents/${body.agent_id}`, id: body.agent_id as AgentId };
}

describe("reading agents", () => {
  it("returns an empty list if there are no agents", async () => {
    const client = await signUp();

    const { status, body } = await client("GET", "/agents");

    expect([status, body]).toEqual([200, []]);
  });

  it("lists the user's own agents, each as it was created, and gets each by its id", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    await createAda(other);
    const created = [];
    for (const name of ["Ada", "Bob", "Cleo"])
      created.push((await client("POST", "/agents", { ...ada, agent_name: name })).body);

    const { status, body } = await client("GET", "/agents");

    expect([status, body]).toEqual([200, created]);
    for (const agent of created)
      expect(await client("GET", `/agents/${agent.agent_id}`)).toMatchObject({ status: 200, body: agent });
  });

  it("reads the agent and the status of the account in one request", async () => {
    const client = await signUp();
    const { path } = await createAda(client);
    const before = (await databaseRequests(client.email)).length;

    await client("GET", path);

    const operations = (await databaseRequests(client.email)).slice(before).map(({ operation }) => operation);
    expect(operations).toEqual(["BatchGetItem"]);
  });

  it("answers 404 for an unknown agent", async () => {
    const client = await signUp();

    const { status, body } = await client("GET", `/agents/${crypto.randomUUID()}`);

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
  });

  it("reads agents of the legacy Python service, never their keys", async () => {
    const client = await signUp();
    const id = await plantOldAgent(client.email);

    const { body } = await client("GET", `/agents/${id}`);

    expect(body).toEqual({
      agent_id: id,
      agent_name: "Old Ada",
      agent_architecture: "krishna-memgpt",
      agent_provider: "Bedrock",
      agent_model: null,
      agent_persona: "You are Ada.",
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
      created_at: "2025-06-01T10:00:00.000123+00:00",
      updated_at: null,
    });
  });

  it("lists the other agents if one is malformed", async () => {
    const client = await signUp();
    const { agent } = await createAda(client);
    const odd = await plantOldAgent(client.email, { agent_persona: 123, session_timeout_minutes: "" });
    const pk = `User#${client.email}`;
    await table.put({ pk, sk: "Agent#bare" });

    const one = await client("GET", `/agents/${odd}`);
    const { status, body } = await client("GET", "/agents");

    expect(one.status).toBe(200);
    expect(one.body).toMatchObject({ agent_persona: "123", session_timeout_minutes: 60 });
    expect(status).toBe(200);
    expect(body).toHaveLength(3);
    expect(body).toEqual(expect.arrayContaining([agent, one.body]));
    expect(body.find(({ agent_id }: { agent_id: string }) => agent_id === "bare")).toEqual({
      agent_id: "bare",
      agent_name: "",
      agent_architecture: "krishna-mini",
      agent_provider: "",
      agent_model: null,
      agent_persona: "",
      session_timeout_minutes: 60,
      temperature: null,
      max_output_tokens: null,
      context_window: null,
      fallback_provider: null,
      fallback_model: null,
      allowed_origins: [],
      tool_approvals: {},
      end_user_messages_per_month: null,
      created_by: "",
      created_at: "",
      updated_at: null,
    });
  });

  it("lists more agents than fit into one page of the database", async () => {
    const client = await signUp();
    for (let n = 0; n < 6; n++)
      await plantOldAgent(client.email, { agent_name: `Ada ${n}`, agent_persona: "p".repeat(250_000) });

    const { body } = await client("GET", "/agents");

    expect(body).toHaveLength(6);
  });
});

describe("changing an agent", () => {
  it.each<[string, unknown, unknown]>([
    ["agent_persona", "You are Bob.", "You are Bob."],
    ["agent_architecture", "krishna-mini", "krishna-mini"],
    ["agent_provider", "OpenAI", "OpenAI"],
    ["agent_model", " gpt ", "gpt"],
    ["session_timeout_minutes", "240", 240],
    ["session_timeout_minutes", 0, 0],
    ["temperature", "0.7", 0.7],
    ["temperature", 0, 0],
    ["temperature", 2, 2],
    ["max_output_tokens", "1000", 1_000],
    ["context_window", "8192", 8_192],
    ["fallback_provider", "Anthropic", "Anthropic"],
    ["fallback_model", " claude ", "claude"],
  ])("changes %s to %j and nothing else", async (member, given, expected) => {
    const client = await signUp();
    const { agent, path, id } = await createAda(client);
    const [before] = (await storedAgents(client.email)).agents;

    const { status, body } = await client("PUT", path, { [member]: given });

    const updatedAt = expect.stringMatching(STAMP);
    expect(status).toBe(200);
    expect(body).toEqual({ ...agent, [member]: expected, updated_at: updatedAt });
    expect((await client("GET", path)).body).toEqual(body);
    expect(await table.get({ pk: `User#${client.email}`, sk: `Agent#${id}` })).toEqual({
      ...before,
      [member]: expected,
      updated_at: body.updated_at,
    });
  });

  it.each(["", null, undefined])("treats %j as unchanged, in every member", async (blank) => {
    const client = await signUp();
    const { agent, path } = await createAda(client);

    const { status, body } = await client("PUT", path, {
      agent_architecture: blank,
      agent_provider: blank,
      agent_model: blank,
      agent_persona: blank,
      session_timeout_minutes: blank,
      temperature: blank,
      max_output_tokens: blank,
      fallback_provider: blank,
      fallback_model: blank,
    });

    expect(status).toBe(200);
    expect(body).toEqual(agent);
  });

  it("keeps the model settings until `none` removes them", async () => {
    const client = await signUp();
    const settings = {
      temperature: 1.5,
      max_output_tokens: 500,
      fallback_provider: "Demo",
      fallback_model: "demo",
    };
    const { body: agent } = await client("POST", "/agents", { ...ada, ...settings });
    const path = `/agents/${agent.agent_id}`;
    const [stored] = (await storedAgents(client.email)).agents;
    const nothing = {
      temperature: null,
      max_output_tokens: null,
      fallback_provider: null,
      fallback_model: null,
    };

    const untouched = await client("PUT", path, { temperature: "", fallback_model: "  " });
    const one = await client("PUT", path, { temperature: "none" });
    const rest = await client("PUT", path, { max_output_tokens: "none", fallback_provider: "none" });

    expect(agent).toMatchObject(settings);
    expect(stored).toMatchObject(settings);
    expect(untouched.body).toEqual(agent);
    expect(one.body).toMatchObject({ ...settings, temperature: null });
    expect(rest.body).toMatchObject(nothing);
    expect((await client("GET", path)).body).toEqual(rest.body);
  });

  it("treats a blank model as unchanged", async () => {
    const client = await signUp();
    const { agent, path } = await createAda(client);

    const { status, body } = await client("PUT", path, { agent_model: "  " });

    expect([status, body.agent_model]).toEqual([200, agent.agent_model]);
  });

  it.each(["agent_id", "created_by", "created_at", "pk", "deleting_at"])(
    "refuses to change %s, and changes nothing else",
    async (member) => {
      const client = await signUp();
      const { agent, path } = await createAda(client);

      const { status, body } = await client("PUT", path, { [member]: "mine", agent_persona: "You are Bob." });

      expect([status, body.errors[0].path]).toEqual([422, [member]]);
      expect((await client("GET", path)).body).toEqual(agent);
    },
  );

  it("suggests the member that was meant", async () => {
    const client = await signUp();
    const { path } = await createAda(client);

    const { status, body } = await client("PUT", path, { persona: "You are Bob." });

    expect(status).toBe(422);
    expect(body.detail).toBe(
      "The body is not valid: persona is not known here. Did you mean `agent_persona`?",
    );
  });

  it.each<[string, unknown]>([
    ["agent_persona", 123],
    ["agent_persona", ["You are Bob."]],
    ["agent_persona", "p".repeat(40_001)],
    ["agent_architecture", "nope"],
    ["agent_provider", "nope"],
    ["agent_provider", false],
    ["agent_model", 5],
    ["session_timeout_minutes", "soon"],
    ["session_timeout_minutes", -5],
    ["session_timeout_minutes", "1e3"],
    ["session_timeout_minutes", {}],
    ["temperature", 2.1],
    ["temperature", "-0.1"],
    ["temperature", "warm"],
    ["temperature", "0x1"],
    ["max_output_tokens", 0],
    ["context_window", 1_000],
    ["max_output_tokens", 1.5],
    ["max_output_tokens", 200_001],
    ["fallback_provider", "nope"],
    ["fallback_model", 5],
  ])("refuses %s = %j, and changes nothing", async (member, value) => {
    const client = await signUp();
    const { path } = await createAda(client);
    const before = await storedAgents(client.email);

    const { status, body } = await client("PUT", path, { agent_persona: "You are Bob.", [member]: value });

    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: [member], message: expect.any(String), code: expect.any(String) }]);
    expect(await storedAgents(client.email)).toEqual(before);
  });

  it("answers 404 for an unknown agent and creates none", async () => {
    const client = await signUp();

    const { status, body } = await client("PUT", `/agents/${crypto.randomUUID()}`, { agent_persona: "P" });

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it("loses no change in concurrent updates", async () => {
    const client = await signUp();
    const { path } = await createAda(client);

    await Promise.all([
      client("PUT", path, { agent_persona: "You are Bob." }),
      client("PUT", path, { agent_model: "other" }),
      client("PUT", path, { session_timeout_minutes: 30 }),
    ]);

    expect((await client("GET", path)).body).toMatchObject({
      agent_persona: "You are Bob.",
      agent_model: "other",
      session_timeout_minutes: 30,
    });
  });

  it("succeeds if the answer of the database was lost", async () => {
    const client = await signUp();
    const { path, id } = await createAda(client);
    await injectFault({ match: [id], operation: "UpdateItem", fault: { kind: "lose-answer" } });

    const { status, body } = await client("PUT", path, { agent_persona: "You are Bob." });

    expect([status, body.agent_persona]).toEqual([200, "You are Bob."]);
  });

  it("repairs a malformed agent of the legacy Python service", async () => {
    const client = await signUp();
    const odd = await plantOldAgent(client.email, { agent_persona: 123, session_timeout_minutes: "" });

    const { status, body } = await client("PUT", `/agents/${odd}`, {
      agent_persona: "You are Bob.",
      session_timeout_minutes: "30",
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ agent_persona: "You are Bob.", session_timeout_minutes: 30 });
  });
});
