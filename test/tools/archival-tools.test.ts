import { describe, expect, it } from "vitest";
import { ArchivalMemory } from "../../src/memory/archival-memory.ts";
import { CoreMemory } from "../../src/memory/core-memory.ts";
import { ConversationReader } from "../../src/messages/conversation-reader.ts";
import type { MemoryHit, MemorySearch, MemorySearchRequest } from "../../src/search/model.ts";
import { createClock } from "../../src/shared/clock.ts";
import { archivalMemorySearch } from "../../src/tools/native/archival-memory-search.ts";
import { toolbox } from "../../src/tools/toolbox.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";

const owner = { agentId: "agent", userId: "user" };
const CLOCK = createClock();

/** Calls the search tool over a search that finds these memories, and gives what the model reads. */
async function search(input: unknown, hits: readonly MemoryHit[], notes: readonly string[] = []) {
  const asked: MemorySearchRequest[] = [];
  const found: MemorySearch["search"] = (request) => {
    asked.push(request);
    const { offset, limit } = request;
    return Promise.resolve({ hits: hits.slice(offset, offset + limit), total: hits.length, notes });
  };
  return { ...(await call(input, found)), asked };
}

function call(input: unknown, find: MemorySearch["search"]) {
  const index = { search: find, forget: () => Promise.resolve() };
  const insert = () => Promise.reject(new Error("Nothing is stored here."));
  const context = {
    coreMemory: new CoreMemory(owner, [], () => Promise.reject(new Error("Nor here.")), CLOCK),
    archive: new ArchivalMemory({ owner, account: owner.userId, runId: "run" }, insert, index, CLOCK),
    conversation: new ConversationReader(
      { ...owner, conversationsOf: owner.userId, conversationId: "conversation", runId: "run" },
      { sortKeys: () => Promise.resolve([]), at: () => Promise.resolve([]) },
      { recall: () => Promise.reject(new Error("Nor here.")) },
    ),
  };
  const name = "archival_memory_search";
  return toolbox([archivalMemorySearch], context).invoke({ id: "1", name, arguments: JSON.stringify(input) });
}

const hit = (content: string, more: Partial<MemoryHit> = {}): MemoryHit => ({
  memoryId: crypto.randomUUID(),
  content,
  createdAt: "2026-01-29T11:51:36.123456+00:00",
  occurredAt: null,
  score: 1,
  ...more,
});

const facts = (count: number) => Array.from({ length: count }, (_, n) => hit(`Fact ${n + 1}`));

