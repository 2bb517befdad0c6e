import { runIdOf } from "../../src/shared/id-types.ts";
import { describe, expect, it } from "vitest";
import { CapacityRepository } from "../../src/memory/capacity-repository.ts";
import { defaultDefinitions, emptyBlocks } from "../../src/memory/model.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { databaseRequests } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { storedVersions } from "./agent-memory.ts";
import { anotherTalk, FULL, fullBlock, ok, settled, turnsOf, warnings } from "./full-block.ts";

const call = (name: string, input: object) => [{ call: { name, arguments: JSON.stringify(input) } }];
const systemOf = async ({ model }: Awaited<ReturnType<typeof fullBlock>>, at: number) =>
  (await model.log()).requests[at]?.body.messages[0]?.content ?? "";

describe("the turns that a block has been nearly full for", () => {
  it("are counted after the answer", async () => {
    const memory = await fullBlock([ok, ok]);

    const first = await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);
    await memory.turn();

    await expect.poll(() => turnsOf(memory)).toBe(2);
    expect(await warnings(memory)).toEqual([
      {
        pk: memory.pk,
        sk: `CapacityWarning#${memory.agentId}:${memory.client.email}:jobs`,
        agent_id: memory.agentId,
        user_id: memory.client.email,
        block_id: `${memory.agentId}:${memory.client.email}:jobs`,
        block_name: "jobs",
        warning_turns: 2,
        run_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u),
      },
    ]);
    expect((await warnings(memory))[0]?.["run_id"]).not.toBe(first.events[0]?.run_id);
    expect(await storedVersions(memory, "jobs")).toHaveLength(1);
  });

  it("are counted from 80 % on", async () => {
    const eighty = Array.from({ length: 80 }, (_, n) => `word${n}`);
    const at = await fullBlock([ok], eighty);
    const below = await fullBlock([ok], eighty.slice(1));

    await Promise.all([at.turn(), below.turn()]);
    await Promise.all([settled(at), settled(below)]);

    expect(await turnsOf(at)).toBe(1);
    expect(await warnings(below)).toEqual([]);
  });

  it("count the block as it is at the end of the turn", async () => {
    const filling = call("core_memory_append", { block: "jobs", content: FULL.slice(1).join(" ") });
    const emptying = call("core_memory_delete", { block: "jobs", line_number: 2 });
    const memory = await fullBlock([filling, ok, emptying, ok], FULL.slice(0, 1));

    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);
    await memory.turn();

    await expect.poll(() => warnings(memory)).toEqual([]);
  });

  it("are reset when the block falls below", async () => {
    const memory = await fullBlock([ok, ok, ok]);
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);

    await memory.put(["Acme"]);
    await memory.turn();
    await expect.poll(() => warnings(memory)).toEqual([]);
    await memory.put(FULL);
    await memory.turn();

    await expect.poll(() => turnsOf(memory)).toBe(1);
  });

  it("are counted across all conversations with the agent", async () => {
    const memory = await fullBlock([ok, ok]);

    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);
    await memory.turn(await anotherTalk(memory));

    await expect.poll(() => turnsOf(memory)).toBe(2);
  });

  it("count one turn once", async () => {
    const memory = await fullBlock([ok]);
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);
    const [{ run_id } = {}] = await warnings(memory);
    const owner = { agentId: memory.agentId, userId: memory.client.email };
    const capacity = new CapacityRepository({ table });
    const [block] = (await capacity.read(owner)).blocks.filter(({ name }) => name === "jobs");
    if (!block) throw new Error("The block is gone.");

    const raise = { runId: runIdOf(String(run_id)), raisedAt: "2026-01-29T11:51:36.123456+00:00" };
    expect(await capacity.raise(owner, memory.client.email, block, raise)).toBe(false);
    expect(await turnsOf(memory)).toBe(1);
    expect(
      await capacity.raise(owner, memory.client.email, block, { ...raise, runId: runIdOf("next") }),
    ).toBe(true);
    expect(await turnsOf(memory)).toBe(2);
  });

  it("are not counted for an end user who is deleted or being deleted", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    await Promise.all([endUserOf(owner, agentId, "gone"), endUserOf(owner, agentId, "going")]);
    const capacity = new CapacityRepository({ table });
    const createdAt = "2026-01-29T11:51:36.123456+00:00";
    const [definition] = emptyBlocks(defaultDefinitions(createdAt));
    if (!definition) throw new Error("There are default blocks.");
    const raise = { runId: runIdOf("run"), raisedAt: createdAt };
    const raised = (userId: string) => capacity.raise({ agentId, userId }, owner.email, definition, raise);

    expect((await owner("DELETE", `/agents/${agentId}/end-users/gone`)).status).toBe(204);
    const going = await table.get({ pk: `Agent#${agentId}`, sk: "EndUser#going" });
    await table.put({ ...going, pk: `Agent#${agentId}`, sk: "EndUser#going", deleting_at: createdAt });

    expect(await raised("gone")).toBe(false);
    expect(await raised("going")).toBe(false);
    expect(await table.query(`Agent#${agentId}#User#gone`)).toEqual([]);
  });

  it("continue the count of the legacy Python service", async () => {
    const memory = await fullBlock([ok]);
    const block_id = `${memory.agentId}:${memory.client.email}:jobs`;
    await table.put({
      pk: memory.pk,
      sk: `CapacityWarning#${block_id}`,
      ...memory.common,
      block_id,
      block_name: "jobs",
      warning_turns: 1,
      updated_at: "2026-01-29T11:51:36.123456+00:00",
    });

    await memory.turn();

    await expect.poll(() => turnsOf(memory)).toBe(2);
  });

  it("are not counted for failed turns", async () => {
    const memory = await fullBlock([[{ status: 400, body: {} }]]);

    expect((await memory.turn()).last?.event_type).toBe("ERROR");
    await settled(memory);

    expect(await warnings(memory)).toEqual([]);
  });

  it("are not counted for an agent without core memory", async () => {
    const memory = await fullBlock([ok], FULL, { agent_architecture: "krishna-mini" });

    await memory.turn();
    await settled(memory);

    expect(await warnings(memory)).toEqual([]);
  });

  it("cost no request while no block is nearly full, and two when one is", async () => {
    const requestsOf = async (lines: readonly string[]) => {
      const memory = await fullBlock([ok, ok], lines);
      await memory.turn();
      await settled(memory);
      const before = (await databaseRequests(memory.client.email, memory.pk)).length;
      await memory.turn();
      await settled(memory);
      return (await databaseRequests(memory.client.email, memory.pk)).length - before;
    };

    const plain = await requestsOf(["Acme"]);

    expect(plain).toBeLessThanOrEqual(5);
    expect(await requestsOf(FULL)).toBe(plain + 2);
  });

  it("are deleted with their block, and with their agent", async () => {
    const memory = await fullBlock([ok, ok]);
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);

    expect((await memory.client("DELETE", memory.block)).status).toBe(204);
    expect(await warnings(memory)).toEqual([]);

    const other = await fullBlock([ok]);
    await other.turn();
    await expect.poll(() => turnsOf(other)).toBe(1);
    expect((await other.client("DELETE", `/agents/${other.agentId}`)).status).toBe(204);
    expect(await warnings(other)).toEqual([]);
  });
});

