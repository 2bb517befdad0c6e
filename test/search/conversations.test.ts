import { runIdOf } from "../../src/shared/id-types.ts";
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { formatTimestamp } from "../../src/shared/clock.ts";
import { databaseRequests, endFaults, injectFault } from "../support/control.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";
import { type Said, testTalks } from "./talks.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

describe("a search in conversations", () => {
  it("finds what either side said, in any of them, and says where", async () => {
    const talks = testTalks();
    const at = Date.UTC(2026, 0, 29, 11, 51);
    const garden = await talks.begin("Garden", { content: "The roses need water", at, runId: runIdOf("r1") });
    await talks.begin(
      "Work",
      { content: "My job is fine", at: at - DAY_MS },
      { content: "Buy roses for her", role: "assistant", at: at - DAY_MS + 1 },
    );

    const { hits, total, notes } = await talks.search("rose");

    expect({ total, notes }).toEqual({ total: 2, notes: [] });
    expect(hits[0]).toEqual({
      messageId: expect.any(String),
      conversationId: garden,
      conversationTitle: "Garden",
      role: "user",
      content: "The roses need water",
      files: [],
      filePassage: null,
      createdAt: expect.stringContaining("2026-01-29T11:51:00.000"),
      score: expect.any(Number),
    });
    expect(hits[1]).toMatchObject({ conversationTitle: "Work", role: "assistant" });
  });

  it("finds files by their names and contents, and nothing in tool outputs", async () => {
    const talks = testTalks();
    const content = `${"row of figures\n".repeat(200)}The zebras cost 40 euros.`;
    const attachments = [{ filename: "budget.csv", content, size: 5 }];
    const tool_calls = [
      { id: "1", name: "recall_conversation", arguments: '{"query":"giraffe"}', output: "giraffe" },
    ];
    await talks.begin(
      "Files",
      { content: "", more: { attachments } },
      { content: "I see", role: "assistant", more: { tool_calls } },
      { content: "giraffe", role: "tool" },
    );

    expect(await talks.search("budget")).toMatchObject({ hits: [{ files: ["budget.csv"] }], total: 1 });
    const { hits, total } = await talks.search("zebra");
    expect(total).toBe(1);
    expect(hits[0]?.filePassage).toEqual({
      filename: "budget.csv",
      text: expect.stringMatching(/The zebras cost 40 euros\.$/u),
    });
    expect(hits[0]?.filePassage?.text.length).toBeLessThan(420);
    expect(await talks.search("giraffe")).toMatchObject({ total: 0 });
  });

  it("finds nothing of other agents' and other users' conversations", async () => {
    const talks = testTalks();
    const sameUser = testTalks(talks.userId);
    const sameAgent = testTalks();
    await talks.begin("Mine", "green tea");
    await sameUser.begin("Another agent's", "black tea");
    await sameAgent.begin("Another user's", "white tea");

    expect(await talks.find("tea")).toEqual(["green tea"]);
    expect(await sameUser.find("tea")).toEqual(["black tea"]);
  });

  it("leaves out messages of the run that searches", async () => {
    const talks = testTalks();
    const first = { content: "What tea do I like?", runId: runIdOf("now") };
    const id = await talks.begin("Tea", first);

    expect(await talks.search("tea", 10, 0, { except: { runId: runIdOf("now") } })).toMatchObject({
      total: 0,
      notes: ["nothing-stored"],
    });
    expect(await talks.search("", 10, 0, { except: { runId: runIdOf("now") } })).toMatchObject({
      hits: [],
      total: 0,
    });

    await talks.say(id, "Tea", { content: "Green tea", runId: runIdOf("later") });
    const found = await talks.search("tea", 10, 0, { except: { runId: runIdOf("now") } });
    expect(found).toMatchObject({ hits: [{ content: "Green tea" }], total: 1, notes: [] });
  });

  it("puts the newest first among equals, of whichever conversation", async () => {
    const talks = testTalks();
    const start = Date.now() - 100 * DAY_MS;
    const day = (n: number) => start + n * DAY_MS;
    await talks.begin("A", { content: "coffee one", at: day(1) }, { content: "coffee four", at: day(4) });
    await talks.begin("B", { content: "coffee two", at: day(2) }, { content: "coffee three", at: day(3) });

    const expected = ["coffee four", "coffee three", "coffee two", "coffee one"];
    expect(await talks.find("coffee")).toEqual(expected);
    expect(await talks.find("")).toEqual(expected);
  });

  it("prefers, among equals, the answer to what holds the other words", async () => {
    const talks = testTalks();
    const at = Date.now() - 50 * DAY_MS;
    await talks.begin(
      "Race",
      { content: "I ran a charity race", at },
      { content: "So rewarding", role: "assistant", at: at + 1_000 },
    );
    await talks.begin("Job", { content: "So rewarding", at: at + DAY_MS });

    const { hits } = await talks.search("how rewarding was the charity race");

    expect(hits.map(({ conversationTitle }) => conversationTitle)).toEqual(["Race", "Race", "Job"]);
  });

  it("returns each match once over pages of any size, and counts exactly", async () => {
    const talks = testTalks();
    const start = Date.now() - DAY_MS;
    for (const title of ["A", "B", "C"])
      await talks.begin(
        title,
        ...Array.from({ length: 50 }, (_, n): Said => ({ content: `tea ${title} ${n}`, at: start + n })),
      );

    const paged: string[] = [];
    for (let offset = 0; offset < 150; offset += 7) {
      const { hits, total } = await talks.search("tea", 7, offset);
      paged.push(...hits.map(({ messageId }) => messageId));
      expect(total).toBe(150);
    }

    expect(new Set(paged).size).toBe(150);
    expect(await talks.search("tea", 7, 150)).toMatchObject({ hits: [], total: 150 });
  });

  it.each(['"', "tea*", "NEAR(tea coffee, 2)", "content: tea", "(tea", "tea\u0000", "🎉", "茶", "?!"])(
    "treats %j as words, not as syntax",
    async (query) => {
      const talks = testTalks();
      await talks.begin("Talk", "A cup of tea", "We won 🎉", "我喜欢喝茶");

      const { total } = await talks.search(query);

      expect(total).toBe(/tea|🎉|茶/u.test(query) ? 1 : 0);
    },
  );
});