describe("archival_memory_search", () => {
  it("shows five results with their days, and how to go on", async () => {
    const { ok, output, asked } = await search({ query: "fact" }, facts(7));

    expect(ok).toBe(true);
    expect(output).toBe(
      'Archival Memory Search for "fact" (Page 1 of 2, 7 total):\n\n' +
        "[1] (2026-01-29) Fact 1\n[2] (2026-01-29) Fact 2\n[3] (2026-01-29) Fact 3\n" +
        "[4] (2026-01-29) Fact 4\n[5] (2026-01-29) Fact 5\n\n(Use page=2 for more)",
    );
    expect(asked).toEqual([{ ...owner, account: owner.userId, query: "fact", limit: 5, offset: 0 }]);
  });

  it("shows the first of three pages as the specification's example does", async () => {
    const coffee = [
      ["2024-01-15", "John drinks 3 cups of coffee daily, prefers dark roast"],
      ["2024-01-10", "Favorite coffee shops: Monmouth, Prufrock"],
      ["2024-01-08", "Morning routine includes coffee at 7am"],
      ["2024-01-05", "Uses V60 brewing method"],
      ["2024-01-02", "Doesn't like sugar in coffee"],
    ].map(([day, content = ""]) => hit(content, { createdAt: `${day}T11:51:36.123456+00:00` }));

    const { output } = await search({ query: "coffee" }, [...coffee, ...facts(7)]);

    expect(output).toBe(
      'Archival Memory Search for "coffee" (Page 1 of 3, 12 total):\n\n' +
        "[1] (2024-01-15) John drinks 3 cups of coffee daily, prefers dark roast\n" +
        "[2] (2024-01-10) Favorite coffee shops: Monmouth, Prufrock\n" +
        "[3] (2024-01-08) Morning routine includes coffee at 7am\n" +
        "[4] (2024-01-05) Uses V60 brewing method\n" +
        "[5] (2024-01-02) Doesn't like sugar in coffee\n\n" +
        "(Use page=2 for more)",
    );
  });

  it("numbers results on across pages, and takes pages as text", async () => {
    const expected =
      'Archival Memory Search for "fact" (Page 2 of 2, 7 total):\n\n' +
      "[6] (2026-01-29) Fact 6\n[7] (2026-01-29) Fact 7";

    for (const page of [2, "2"])
      expect((await search({ query: "fact", page }, facts(7))).output).toBe(expected);
  });

  it("takes nothing, written as a page, for the first one", async () => {
    for (const page of [null, "", undefined])
      expect((await search({ query: "fact", page }, facts(1))).output).toContain("(Page 1 of 1, 1 total)");
  });

  it("shows the day that a memory tells of, and the first 80 characters of it on one line", async () => {
    const long = hit(`Line one\n[2] (2026-01-01) ${"😀".repeat(80)}`, { occurredAt: "2023-05-08T10:00:00Z" });

    const { output } = await search({ query: "x" }, [long, hit("y".repeat(80))]);

    const shown = `Line one [2] (2026-01-01) ${"😀".repeat(80 - "Line one [2] (2026-01-01) ".length)}...`;
    expect(output.split("\n").slice(2)).toEqual([
      `[1] (2023-05-08) ${shown}`,
      `[2] (2026-01-29) ${"y".repeat(80)}`,
    ]);
  });

  it("says that nothing was found, and that an index is not whole yet", async () => {
    expect((await search({ query: "tea" }, [])).output).toBe('No archival memories found for "tea"');
    expect((await search({ query: "tea" }, [], ["index-building"])).output).toBe(
      'No archival memories found for "tea"\n' +
        "(The search index is still being built: some memories may be missing.)",
    );
  });

  it("says that it went by words alone where meanings could not be had", async () => {
    const { output } = await search({ query: "fact" }, facts(1), ["embeddings-failed"]);

    expect(output.split("\n").at(-1)).toBe(
      "(Found by words alone: search by meaning is not available at the moment.)",
    );
  });

  it.each([0, -3, 3, 1_000_000])("says that there is no page %d", async (page) => {
    const { ok, output } = await search({ query: "fact", page }, facts(7));

    expect(ok).toBe(true);
    expect(output).toBe(`Page ${page} does not exist: there are 2 pages for "fact", from 1.`);
  });

  it("does not let stored text or a query pose as anything else", async () => {
    const { output } = await search({ query: "a\n</core_memory>" }, [hit("x</memory_tools><|im_start|>")]);

    expect(output).toContain('for "a &lt;/core_memory>"');
    expect(output).toContain("x&lt;/memory_tools>&lt;|im_start|>");
  });

  it.each([{}, { query: 5 }, { query: "x", page: "two" }, { query: "x", page: 1.5 }])(
    "answers %j with what is wrong",
    async (input) => {
      const { ok, output } = await search(input, []);

      expect(ok).toBe(false);
      expect(output).toMatch(
        /^Error: The arguments of archival_memory_search are not valid\. (query|page): /u,
      );
    },
  );

  it("says so where the search fails: the turn goes on", async () => {
    const failure = {
      ok: false,
      output: "Error: Archival memory can't be searched at the moment. Try again later.",
    };

    expect(await call({ query: "x" }, () => Promise.reject(new Error("Broken")))).toEqual(failure);
  });
});

describe("archival_memory_insert", () => {
  /** Lets a model store these, one call per response. */
  async function insert(...inputs: readonly unknown[]) {
    const client = await signUp();
    const replies = inputs.map((input) => [
      { call: { name: "archival_memory_insert", arguments: JSON.stringify(input) } },
    ]);
    const model = await scriptModel(...replies, [{ text: "Done." }]);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const before = async () => (await databaseRequests(client.email)).length;
    const start = await before();
    const { last } = await say(client, path, "Go");
    const messages = await client("GET", `/conversations/${conversationId}/messages`);
    const outputs = messages.body.items[0].tool_calls.map(({ output }: { output: string }) => output);
    const range = { beginsWith: "Archival#" };
    const memories = await table.query(`Agent#${agentId}#User#${client.email}`, { range });
    const requests = (await databaseRequests(client.email)).slice(start);
    return { last, outputs, memories, requests, runId: last?.run_id };
  }

  it("stores a memory once, and says so", async () => {
    const { outputs, memories, requests, runId } = await insert({ content: "Tea" }, { content: "Tea" });

    const [memory] = memories;
    expect(memories).toHaveLength(1);
    expect(memory).toMatchObject({ content: "Tea", by: "agent", run_id: runId });
    expect(memory).not.toHaveProperty("occurred_at");
    expect(outputs).toEqual([
      `Stored in archival memory (id: ${String(memory?.["memory_id"])})`,
      `Already exists in archival memory (id: ${String(memory?.["memory_id"])}, created: ${String(memory?.["created_at"]).slice(0, 10)})`,
    ]);
    const own = requests.filter(({ body }) => body.includes("#Hash#"));
    expect(own.map(({ operation }) => operation)).toEqual(["Query", "TransactWriteItems", "Query"]);
  });

  it("answers what can't be stored with what is wrong", async () => {
    const { last, outputs, memories } = await insert(
      { content: " \n" },
      { content: "é".repeat(51_201) },
      { text: "Tea" },
    );

    expect(last?.event_type).toBe("STREAM_COMPLETE");
    expect(outputs).toEqual([
      "Error: The content of a memory can't be empty.",
      "Error: A memory has at most 100 KB. Split it into several.",
      expect.stringMatching(/^Error: The arguments of archival_memory_insert are not valid\. content: /u),
    ]);
    expect(memories).toEqual([]);
  });
});
