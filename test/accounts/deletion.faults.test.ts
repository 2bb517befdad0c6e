import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccountItems } from "../../src/accounts/repository.ts";
import { AccountSweep } from "../../src/accounts/sweep.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel } from "../support/control.ts";
import type { FaultRule } from "../support/control-protocol.ts";
import { open, pause } from "../support/runs.ts";
import { deletionOf, phaseOf, untilPhase } from "./deletions.ts";
import { fill, scan } from "./plant.ts";

vi.setConfig({ testTimeout: 20_000 });
afterEach(endFaults);

const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;

describe("a deletion that the database fails", () => {
  it.each<[string, Omit<FaultRule, "match">]>([
    ["now and then", { probability: 0.3, times: 60, fault: failure }],
    ["by losing answers", { probability: 0.3, times: 40, fault: { kind: "lose-answer" } }],
    ["by breaking connections", { probability: 0.3, times: 40, fault: { kind: "refuse" } }],
    ["by half of every batch", { operation: "BatchWriteItem", times: 40, fault: { kind: "half-batch" } }],
    ["for a while in reading", { operation: "Query", after: 3, times: 30, fault: failure }],
    ["for a while in removing", { operation: "BatchWriteItem", times: 20, fault: failure }],
    ["for a while in emptying", { operation: "PutItem", times: 20, fault: failure }],
    ["for a while at the end", { operation: "DeleteItem", times: 12, fault: failure }],
  ])("%s comes to its end all the same", async (_case, rule) => {
    const { client, traces } = await fill(await signUp());
    await client("DELETE", "/users/me");
    await injectFault({ match: [...traces], ...rule });

    await untilPhase(client, "completed");

    await endFaults();
    expect(await scan(...traces)).toEqual([]);
  });

  it("before it has begun tells the caller so, and leaves the account as it was", async () => {
    const { client, traces } = await fill(await signUp());
    const before = (await scan(...traces)).length;
    await injectFault({ match: [client.email], operation: "UpdateItem", times: 50, fault: failure });

    const { status, body } = await client("DELETE", "/users/me");
    expect([status, body.code]).toEqual([503, "unavailable"]);

    await endFaults();
    await untilGone(client);
    expect((await client("GET", "/agents")).status).toBe(200);
    expect((await scan(...traces)).length).toBe(before);
  });

  it("behind its mark goes on by itself", async () => {
    const { client, traces } = await fill(await signUp());
    const lost = { kind: "lose-answer" } as const;
    await injectFault({ match: [client.email], operation: "UpdateItem", times: 1, fault: lost });
    await injectFault({
      match: [client.email],
      operation: "UpdateItem",
      after: 1,
      times: 11,
      fault: failure,
    });

    expect((await client("DELETE", "/users/me")).status).toBe(503);
    expect((await client("GET", "/agents")).status).toBe(403);
    await endFaults();

    await untilPhase(client, "completed");
    expect(await scan(...traces)).toEqual([]);
  });
});

it.each([[0], [5], [15], [40], [80], [160]])(
  "survives that everything dies again and again, every time after %i ms",
  async (ms) => {
    const { client, traces } = await fill(await signUp());
    await client("DELETE", "/users/me");

    for (let death = 0; death < 4; death++) {
      await pause(ms);
      await abortAllDurableObjects();
    }

    await untilPhase(client, "completed");
    expect(await scan(...traces)).toEqual([]);
  },
);

it("is one deletion, however often it is asked for", async () => {
  const { client, traces } = await fill(await signUp());

  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client("DELETE", "/users/me")));

  for (const { status, body } of answers)
    expect([status, body]).toEqual([200, { message: "Account deletion initiated", status: "processing" }]);
  await untilPhase(client, "completed");
  expect(await scan(...traces)).toEqual([]);
});

describe("a turn", () => {
  const slow = [
    { text: "Wait. " },
    { wait: 800 },
    { text: "Still here. " },
    { wait: 800 },
    { text: "Done." },
  ];

  it("that is running is ended, and leaves nothing behind", async () => {
    const { client, traces } = await fill(await signUp());
    const model = await scriptModel(slow);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const turn = await open(client, path, "Hello");

    await client("DELETE", "/users/me");
    const events = await turn.rest();
    await untilPhase(client, "completed");
    await pause(1_000);

    expect(events.at(-1)?.event_type).toMatch(/^(STREAM_COMPLETE|ERROR)$/u);
    expect(await scan(...traces, agentId, conversationId)).toEqual([]);
  });

  it("that was let in just before, and stores its message just after, stores nothing", async () => {
    const client = await signUp();
    const model = await scriptModel(slow);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    await client("GET", `/agents/${agentId}/memory-blocks`);
    const late = { kind: "delay", ms: 1_500 } as const;
    await injectFault({ match: [conversationId], operation: "TransactWriteItems", times: 1, fault: late });

    const sending = client("POST", path, { content: "Hello" });
    await expect.poll(async () => (await model.log()).requests.length).toBe(1);
    await client("DELETE", "/users/me");
    await sending;
    await untilPhase(client, "completed");
    await pause(1_000);

    expect(await scan(client.email, agentId, conversationId)).toEqual([]);
  });

  it("that dies with its account leaves nothing behind", async () => {
    const client = await signUp();
    const model = await scriptModel(slow);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const turn = await open(client, path, "Hello");

    await client("DELETE", "/users/me");
    await abortAllDurableObjects();
    await turn.rest();
    await untilPhase(client, "completed");
    await pause(500);

    expect(await scan(client.email, agentId, conversationId)).toEqual([]);
  });
});

it("takes an account of any size apart in bounded parts", async () => {
  const client = await signUp();
  const { email } = client;
  const ids = Array.from({ length: 220 }, (_, n) => `many-${n}-${email}`);
  await table.batchWrite(
    ids.flatMap((id) => [
      { put: { pk: `USER#${email}`, sk: `CONVERSATION#${id}` } },
      ...["1", "2", "3"].map((n) => ({ put: { pk: `CONVERSATION#${id}`, sk: `MESSAGE#${n}` } })),
    ]),
  );
  const forgotten: string[] = [];
  const sweep = new AccountSweep({
    items: new AccountItems(table),
    runs: { forgetIn: async (_owner, id) => void forgotten.push(id) },
    indexes: { forget: () => Promise.resolve() },
    clock: systemClock,
  });

  for (const isFinal of [false, true]) {
    const parts: number[] = [];
    for (let isDone = false; !isDone;) {
      const before = (await databaseRequests(email)).length;
      ({ isDone } = await sweep.run(email, isFinal));
      parts.push((await databaseRequests(email)).length - before);
      expect(parts.length).toBeLessThan(20);
    }
    expect(parts.length).toBeGreaterThan(1);
    expect(Math.max(...parts)).toBeLessThan(800);
  }

  expect(new Set(forgotten)).toEqual(new Set(ids));
  expect((await scan(email)).map(({ sk }) => sk)).toEqual(["User#Metadata"]);
});

/** Waits until nothing is known of a deletion. */
async function untilGone(client: Parameters<typeof phaseOf>[0]): Promise<void> {
  await runDurableObjectAlarm(deletionOf(client));
  expect(await phaseOf(client)).toBeUndefined();
}