describe("the warning in the prompt", () => {
  it("names the nearly full blocks, after core memory", async () => {
    const memory = await fullBlock([ok]);

    await memory.turn();

    const system = await systemOf(memory, 0);
    expect(system).toContain(
      "</core_memory>\n\n<memory_warning>\nThese core memory blocks are nearly full:\n- [jobs]: 85/100 words (85%)\n",
    );
    expect(system).toMatch(
      /\n1\. Consolidate .+\n2\. Move .+\n3\. Delete .+\nA block that stays this full for 3 turns is compacted automatically: .+\n<\/memory_warning>$/u,
    );
  });

  it("is absent if no block is nearly full", async () => {
    const client = await signUp();
    const { path } = await beginConversation(client);
    expect((await say(client, path, "Hi")).status).toBe(200);

    const memory = await fullBlock([ok], ["Acme"]);
    await memory.turn();

    expect(await systemOf(memory, 0)).not.toContain("memory_warning");
  });

  it("is the same from turn to turn, so that the provider can cache it", async () => {
    const memory = await fullBlock([ok, ok]);

    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(1);
    await memory.turn();

    const [first, second] = [await systemOf(memory, 0), await systemOf(memory, 1)];
    expect(first).toContain("</memory_warning>");
    expect(second).toBe(first);
  });
});
