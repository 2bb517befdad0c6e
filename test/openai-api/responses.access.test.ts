import { expect, it } from "vitest";
import { type Client, signUp } from "../support/app.ts";
import { ALL_SCOPES, endUserOf, programOf } from "../support/callers.ts";
import { storedLines } from "../support/items.ts";
import { agentWith, errorOf, openAiOf } from "./openai-client.ts";

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});
const hello = Array.from({ length: 6 }, () => [{ text: "Hello." }]);

/** The statuses with which a caller is refused who continues, retrieves, follows, reads and cancels a response. */
async function refusals(caller: Client, agentId: string, id: string, more: object = {}) {
  const { responses } = openAiOf(caller);
  const errors = [
    await errorOf(responses.create({ model: agentId, input: "Hi", previous_response_id: id, ...more })),
    await errorOf(responses.retrieve(id)),
    await errorOf(responses.retrieve(id, { stream: true })),
    await errorOf(responses.inputItems.list(id)),
    await errorOf(responses.cancel(id)),
  ];
  return errors.map(({ status }) => status);
}

it("belongs to the end user that `user` names, and so does what follows it", async () => {
  const client = await signUp();
  const program = await programOf(client);
  const { agentId } = await agentWith(client, [append("Name: Bob")], [{ text: "Hello, Bob." }], ...hello);
  const { responses } = openAiOf(program);

  const first = await responses.create({ model: agentId, input: "I am Bob", user: "bob" });
  const second = await responses.create({ model: agentId, input: "Hi", previous_response_id: first.id });
  const bob = await endUserOf(client, agentId, "bob");
  const third = await openAiOf(bob).responses.create({
    model: agentId,
    input: "Hi",
    previous_response_id: second.id,
  });

  expect(await storedLines(agentId, "bob", "human")).toEqual(["Name: Bob"]);
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
  expect(first.user).toBe("bob");
  expect(third.conversation).toEqual(first.conversation);
  for (const caller of [program, client, bob])
    expect(await openAiOf(caller).responses.retrieve(first.id)).toEqual(first);
});

it("takes `safety_identifier` for the end user if there is no `user`", async () => {
  const client = await signUp();
  const { agentId, openai } = await agentWith(client, ...hello);
  const create = (more: object) => openai.responses.create({ model: agentId, input: "Hi", ...more });

  const first = await create({ safety_identifier: "s-1" });
  const second = await create({ safety_identifier: "s-1", previous_response_id: first.id });
  await create({ user: "bob", safety_identifier: "s-1" });

  expect(second).toMatchObject({ conversation: first.conversation, safety_identifier: "s-1" });
  const { body } = await client("GET", `/agents/${agentId}/end-users`);
  expect(body.items.map(({ end_user_id: id }: { end_user_id: string }) => id).toSorted()).toEqual([
    "bob",
    "s-1",
  ]);
});

it("does not exist for other accounts, other end users and keys for other agents", async () => {
  const [client, stranger] = [await signUp(), await signUp()];
  const { agentId } = await agentWith(client, ...hello);
  const other = await agentWith(client, ...hello);
  const theirs = await agentWith(stranger, ...hello);
  const [alice, bob] = [await endUserOf(client, agentId), await endUserOf(client, agentId)];
  const create = (who: Client) => openAiOf(who).responses.create({ model: agentId, input: "Hi" });
  const [own, ofAlice] = [await create(client), await create(alice)];
  const confined = await programOf(client, ALL_SCOPES, { agent_ids: [other.agentId] });
  const all = Array.from({ length: 5 }, () => 404);

  expect(await refusals(stranger, theirs.agentId, own.id)).toEqual(all);
  expect(await refusals(stranger, theirs.agentId, ofAlice.id)).toEqual(all);
  expect(await refusals(bob, agentId, own.id)).toEqual(all);
  expect(await refusals(bob, agentId, ofAlice.id)).toEqual(all);
  expect(await refusals(alice, agentId, own.id)).toEqual(all);
  expect(await refusals(confined, other.agentId, own.id)).toEqual(all);
  expect(await refusals(confined, other.agentId, ofAlice.id)).toEqual(all);
  const { responses } = openAiOf(client);
  for (const more of [
    { model: other.agentId, previous_response_id: own.id },
    { model: agentId, previous_response_id: own.id, user: alice.endUserId },
    { model: agentId, previous_response_id: ofAlice.id, user: bob.endUserId },
  ])
    expect((await errorOf(responses.create({ input: "Hi", ...more }))).status).toBe(404);
});