it.each(["[", "]", "[]", '"', '","', "\\\\"])(
  "finds %j in messages and file names, and nowhere else",
  async (query) => {
    const talks = testTalks();
    const file = { filename: `odd ${query} name.txt`, content: "x", size: 1 };
    await talks.begin(
      "Talk",
      "A cup of tea",
      {
        content: "See these",
        more: {
          attachments: [
            { ...file, filename: "a.txt" },
            { ...file, filename: "b.txt" },
          ],
        },
      },
      { content: `Said ${query} once` },
      { content: "See this", more: { attachments: [file] } },
    );

    expect(await talks.find(query)).toEqual(["See this", `Said ${query} once`]);
  },
);

describe("the very next search", () => {
  it("finds new messages, including an answer that arrives after its question", async () => {
    const talks = testTalks();
    const early = Date.now() - 10 * 60_000;
    const id = await talks.begin("Tea", { content: "green tea?", at: early, runId: runIdOf("r1") });
    expect(await talks.find("tea")).toEqual(["green tea?"]);

    // The answer's key is as old as its run; others have spoken meanwhile.
    await talks.say(id, "Tea", { content: "black tea", at: early + 300_000 });
    await talks.find("tea");
    await talks.plant(id, { content: "late tea", role: "assistant", at: early + 1, runId: runIdOf("r1") });
    await talks.touch(id, "Tea", formatTimestamp(Date.now()));

    expect((await talks.find("tea")).toSorted()).toEqual(["black tea", "green tea?", "late tea"]);
  });

  it("finds a message that became visible only after its conversation was updated", async () => {
    const talks = testTalks();
    const id = await talks.begin("Tea", "green tea");
    await talks.find("tea");

    await talks.plant(id, { content: "black tea" });

    expect(await talks.find("black")).toEqual(["black tea"]);
  });

  it("shows a conversation under its new title", async () => {
    const talks = testTalks();
    const id = await talks.begin("Old", "green tea");
    await talks.find("tea");

    await talks.touch(id, "New", formatTimestamp(Date.now()));

    expect(await talks.search("tea")).toMatchObject({ hits: [{ conversationTitle: "New" }], total: 1 });
  });

  it.each(["removed", "being removed", "given to another agent"])(
    "finds nothing of a conversation that is %s",
    async (how) => {
      const talks = testTalks();
      const id = await talks.begin("Gone", "green tea");
      await talks.begin("Here", "black tea");
      expect((await talks.find("tea")).length).toBe(2);

      const at = formatTimestamp(Date.now());
      if (how === "removed") await talks.remove(id);
      else if (how === "being removed") await talks.touch(id, "Gone", at, { deleting_at: at });
      else await talks.touch(id, "Gone", at, { agent_id: "another" });

      expect(await talks.search("tea")).toMatchObject({ hits: [{ content: "black tea" }], total: 1 });
      expect(await talks.search("")).toMatchObject({ total: 1 });
    },
  );
});

