import { expect, it } from "vitest";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { databaseRequests, injectFault, scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

/** The requests of one turn with a slow database. */
async function requestsOfTurn(
  client: Client,
  place: { conversationId: string; path: string },
  message: string,
) {
  const texts = [client.email, place.conversationId];
  const before = (await databaseRequests(...texts)).length;
  await injectFault({ match: texts, times: 1_000, fault: SLOW });
  const turn = await say(client, place.path, message);
  return { turn, requests: (await databaseRequests(...texts)).slice(before) };
}

it("calls the model after one wave of reads, in parallel with the write that stores the message", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "One." }], [{ text: "Two." }]);
  const place = await beginConversation(client, { agent_model: model.name });
  await say(client, place.path, "Hello");

  const { requests } = await requestsOfTurn(client, place, "Again");

  const askedAt = (await model.log()).requests[1]?.at ?? 0;
  const before = requests.filter(({ endedAt }) => endedAt <= askedAt);
  expect(sequentialWaits(before)).toBe(1);
  expect(before.map(({ operation }) => operation).toSorted()).toEqual([
    "BatchGetItem",
    "Query",
    "Query",
    "Query",
  ]);
  const write = requests.find(({ operation }) => operation === "TransactWriteItems");
  expect(write?.endedAt).toBeGreaterThan(askedAt);
});

it("makes at most seven requests in the first turn of a memory", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi." }]);
  const place = await beginConversation(client, { agent_model: model.name });

  const { requests } = await requestsOfTurn(client, place, "Hello");

  expect(requests.map(({ operation }) => operation).toSorted()).toEqual([
    "BatchGetItem",
    "Query",
    "Query",
    "Query",
    "TransactWriteItems",
    "TransactWriteItems",
    "TransactWriteItems",
  ]);
});

it("makes six requests in a turn without tools, and one more per memory edit", async () => {
  const client = await signUp();
  const edits = [append("Name: Alice"), append("Likes: tea"), append("Name: Alice")];
  const model = await scriptModel([{ text: "Hi." }], [{ text: "Ok." }], edits, [{ text: "Noted." }]);
  const place = await beginConversation(client, { agent_model: model.name });
  await say(client, place.path, "Hello");

  const plain = await requestsOfTurn(client, place, "And now?");
  const editing = await requestsOfTurn(client, place, "I am Alice, I like tea");

  expect(plain.requests).toHaveLength(6);
  // Two of the three calls change something; the third finds its line in the block and makes no request.
  expect(editing.requests).toHaveLength(6 + 2);
});

it("reads consistently", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi." }]);
  const place = await beginConversation(client, { agent_model: model.name });

  const { requests } = await requestsOfTurn(client, place, "Hello");

  const reads = requests.filter(({ operation }) => operation === "Query" || operation === "BatchGetItem");
  expect(reads).toHaveLength(4);
  for (const { body } of reads) expect(body).toContain('"ConsistentRead":true');
});
