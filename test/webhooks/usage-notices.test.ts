import { beforeAll, describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { scriptModel } from "../support/control.ts";
import { createBase, newJobId, pageAt, pageServices, upload } from "../support/knowledge.ts";
import { untilIdle } from "../support/runs.ts";
import { say } from "../support/sse.ts";
import { createWebhook, eventsAt, outboxOf, startReceiver } from "../support/webhooks.ts";

const TYPE = "usage.threshold_reached";
const month = new Date().toISOString().slice(0, 7);
const period = { period: month, resets_at: expect.any(String) };

let services: Awaited<ReturnType<typeof pageServices>>;
beforeAll(async () => {
  services = await pageServices();
});

/** An account whose endpoint wants to know about usage. */
async function noticed(client: Client) {
  const receiver = await startReceiver();
  await createWebhook(client, receiver, [TYPE]);
  return receiver;
}

const setUsage = (client: Client, usage: object) =>
  table.update({ pk: `User#${client.email}`, sk: `Usage#${month}` }, { set: { ...usage } });

const fileOf = (index: number) => ({ name: `${index}.txt`, content: `Text ${index}.`, type: "text/plain" });

it("tells once of 80 % and of 100 % of the month's messages", async () => {
  const client = await signUpFree();
  const receiver = await noticed(client);
  const model = await scriptModel(...Array.from({ length: 4 }, () => [{ text: "Hello." }]));
  const { path } = await beginConversation(client, { agent_model: model.name });
  const use = (messages: number) => setUsage(client, { messages_used: messages });
  const sayAndWait = async () => {
    await say(client, path, "Hello");
    await untilIdle(client, path);
  };

  await use(78);
  await sayAndWait();
  expect(await outboxOf(client)).toEqual([]);
  await sayAndWait();
  await sayAndWait();
  const data = { limit: "messages_per_month", quota: 100, ...period };
  const [eighty] = await eventsAt(receiver, 1);
  expect(eighty).toEqual({
    type: TYPE,
    data: { ...data, percent: 80, used: 80 },
  });
  await use(99);
  await sayAndWait();

  expect(await eventsAt(receiver, 2)).toEqual([
    eighty,
    { type: TYPE, data: { ...data, percent: 100, used: 100 } },
  ]);
});

describe("the pages of knowledge bases", () => {
  const data = { limit: "kb_pages", quota: 10, ...period };
  const eighty = { type: TYPE, data: { ...data, percent: 80, used: 8 } };
  const hundred = { type: TYPE, data: { ...data, percent: 100, used: 10 } };

  it("are reported once at 80 % and once at 100 %, whichever upload reaches it", async () => {
    const client = await signUpFree();
    const receiver = await noticed(client);
    const { kbId } = await createBase(client);
    await setUsage(client, { kb_pages_used: 6 });

    await upload(client, kbId, [fileOf(1)]);
    expect(await outboxOf(client)).toEqual([]);
    await Promise.all([upload(client, kbId, [fileOf(2)]), upload(client, kbId, [fileOf(2)])]);
    expect(await eventsAt(receiver, 1)).toEqual([eighty]);
    // The third file is refused: the plan has ten pages.
    const { status } = await upload(client, kbId, [fileOf(3), fileOf(4), fileOf(5)]);

    expect(status).toBe(207);
    expect(await eventsAt(receiver, 2)).toEqual([eighty, hundred]);
    await upload(client, kbId, [fileOf(6)]);
    expect(await outboxOf(client)).toEqual([]);
    expect(await receiver.received()).toHaveLength(2);
  });

  it("are reported when a crawl ends, without the reserved ones that it has not used", async () => {
    const client = await signUpFree();
    const receiver = await noticed(client);
    const base = await createBase(client);
    const { pageBudgetService: budget, pageService } = services;
    const crawl = async (reserved: number, stored: readonly number[]) => {
      const jobId = newJobId();
      await budget.reserve(base, jobId, reserved);
      for (const index of stored)
        await pageService.save(base, pageAt(`/${index}`, `Text ${index}.`), { jobId });
      await budget.settle(base, jobId);
      // A job that was interrupted at its end ends again.
      await budget.settle(base, jobId);
    };

    await crawl(10, [1]);
    expect(await outboxOf(client)).toEqual([]);
    await setUsage(client, { kb_pages_used: 7 });
    await crawl(3, [2]);
    expect(await eventsAt(receiver, 1)).toEqual([eighty]);
    await crawl(2, [3, 4]);

    expect(await eventsAt(receiver, 2)).toEqual([eighty, hundred]);
    expect(await receiver.received()).toHaveLength(2);
  });

  it("are reported when an interrupted crawl ends for the second time", async () => {
    const client = await signUpFree();
    const base = await createBase(client);
    const jobId = newJobId();
    const { pageBudgetService: budget, pageService } = services;
    await setUsage(client, { kb_pages_used: 9 });
    await budget.reserve(base, jobId, 1);
    await pageService.save(base, pageAt("/1", "Text."), { jobId });
    await budget.settle(base, jobId);

    // Nobody was to be told at the first time, as if that had been lost.
    const receiver = await noticed(client);
    await budget.settle(base, jobId);

    const events = await eventsAt(receiver, 2);
    expect(events.map(({ data: { percent } }) => percent)).toEqual([80, 100]);
  });
});

describe("the messages of an end user", () => {
  it("are reported once at 80 % and once at 100 % of the agent's limit, for each end user", async () => {
    const client = await signUp();
    const receiver = await noticed(client);
    const model = await scriptModel(...Array.from({ length: 6 }, () => [{ text: "Hello." }]));
    const { agentId, path } = await beginConversation(client, {
      agent_model: model.name,
      end_user_messages_per_month: 2,
    });
    const talk = async (id: string, messages: number) => {
      const endUser = await endUserOf(client, agentId, id);
      const { body } = await endUser("POST", "/conversations", { title: "Talk", agent_id: agentId });
      const own = `/agents/${agentId}/${body.conversation_id}/send-message`;
      for (let sent = 0; sent < messages; sent++) await say(endUser, own, "Hello");
    };
    const reached = (id: string, percent: number) => ({
      type: TYPE,
      data: {
        limit: "end_user_messages_per_month",
        agent_id: agentId,
        end_user_id: id,
        percent,
        used: 2,
        quota: 2,
        ...period,
      },
    });

    // The owner has no such limit.
    for (let sent = 0; sent < 2; sent++) {
      await say(client, path, "Hello");
      await untilIdle(client, path);
    }
    await talk("visitor-1", 2);
    const first = [reached("visitor-1", 80), reached("visitor-1", 100)];
    expect(await eventsAt(receiver, 2)).toEqual(first);
    await talk("visitor-2", 2);

    expect(await eventsAt(receiver, 4)).toEqual([
      ...first,
      reached("visitor-2", 80),
      reached("visitor-2", 100),
    ]);
    await client("DELETE", `/agents/${agentId}/end-users/visitor-1`);
    expect(await outboxOf(client)).toEqual([]);
  });
});
