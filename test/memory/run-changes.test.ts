import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf, programOf } from "../support/callers.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { storedLines } from "../support/items.ts";
import { say } from "../support/sse.ts";

const call = (name: string, args: object): ScriptStep => ({
  call: { name, arguments: JSON.stringify(args) },
});
const append = (content: string) => call("core_memory_append", { block: "human", content });
const archive = (content: string) => call("archival_memory_insert", { content });

/** An agent whose turns write this to its memory. Each turn is a list of tool calls and an answer. */
async function writing(...turns: readonly (readonly ScriptStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...turns.flatMap((calls) => [calls, [{ text: "Noted." }]]));
  const { agentId, path, conversationId } = await beginConversation(client, { agent_model: model.name });
  const runs: string[] = [];
  for (const _turn of turns) runs.push((await say(client, path, "Remember")).events[0]?.run_id ?? "");
  return { client, agentId, path, conversationId, runs };
}

const changesOf = (agentId: string, runId: string | undefined) =>
  `/agents/${agentId}/runs/${runId}/memory-changes`;
const revert = async (client: Client, agentId: string, runId: string | undefined) =>
  (await client("POST", `${changesOf(agentId, runId)}/revert`)).body.items;
const linesOf = async (client: Client, agentId: string) =>
  (await client("GET", `/agents/${agentId}/memory-blocks/human/content`)).body.lines;
const memoriesOf = async (client: Client, agentId: string) =>
  (await client("GET", `/agents/${agentId}/archival-memory`)).body.items as readonly {
    readonly memory_id: string;
    readonly content: string;
  }[];

