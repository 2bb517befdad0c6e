import { describe, expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import type { Fault } from "../support/control-protocol.ts";
import { storedAgents } from "./old-items.ts";

/** Four attempts are all that the table's client makes. */
const ATTEMPTS = 4;
const failure: Fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } };

/** An agent with a memory and a conversation of a few messages. */
async function settle(client: Client) {
  const { agentId, conversationId } = await beginConversation(client, { agent_name: "Ada" });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  const messages = ["1", "2", "3"].map((n) => ({
    put: { pk: `CONVERSATION#${conversationId}`, sk: `MESSAGE#2025-06-0${n}#${n}`, content: n },
  }));
  await table.batchWrite(messages);
  return { agentId, conversationId, email: client.email };
}

/** Makes each attempt of the next transaction with this text fail. */
const failTransactions = (text: string) =>
  injectFault({ match: [text], operation: "TransactWriteItems", times: ATTEMPTS, fault: failure });

type Settled = Awaited<ReturnType<typeof settle>>;

const leftOf = async ({ agentId, conversationId, email }: Settled) => {
  const partitions = [`CONVERSATION#${conversationId}`, `USER#${email}`, `Agent#${agentId}#User#${email}`];
  const { agents, guards } = await storedAgents(email);
  const others = await Promise.all(partitions.map((partition) => table.query(partition)));
  return [...agents, ...guards, ...others.flat()];
};

/** A request of a deletion, with a text that identifies it, and how many like it come before. */
type Step = [step: string, operation: string, textOf: (settled: Settled) => string, after?: number];

/** The requests that a deletion makes once the agent is marked. */
const STEPS: readonly Step[] = [
  ["finding the conversations", "Query", ({ email }) => `USER#${email}`],
  ["marking a conversation", "TransactWriteItems", ({ conversationId }) => conversationId],
  ["finding messages", "Query", ({ conversationId }) => conversationId],
  ["removing messages", "TransactWriteItems", ({ conversationId }) => conversationId, 1],
  ["removing a conversation", "DeleteItem", ({ conversationId }) => conversationId],
  ["finding memory", "Query", ({ agentId, email }) => `Agent#${agentId}#User#${email}`],
  ["removing memory", "TransactWriteItems", ({ agentId, email }) => `Agent#${agentId}#User#${email}`],
  ["removing the agent", "DeleteItem", ({ agentId }) => agentId],
];

describe("a deletion that is interrupted", () => {
  it.each<Step>(STEPS)(
    "while %s is completed by a repeat, and the agent is hidden meanwhile",
    async (_step, operation, textOf, after = 0) => {
      const client = await signUp();
      const settled = await settle(client);
      const path = `/agents/${settled.agentId}`;
      const match = [textOf(settled)];
      await injectFault({ match, operation, after, times: ATTEMPTS, fault: failure });

      const first = await client("DELETE", path);

      expect(first.status).toBe(503);
      expect((await client("GET", path)).status).toBe(404);
      expect((await client("PUT", path, { agent_persona: "P" })).status).toBe(404);
      expect((await client("GET", "/agents")).body).toEqual([]);
      expect((await client("GET", `${path}/memory-blocks`)).status).toBe(404);
      const talk = { title: "Talk", agent_id: settled.agentId };
      expect((await client("POST", "/conversations", talk)).status).toBe(404);

      const second = await client("DELETE", path);

      expect(second.status).toBe(204);
      expect(await leftOf(settled)).toEqual([]);
    },
  );

  it("changes nothing if it fails before its first write", async () => {
    const client = await signUp();
    const settled = await settle(client);
    const before = await leftOf(settled);
    await failTransactions(settled.agentId);

    expect((await client("DELETE", `/agents/${settled.agentId}`)).status).toBe(503);
    expect(await leftOf(settled)).toEqual(before);
    expect((await client("DELETE", `/agents/${settled.agentId}`)).status).toBe(204);
    expect(await leftOf(settled)).toEqual([]);
  });

  it("has freed the name, and its repeat removes nothing of a new agent with that name", async () => {
    const client = await signUp();
    const settled = await settle(client);
    await failTransactions(settled.conversationId);
    expect((await client("DELETE", `/agents/${settled.agentId}`)).status).toBe(503);

    const created = await client("POST", "/agents", ada);
    const repeated = await client("DELETE", `/agents/${settled.agentId}`);

    expect([created.status, repeated.status]).toEqual([201, 204]);
    expect((await client("GET", "/agents")).body).toEqual([created.body]);
    expect((await client("POST", "/agents", ada)).status).toBe(200);
  });
});

describe("a deletion with a lost answer of the database", () => {
  const writes = STEPS.filter(([, operation]) => operation !== "Query");

  it.each<Step>([["marking the agent", "TransactWriteItems", ({ agentId }) => agentId], ...writes])(
    "while %s succeeds",
    async (_step, operation, textOf, after = 0) => {
      const client = await signUp();
      const settled = await settle(client);
      await injectFault({ match: [textOf(settled)], operation, after, fault: { kind: "lose-answer" } });

      const { status } = await client("DELETE", `/agents/${settled.agentId}`);

      expect(status).toBe(204);
      expect(await leftOf(settled)).toEqual([]);
    },
  );
});
