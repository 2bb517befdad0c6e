import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { AccountItems } from "../../src/accounts/repository.ts";
import { AccountSweep } from "../../src/accounts/sweep.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import type { FaultRule } from "../support/control-protocol.ts";
import { open, untilAnswered } from "../support/runs.ts";
import { deletionOf, phaseOf, untilPhase } from "./deletions.ts";
import { fillAccount, itemsAbout } from "./plant.ts";

const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;

describe("a deletion while the database fails", () => {
  it.each<[string, Omit<FaultRule, "match">]>([
    ["now and then", { probability: 0.3, times: 60, fault: failure }],
    ["by losing answers", { probability: 0.3, times: 40, fault: { kind: "lose-answer" } }],
    ["by breaking connections", { probability: 0.3, times: 40, fault: { kind: "refuse" } }],
    ["by half of every batch", { operation: "BatchWriteItem", times: 40, fault: { kind: "half-batch" } }],
    ["for a while in reading", { operation: "Query", after: 3, times: 30, fault: failure }],
    ["for a while in removing", { operation: "BatchWriteItem", times: 20, fault: failure }],
    ["for a while in emptying", { operation: "PutItem", times: 20, fault: failure }],
    ["for a while at the end", { operation: "DeleteItem", times: 12, fault: failure }],
  ])("completes despite a database that fails %s", async (_case, rule) => {
    const { client, traces } = await fillAccount(await signUp());
    await client("DELETE", "/users/me");
    await injectFault({ match: [...traces], ...rule });

    await untilPhase(client, "completed");

    await endFaults();
    expect(await itemsAbout(...traces)).toEqual([]);
  });

  it("fails before its first write, and leaves the account unchanged", async () => {
    const { client, traces } = await fillAccount(await signUp());
    const before = (await itemsAbout(...traces)).length;
    await injectFault({ match: [client.email], operation: "UpdateItem", times: 50, fault: failure });

    const { status, body } = await client("DELETE", "/users/me");
    expect([status, body.code]).toEqual([503, "unavailable"]);

    await endFaults();
    await untilGone(client);
    expect((await client("GET", "/agents")).status).toBe(200);
    expect((await itemsAbout(...traces)).length).toBe(before);
  });

  it("continues by itself after the account was marked", async () => {
    const { client, traces } = await fillAccount(await signUp());
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
    expect(await itemsAbout(...traces)).toEqual([]);
  });
});

it.each([[1], [2], [4], [8], [12], [16]])(
  "completes although all Durable Objects are aborted repeatedly, each time at request %i to the database",
  async (nth) => {
    const { client, traces } = await fillAccount(await signUp());
    const match = [...traces];
    const fault = { kind: "hold-answer" } as const;
    await client("DELETE", "/users/me");

    for (let death = 0; death < 4; death++) {
      await injectFault({ match, after: nth - 1, fault });
      await ringNow(client);
      await untilMet();
      await abortAllDurableObjects();
      await endFaults();
    }

    await untilPhase(client, "completed");
    expect(await itemsAbout(...traces)).toEqual([]);
  },
);

it("deletes the account once for repeated requests", async () => {
  const { client, traces } = await fillAccount(await signUp());

  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client("DELETE", "/users/me")));

  for (const answer of answers)
    expect(answer).toMatchObject({
      status: 200,
      body: { message: "Account deletion initiated", status: "processing" },
    });
  await untilPhase(client, "completed");
  expect(await itemsAbout(...traces)).toEqual([]);
});

describe("a turn", () => {
  const held = [{ text: "Wait. " }, { hold: true }, { text: "Done." }] as const;

  it("is ended if it is running, and leaves nothing behind", async () => {
    const { client, traces } = await fillAccount(await signUp());
    const model = await scriptModel(held);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const turn = await open(client, path, "Hello");

    await client("DELETE", "/users/me");
    const events = await turn.rest();
    await untilPhase(client, "completed");
    await model.release();
    await untilAnswered(...traces);

    expect(events.at(-1)?.event_type).toMatch(/^(STREAM_COMPLETE|ERROR)$/u);
    expect(await itemsAbout(...traces, agentId, conversationId)).toEqual([]);
  });

  it("that was admitted just before, and stores its message just after, stores nothing", async () => {
    const client = await signUp();
    const model = await scriptModel(held);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    await client("GET", `/agents/${agentId}/memory-blocks`);
    const fault = { kind: "hold" } as const;
    await injectFault({ match: [conversationId], operation: "TransactWriteItems", fault });

    const sending = client("POST", path, { content: "Hello" });
    await model.asked(1);
    await untilMet();
    await client("DELETE", "/users/me");
    await endFaults();
    await sending;
    await untilPhase(client, "completed");
    await model.release();
    await untilAnswered(client.email, conversationId);

    expect(await itemsAbout(client.email, agentId, conversationId)).toEqual([]);
  });

  it("that dies with its account leaves nothing behind", async () => {
    const client = await signUp();
    const model = await scriptModel(held);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const turn = await open(client, path, "Hello");

    await client("DELETE", "/users/me");
    await abortAllDurableObjects();
    await turn.rest();
    await untilPhase(client, "completed");
    await untilAnswered(client.email, conversationId);

    expect(await itemsAbout(client.email, agentId, conversationId)).toEqual([]);
  });
});

it("removes an account of any size in bounded steps", async () => {
  const client = await signUp();
  const { email } = client;
  const ids = Array.from({ length: 250 }, (_, n) => `many-${n}-${email}`);
  await table.batchWrite(
    ids.flatMap((id) => [
      { put: { pk: `USER#${email}`, sk: `CONVERSATION#${id}` } },
      ...["1", "2", "3"].map((n) => ({ put: { pk: `CONVERSATION#${id}`, sk: `MESSAGE#${n}` } })),
    ]),
  );
  const forgotten: string[] = [];
  const sweep = new AccountSweep({
    items: new AccountItems({ table }),
    runs: {
      forgetIn: (_owner, id) => {
        forgotten.push(id);
        return Promise.resolve(true);
      },
    },
    indexes: { forget: () => Promise.resolve() },
    crawls: { stop: () => Promise.resolve() },
    documentIndexes: { forget: () => Promise.resolve() },
    runnerMs: 30_000,
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
  expect((await itemsAbout(email)).map(({ sk }) => sk)).toEqual(["User#Metadata"]);
});

/** Lets the alarm of a deletion ring now. After its object was killed, it would ring seconds later, and while it rests, minutes later. */
const ringNow = (client: Client): Promise<void> =>
  expect
    .poll(() =>
      runInDurableObject(deletionOf(client), (_deletion, { storage }) => storage.setAlarm(Date.now())).then(
        () => "set",
        String,
      ),
    )
    .toBe("set");

/** Waits until the record of a deletion is removed. */
async function untilGone(client: Parameters<typeof phaseOf>[0]): Promise<void> {
  await runDurableObjectAlarm(deletionOf(client));
  expect(await phaseOf(client)).toBeUndefined();
}