describe("the table", () => {
  const down = { operation: "Query", fault: { kind: "answer", status: 500, body: {} } } as const;

  it("is waited for once if nothing has changed, and twice otherwise", async () => {
    const talks = testTalks();
    const old = Date.now() - HOUR_MS;
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, n) => talks.begin(`Talk ${n}`, { content: "green tea", at: old + n })),
    );
    await talks.find("tea");
    await evictDurableObject(talks.index());
    await injectFault({
      match: [talks.userId, ...ids],
      times: 1_000,
      fault: SLOW,
    });

    const count = async () => (await databaseRequests(talks.userId, ...ids)).length;
    const before = await count();
    expect((await talks.search("tea")).total).toBe(5);
    const quiet = (await databaseRequests(talks.userId, ...ids)).slice(before);
    expect({ requests: quiet.length, waits: sequentialWaits(quiet) }).toEqual({ requests: 1, waits: 1 });

    for (const id of ids.slice(0, 3)) await talks.say(id, "More", "black tea");
    const behind = await count();
    expect((await talks.search("tea")).total).toBe(8);
    const busy = (await databaseRequests(talks.userId, ...ids)).slice(behind);
    expect({ requests: busy.length, waits: sequentialWaits(busy) }).toEqual({ requests: 4, waits: 2 });
    for (const { body } of busy) expect(body).toContain('"ConsistentRead":true');
  });

  it("that does not answer makes a search fail, and the next one find everything", async () => {
    const talks = testTalks();
    const id = await talks.begin("Tea", "green tea");
    await talks.begin("More", "black tea");
    await injectFault({ match: [id], times: 1_000, ...down });

    await expect(talks.search("tea")).rejects.toMatchObject({ code: "unavailable", status: 503 });

    await endFaults();
    expect(await talks.search("tea")).toMatchObject({ total: 2, notes: [] });
  });
});

it("reads many conversations in steps, the latest first, and says so until all are read", async () => {
  const talks = testTalks();
  const start = Date.now() - DAY_MS;
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      talks.begin(`Talk ${n}`, { content: `tea ${n}`, at: start + n * 1_000 }),
    ),
  );

  expect(await talks.search("tea", 1)).toMatchObject({
    hits: [{ content: "tea 99" }],
    total: 60,
    notes: ["index-building"],
  });

  await runDurableObjectAlarm(talks.index());
  await expect.poll(async () => (await talks.search("tea", 1)).notes).toEqual([]);
  expect(await talks.search("tea", 1, 99)).toMatchObject({ hits: [{ content: "tea 0" }], total: 100 });
});

it("reads unread conversations before recently updated ones", async () => {
  const talks = testTalks();
  await Promise.all(Array.from({ length: 70 }, (_, n) => talks.begin(`Talk ${n}`, `tea ${n}`)));
  expect(await talks.search("tea", 1)).toMatchObject({ total: 60, notes: ["index-building"] });

  expect(await talks.search("tea", 1)).toMatchObject({ total: 70, notes: [] });
});

it("finishes a build with many messages after a question that was never answered", async () => {
  const talks = testTalks();
  const start = Date.now() - 2 * HOUR_MS;
  const attachments = [{ filename: "long.txt", content: "x".repeat(300_000), size: 300_000 }];
  await talks.begin(
    "Long",
    { content: "tea first", at: start - 2_000 },
    { content: "tea unanswered", at: start, runId: runIdOf("failed") },
    ...Array.from({ length: 16 }, (_, n): Said => ({
      content: `tea ${n}`,
      at: start + n * 60_000,
      more: { attachments },
    })),
  );

  await expect.poll(async () => (await talks.search("tea")).total).toBe(18);
  await expect.poll(async () => (await talks.search("tea")).notes).toEqual([]);
  await talks.say((await talks.search("tea")).hits[0]?.conversationId ?? "", "Long", "tea last");
  expect(await talks.search("last")).toMatchObject({ total: 1, notes: [] });
});

it("reads a long conversation in steps, its end first", async () => {
  const talks = testTalks();
  const start = Date.now() - DAY_MS;
  const id = await talks.begin(
    "Long",
    ...Array.from({ length: 2_500 }, (_, n): Said => ({ content: `tea ${n}`, at: start + n })),
  );

  const first = await talks.search("tea", 1);
  expect(first).toMatchObject({ hits: [{ content: "tea 2499" }], notes: ["index-building"] });
  expect(first.total).toBe(2_000);

  await talks.say(id, "Long", "new tea");
  expect(await talks.find("new")).toEqual(["new tea"]);
  await runDurableObjectAlarm(talks.index());
  await expect.poll(async () => (await talks.search("tea", 1)).notes).toEqual([]);
  expect(await talks.search("tea", 1, 2_500)).toMatchObject({ hits: [{ content: "tea 0" }], total: 2_501 });
});