it("needs a key's scope for end users if it is an end user's", async () => {
  const client = await signUp();
  const { agentId } = await agentWith(client, ...hello);
  const bob = await endUserOf(client, agentId, "bob");
  const { id } = await openAiOf(bob).responses.create({ model: agentId, input: "Hi" });

  const none = await programOf(client, ["conversations:read", "conversations:write"]);
  const reader = await programOf(client, ["conversations:read", "end-users:read"]);
  const writer = await programOf(client, ["conversations:write", "end-users:write"]);

  expect(await refusals(none, agentId, id)).toEqual([403, 403, 403, 403, 403]);
  expect((await openAiOf(reader).responses.retrieve(id)).output_text).toBe("Hello.");
  expect((await errorOf(openAiOf(reader).responses.cancel(id))).status).toBe(403);
  expect((await errorOf(openAiOf(writer).responses.retrieve(id))).status).toBe(403);
  // It may write what it may not read.
  expect(await openAiOf(writer).responses.cancel(id)).toEqual({
    id,
    object: "response",
    created_at: expect.any(Number),
    status: "completed",
  });
});

it("does not show an end user what the application has told the agent", async () => {
  const client = await signUp();
  const { agentId, openai } = await agentWith(client, ...hello);
  const bob = openAiOf(await endUserOf(client, agentId, "bob")).responses;
  const schema = { type: "object", description: "How difficult he is." };
  const told = {
    model: agentId,
    input: "Hi",
    instructions: "He is difficult.",
    metadata: { mood: "bad" },
    text: { format: { type: "json_schema", name: "cat", schema } },
  } as const;

  const { id } = await openai.responses.create({ ...told, user: "bob", safety_identifier: "moody" });
  const own = await bob.create(told);

  const seen = [
    await bob.retrieve(id),
    await Array.fromAsync(await bob.retrieve(id, { stream: true })),
    await bob.cancel(id),
  ];
  expect(JSON.stringify(seen)).not.toMatch(/difficult|mood/u);
  expect(await openai.responses.retrieve(id)).toMatchObject({
    instructions: told.instructions,
    metadata: told.metadata,
    text: told.text,
    safety_identifier: "moody",
  });
  expect(await bob.retrieve(own.id)).toEqual(own);
});

it("is gone with its end user, also for a new one with the same id", async () => {
  const client = await signUp();
  const { agentId, openai } = await agentWith(client, ...hello);
  const { id } = await openai.responses.create({ model: agentId, input: "Hi", user: "bob" });

  await client("DELETE", `/agents/${agentId}/end-users/bob`);

  expect((await errorOf(openai.responses.retrieve(id))).status).toBe(404);
  await endUserOf(client, agentId, "bob");
  expect((await errorOf(openai.responses.retrieve(id))).status).toBe(404);
});

it("is not found by an id that was built from a run of another protocol", async () => {
  const client = await signUp();
  const { agentId, openai } = await agentWith(client, ...hello);
  const { response } = await openai.chat.completions
    .create({ model: agentId, messages: [{ role: "user", content: "Hi" }] })
    .withResponse();
  const parts = ["x-run-id", "x-conversation-id"].map((name) => response.headers.get(name));
  const id = `resp_${btoa(JSON.stringify(parts)).replace(/=+$/u, "")}`;

  expect((await errorOf(openai.responses.retrieve(id))).status).toBe(404);
});
