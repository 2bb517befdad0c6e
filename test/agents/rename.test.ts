import { expect, it } from "vitest";
import { ada, type Client, signUp, table } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { injectFault } from "../support/control.ts";
import { plantOldAgent, storedAgents } from "./old-items.ts";

async function createNamed(client: Client, name: string) {
  const { body } = await client("POST", "/agents", { ...ada, agent_name: name });
  return { agent: body, id: body.agent_id as string, path: `/agents/${body.agent_id}` };
}

const guardsOf = async (client: Client) =>
  (await storedAgents(client.email)).guards.map((guard) => [guard["sk"], guard["agent_id"]]);

it.each(["PUT", "PATCH"])("renames an agent with %s, and its old name is free again", async (method) => {
  const client = await signUp();
  const { agent, id, path } = await createNamed(client, "Ada");

  const { status, body } = await client(method, path, { agent_name: " Bob ", temperature: 1 });

  expect(status).toBe(200);
  expect(body).toEqual({ ...agent, agent_name: "Bob", temperature: 1, updated_at: expect.any(String) });
  expect((await client("GET", path)).body).toEqual(body);
  expect(await guardsOf(client)).toEqual([["AgentName#bob", id]]);
  expect((await client("POST", "/agents", ada)).status).toBe(201);
});

it("changes only the spelling of a name that counts as the same", async () => {
  const client = await signUp();
  const { id, path } = await createNamed(client, "Ada");

  const { status, body } = await client("PATCH", path, { agent_name: "ADA" });

  expect([status, body.agent_name]).toEqual([200, "ADA"]);
  expect(await guardsOf(client)).toEqual([["AgentName#ada", id]]);
});

it("treats the current name as unchanged", async () => {
  const client = await signUp();
  const { agent, path } = await createNamed(client, "Ada");

  const { status, body } = await client("PUT", path, { agent_name: "Ada" });

  expect([status, body]).toEqual([200, agent]);
});

it.each(["Bob", "bOB", " bob "])(
  "refuses the name of another agent, %j, and changes nothing",
  async (name) => {
    const client = await signUp();
    const { path } = await createNamed(client, "Ada");
    const other = await createNamed(client, "Bob");
    const stored = await storedAgents(client.email);

    const { status, body } = await client("PATCH", path, { agent_name: name, agent_persona: "P" });

    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "conflict",
      detail: "Another agent has this name. Choose another one.",
      existing_agent_id: other.id,
    });
    expect(await storedAgents(client.email)).toEqual(stored);
  },
);

it.each(["A\0da", "Ada\nLovelace", "A\u001bda", "A\u2028da"])(
  "refuses %j, which is not one line",
  async (name) => {
    const client = await signUp();
    const { agent, path } = await createNamed(client, "Ada");

    const { status, body } = await client("PATCH", path, { agent_name: name });

    expect([status, body.errors[0].message]).toEqual([
      422,
      "agent_name must be one line of text, without control characters.",
    ]);
    expect((await client("GET", path)).body).toEqual(agent);
  },
);

it("refuses the name of an agent of the legacy Python service, which has no guard", async () => {
  const client = await signUp();
  const { path } = await createNamed(client, "Ada");
  await plantOldAgent(client.email);

  expect((await client("PATCH", path, { agent_name: "old ada" })).status).toBe(409);
});

it("renames an agent of the legacy Python service, which then has a guard", async () => {
  const client = await signUp();
  const id = await plantOldAgent(client.email);

  const { status, body } = await client("PATCH", `/agents/${id}`, { agent_name: "New Ada" });

  expect([status, body.agent_name]).toEqual([200, "New Ada"]);
  expect(await guardsOf(client)).toEqual([["AgentName#new%20ada", id]]);
});

it("takes over a guard whose agent was deleted", async () => {
  const client = await signUp();
  const { id, path } = await createNamed(client, "Ada");
  await table.put({ pk: `User#${client.email}`, sk: "AgentName#bob", agent_id: crypto.randomUUID() });

  expect((await client("PATCH", path, { agent_name: "Bob" })).status).toBe(200);
  expect(await guardsOf(client)).toEqual([["AgentName#bob", id]]);
});

it("lets exactly one of many concurrent renames to the same name succeed", async () => {
  const client = await signUp();
  const agents = await Promise.all(["A", "B", "C", "D"].map((name) => createNamed(client, name)));

  const renames = agents.map(({ path }) => client("PATCH", path, { agent_name: "Ada" }));
  const answers = await Promise.all([
    ...renames,
    client("POST", "/agents", { ...ada, agent_persona: "New" }),
  ]);

  expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  const names = (await client("GET", "/agents")).body.map((agent: typeof ada) => agent.agent_name);
  expect(names.filter((name: string) => name === "Ada")).toHaveLength(1);
});

it("succeeds if the answer of the database was lost", async () => {
  const client = await signUp();
  const { id, path } = await createNamed(client, "Ada");
  await injectFault({ match: [id], operation: "TransactWriteItems", fault: { kind: "lose-answer" } });

  const { status, body } = await client("PATCH", path, { agent_name: "Bob" });

  expect([status, body.agent_name]).toEqual([200, "Bob"]);
});

it("does not reveal agents outside its scope to a key", async () => {
  const client = await signUp();
  const { id, path } = await createNamed(client, "Ada");
  await createNamed(client, "Bob");
  const program = await programOf(client, ["agents:write"], { agent_ids: [id] });

  const { status, body } = await program("PATCH", path, { agent_name: "Bob" });

  expect([status, body.existing_agent_id]).toEqual([409, undefined]);
});

it("answers 404 for an unknown agent, and reserves no name", async () => {
  const client = await signUp();

  expect((await client("PATCH", `/agents/${crypto.randomUUID()}`, { agent_name: "Bob" })).status).toBe(404);
  expect(await guardsOf(client)).toEqual([]);
});
