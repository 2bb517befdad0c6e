import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel } from "../support/control.ts";
import type { Fault, ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { eventsAfter } from "../support/runs.ts";
import { say, typesOf } from "../support/sse.ts";

// Scenario 10. Scenario 21.

/** How many requests a turn that edits core memory makes to the database. */
const REQUESTS = 7;
const FACT = "Name: Alice";

const script: readonly (readonly ScriptStep[])[] = [
  [
    { text: "Wait. " },
    {
      call: {
        id: "c1",
        name: "core_memory_append",
        arguments: JSON.stringify({ block: "human", content: FACT }),
      },
    },
  ],
  [{ text: "Done." }],
  [{ text: "Next." }],
  [{ text: "Next." }],
  [{ text: "Next." }],
];

async function prepared(replies = script) {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const place = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  // The requests of a turn name the account, the conversation or the agent.
  const match = [client.email, place.conversationId, place.agentId];
  const before = (await databaseRequests(...match)).length;
  const requests = async () => (await databaseRequests(...match)).slice(before);
  return { client, model, match, requests, ...place };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** Everything that is stored must fit together, and the conversation must go on. */
async function expectConsistent({ client, agentId, conversationId, path }: Prepared): Promise<void> {
  const { body } = await client("GET", `/conversations/${conversationId}/runs/active/events`);
  expect(typeof body).toBe("string");
  const runs = (await client("GET", `/conversations/${conversationId}/runs`)).body.items as readonly {
    readonly run_id: string;
    readonly state: string;
    readonly user_message_id: string;
    readonly message_id: string | null;
  }[];
  const expected = runs
    .toReversed()
    .flatMap((run) => [run.user_message_id, ...(run.message_id ? [run.message_id] : [])]);
  expect((await storedMessages(conversationId)).map((item) => item["message_id"])).toEqual(expected);
  expect(runs.map(({ state }) => state)).not.toContain("running");
  expect((await messagesUsed(client.email)) ?? 0).toBe(runs.filter((run) => run.message_id).length);
  await expectEventsInStep(client, runs.filter((run) => run.message_id).length);

  const lines = ((await storedLines(agentId, client.email, "human")) ?? []) as readonly string[];
  expect(lines.filter((line) => line === FACT).length).toBeLessThanOrEqual(1);
  for (const { run_id: runId } of runs) {
    const { events } = await eventsAfter(client, conversationId, runId, 0);
    expect(typesOf(events).filter((type) => type === "ERROR" || type === "STREAM_COMPLETE")).toHaveLength(1);
  }
  expect((await say(client, path, "Next?")).last?.event_type).toBe("STREAM_COMPLETE");
}

/** Each counted message has an event that is reserved, and no other run has one. */
async function expectEventsInStep(client: Client, counted: number): Promise<void> {
  const events = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageEvent#" } });
  expect(events.filter(({ state }) => state === "reserved")).toHaveLength(counted);
}

const numbers = Array.from({ length: REQUESTS }, (_, index) => index);

describe("a turn with a memory edit", () => {
  it(`makes ${REQUESTS} requests to the database, each of which fails in one of these tests`, async () => {
    const turn = await prepared();
    await say(turn.client, turn.path, "I am Alice");
    expect(await turn.requests()).toHaveLength(REQUESTS);
    expect(await storedLines(turn.agentId, turn.client.email, "human")).toEqual([FACT]);
    await expectConsistent(turn);
  });

  it.each(numbers.flatMap((nth) => [[nth, "refuse"] as const, [nth, "lose-answer"] as const]))(
    "stores everything once if request %i to the database fails (%s)",
    async (nth, kind) => {
      const turn = await prepared();
      await injectFault({ match: turn.match, after: nth, fault: { kind } });

      const { last, text } = await say(turn.client, turn.path, "I am Alice");

      expect([last?.event_type, text]).toEqual(["STREAM_COMPLETE", "Wait. Done."]);
      expect(await storedLines(turn.agentId, turn.client.email, "human")).toEqual([FACT]);
      expect(await messagesUsed(turn.client.email)).toBe(1);
      await expectConsistent(turn);
    },
  );

  it.each(
    numbers.flatMap((nth): [number, string, Fault][] => [
      [nth, "before", { kind: "stall" }],
      [nth, "after", { kind: "hold-answer" }],
    ]),
  )(
    "is consistent if its runner dies at request %i to the database, %s it took effect",
    async (nth, _when, fault) => {
      const turn = await prepared();
      await injectFault({ match: turn.match, after: nth, fault });

      const sending = say(turn.client, turn.path, "I am Alice").catch(() => undefined);
      let isOver = false;
      void sending.then(() => (isOver = true));
      // The request is not answered before the faults end. One that takes effect has been carried out then.
      const hasMet = async () => ((await turn.requests())[nth]?.endedAt ?? 0) > 0;
      await expect.poll(async () => isOver || (await hasMet()), { interval: 5 }).toBe(true);
      await abortAllDurableObjects();
      await endFaults();
      await sending;

      await expectConsistent(turn);
    },
  );
});

describe("a turn whose model", () => {
  it.each<[string, readonly (readonly ScriptStep[])[]]>([
    ["fails before the first word", [[{ status: 401, body: {} }], ...script.slice(2)]],
    ["ends early in the first answer", [[{ text: "Wait. " }, { cut: true }], ...script.slice(2)]],
    ["fails after the memory edit", [script[0] ?? [], [{ status: 401, body: {} }], ...script.slice(2)]],
    [
      "ends early after the memory edit",
      [script[0] ?? [], [{ text: "Do" }, { cut: true }], ...script.slice(2)],
    ],
  ])("%s is consistent", async (_case, replies) => {
    const turn = await prepared(replies);

    const { last } = await say(turn.client, turn.path, "I am Alice");

    expect(last?.event_type).toBe("ERROR");
    await expectConsistent(turn);
  });

  it.each([0, 1])("is generating when its runner dies, at request %i, is consistent", async (nth) => {
    const held = script.map((steps, index) => (index === nth ? [{ hold: true as const }, ...steps] : steps));
    const turn = await prepared(held);

    const sending = say(turn.client, turn.path, "I am Alice").catch(() => undefined);
    await expect.poll(async () => (await turn.model.log()).requests.length, { interval: 5 }).toBe(nth + 1);
    await abortAllDurableObjects();
    await sending;

    await expectConsistent(turn);
  });
});