describe("what a run wrote to the memory", () => {
  it("is listed in order, page by page, without what other runs wrote", async () => {
    const { client, agentId, runs } = await writing(
      [append("Name: Alice")],
      [append("Likes tea"), append("Has a cat"), archive("The cat is called Tom.")],
    );
    const [memory] = await memoriesOf(client, agentId);

    const { body } = await client("GET", changesOf(agentId, runs[1]));
    const first = await client("GET", `${changesOf(agentId, runs[1])}?limit=2`);
    const second = await client(
      "GET",
      `${changesOf(agentId, runs[1])}?limit=2&cursor=${first.body.next_cursor}`,
    );

    expect(body.items).toEqual([
      { block_name: "human", version: 2, memory_id: null, created_at: expect.any(String) },
      { block_name: "human", version: 3, memory_id: null, created_at: expect.any(String) },
      { block_name: null, version: null, memory_id: memory?.memory_id, created_at: expect.any(String) },
    ]);
    expect([...first.body.items, ...second.body.items]).toEqual(body.items);
    expect(second.body.next_cursor).toBeNull();
  });

  it("does not include a memory that it found stored already", async () => {
    const { client, agentId, runs } = await writing(
      [archive("The cat is called Tom.")],
      [archive("The cat is called Tom.")],
    );

    expect((await client("GET", changesOf(agentId, runs[1]))).body.items).toEqual([]);
  });

  it("is taken back: blocks get their former lines as a new version, and new memories are removed", async () => {
    const { client, agentId, runs } = await writing(
      [append("Name: Alice")],
      [append("Likes tea"), append("Has a cat"), archive("The cat is called Tom.")],
    );
    const [memory] = await memoriesOf(client, agentId);

    const reverted = await revert(client, agentId, runs[1]);
    const again = await revert(client, agentId, runs[1]);

    expect(reverted).toEqual([
      { block_name: "human", memory_id: null, outcome: "reverted" },
      { block_name: null, memory_id: memory?.memory_id, outcome: "reverted" },
    ]);
    expect(again).toEqual(reverted);
    expect(await linesOf(client, agentId)).toEqual(["Name: Alice"]);
    expect(await memoriesOf(client, agentId)).toEqual([]);
    const versions = await client("GET", `/agents/${agentId}/memory-blocks/human/versions`);
    expect(versions.body.items[0]).toMatchObject({ version: 4, by: "restore" });
    expect(versions.body.items).toHaveLength(4);
  });

  it("is taken back from a block that was empty before", async () => {
    const { client, agentId, runs } = await writing([append("Name: Alice")]);

    expect(await revert(client, agentId, runs[0])).toMatchObject([{ outcome: "reverted" }]);
    expect(await linesOf(client, agentId)).toEqual([]);
  });

  it("stays where others have changed it since, and the rest is taken back", async () => {
    const { client, agentId, runs } = await writing(
      [append("Name: Alice"), archive("The cat is called Tom."), archive("The dog is called Rex.")],
      [append("Likes tea")],
    );
    const cat = (await memoriesOf(client, agentId)).find(({ content }) => content.includes("cat"));
    await client("PATCH", `/agents/${agentId}/archival-memory/${cat?.memory_id}`, {
      content: "The cat is called Tim.",
    });

    const reverted = await revert(client, agentId, runs[0]);

    expect(reverted.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "conflict",
      "conflict",
      "reverted",
    ]);
    expect(await linesOf(client, agentId)).toEqual(["Name: Alice", "Likes tea"]);
    expect((await memoriesOf(client, agentId)).map(({ content }) => content)).toEqual([
      "The cat is called Tim.",
    ]);
  });

  it("stays in a block that others changed between the run's own changes", async () => {
    const client = await signUp();
    const model = await scriptModel([append("One")], [{ hold: true }, append("Three")], [{ text: "Noted." }]);
    const { agentId, path } = await beginConversation(client, { agent_model: model.name });
    const saying = say(client, path, "Remember");
    await expect.poll(() => storedLines(agentId, client.email, "human")).toEqual(["One"]);
    const put = { lines: ["One", "Two"] };
    await client("PUT", `/agents/${agentId}/memory-blocks/human/content`, put);
    await model.release();
    const { events } = await saying;

    const reverted = await revert(client, agentId, events[0]?.run_id);

    expect(reverted).toMatchObject([{ block_name: "human", outcome: "conflict" }]);
    expect(await linesOf(client, agentId)).toEqual(["One", "Two", "Three"]);
  });

  it("can't be taken back from a block whose former version was deleted", async () => {
    const { client, agentId, runs } = await writing([append("Name: Alice")], [append("Likes tea")]);
    await client("DELETE", `/agents/${agentId}/memory-blocks/human/versions/1`);

    expect(await revert(client, agentId, runs[1])).toMatchObject([{ outcome: "conflict" }]);
    expect(await linesOf(client, agentId)).toEqual(["Name: Alice", "Likes tea"]);
  });

  it("is the memory of an end user if they were answered, and is no business of theirs", async () => {
    const client = await signUp();
    const model = await scriptModel([append("Name: Bob")], [{ text: "Noted." }]);
    const { agentId } = await beginConversation(client, { agent_model: model.name });
    const visitor = await endUserOf(client, agentId);
    const own = await beginOwnConversation(visitor, agentId);
    const { events } = await say(visitor, own.path, "Remember");
    const path = changesOf(agentId, events[0]?.run_id);
    const program = await programOf(client, ["memory:write"]);

    const mine = await client("GET", path);
    const theirs = await client("GET", `${path}?end_user_id=${visitor.endUserId}`);
    const refused = [
      await visitor("GET", path),
      await visitor("POST", `${path}/revert`),
      await program("POST", `${path}/revert?end_user_id=${visitor.endUserId}`),
    ];
    const reverted = await client("POST", `${path}/revert?end_user_id=${visitor.endUserId}`);

    expect([mine.body.items.length, theirs.body.items.length]).toEqual([0, 1]);
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(reverted.body.items).toMatchObject([{ outcome: "reverted" }]);
  });

  it("is deleted with its agent", async () => {
    const { client, agentId, runs } = await writing([append("Name: Alice")]);
    const prefix = `RunMemory#${runs[0]}#`;
    const stored = () =>
      table.query(`Agent#${agentId}#User#${client.email}`, { range: { beginsWith: prefix } });
    expect(await stored()).toMatchObject([{ block_name: "human", version: 1, ttl: expect.any(Number) }]);

    await client("DELETE", `/agents/${agentId}`);

    expect(await stored()).toEqual([]);
  });
});
