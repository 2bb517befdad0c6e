import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { endFaults, injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { pause } from "../support/runs.ts";
import { say } from "../support/sse.ts";

afterEach(endFaults);

/** A conversation whose next transaction is the one that begins a run. */
async function prepared(...replies: readonly (readonly ReplyStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const place = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  return { client, model, ...place };
}

it("settles a run that was stored without anybody hearing of it", async () => {
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
}, 15_000);

it("carries a keyed message out behind an error that stored nothing", async () => {
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
}, 15_000);

it("refuses a dead runner's write that arrives after the run was settled", async () => {
  const replies = [[{ text: "Late" }, { wait: 2_000 }], [{ text: "Found" }]] as const;
  const { client, model, conversationId, path } = await prepared(...replies);
  const fault = { kind: "delay", ms: 1_000 } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", fault });
  const sending = client("POST", path, { content: "Late" }).catch(() => undefined);
  await expect.poll(async () => (await model.log()).requests.length).toBe(1);
  await pause(50);

  await abortAllDurableObjects();
  await sending;
  const again = await say(client, path, "Again");
  await pause(1_300);

  expect(again.text).toBe("Found");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Again", "Found"]);
  expect((await client("GET", `/conversations/${conversationId}/runs`)).body.items).toHaveLength(1);
  expect(await messagesUsed(client.email)).toBe(1);
}, 15_000);
