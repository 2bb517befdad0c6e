import { abortAllDurableObjects } from "cloudflare:test";
import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { untilAnswered } from "../support/runs.ts";
import { say } from "../support/sse.ts";

/** A conversation whose next transaction is the one that begins a run. */
async function prepared(...replies: readonly (readonly ScriptStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const place = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  return { client, model, ...place };
}

it("recovers a run that was stored although its write reported an error", async () => {
  const { client, conversationId, path } = await prepared([{ text: "Lost" }], [{ text: "Found" }]);
  const fault = { kind: "lose-answer" } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", times: 4, fault });

  const failed = await say(client, path, "Hello");
  const again = await say(client, path, "Hello?");
  const runs = await client("GET", `/conversations/${conversationId}/runs`);

  expect([failed.status, again.status]).toEqual([503, 200]);
  expect(failed.headers.get("retry-after")).toBe("1");
  expect(runs.body.items.map(({ state }: { state: string }) => state)).toEqual(["completed", "interrupted"]);
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual([
    "Hello",
    "Hello?",
    "Found",
  ]);
  expect(await messagesUsed(client.email)).toBe(1);
});

it("runs a keyed message after an error that stored nothing", async () => {
  const { client, conversationId, path } = await prepared([{ text: "Lost" }], [{ text: "Found" }]);
  const send = () => client("POST", path, { content: "Hello" }, { "idempotency-key": "k" });
  const fault = { kind: "refuse" } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", times: 4, fault });

  const failed = await Promise.all([send(), send()]);
  await endFaults();
  const again = await send();

  expect(failed.map(({ status }) => status)).toContain(503);
  expect(again.body).toContain("Found");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Hello", "Found"]);
  expect(await messagesUsed(client.email)).toBe(1);
});

// Scenario 21.
it("refuses a dead runner's write that arrives after recovery", async () => {
  const replies = [[{ text: "Late" }, { hold: true }], [{ text: "Found" }]] as const;
  const { client, model, conversationId, path } = await prepared(...replies);
  await injectFault({ match: [client.email], operation: "TransactWriteItems", fault: { kind: "hold" } });
  const writes = async () =>
    (await databaseRequests(client.email)).filter(({ body }) => body.includes('"Late"')).length;
  const sending = client("POST", path, { content: "Late" }).catch(() => undefined);
  await expect.poll(writes).toBe(1);
  await model.asked(1);

  await abortAllDurableObjects();
  await sending;
  const again = await say(client, path, "Again");
  await endFaults();
  await untilAnswered(client.email);

  expect(again.text).toBe("Found");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Again", "Found"]);
  expect((await client("GET", `/conversations/${conversationId}/runs`)).body.items).toHaveLength(1);
  expect(await messagesUsed(client.email)).toBe(1);
});
