import { describe, expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { storedVersions, withJobs } from "./agent-memory.ts";
import { archived, fullBlock, ok, settled, turnsOf } from "./full-block.ts";

/** A word of each script, to be repeated without spaces. Arabic separates its words. */
const WORDS = [
  ["Chinese", "咖啡"],
  ["Japanese", "電話"],
  ["Thai", "กาแฟ"],
  ["Khmer", "ឆ្មា"],
  ["Lao", "ແມວ"],
  ["Burmese", "အိမ်"],
  ["Tibetan", "ཁང་"],
  ["Arabic", "قهوة "],
] as const;

/** Lines of `words` words in all, ten in each but the last. They differ by a number, which belongs to their last word. */
const linesOf = (word: string, words: number): readonly string[] =>
  Array.from({ length: Math.ceil(words / 10) }, (_, n) => word.repeat(Math.min(10, words - 10 * n)).trim());

describe.each(WORDS)("a block in %s", (_, word) => {
  it("counts its words in answers, refusals and warnings", async () => {
    const client = await signUp();
    const memory = await withJobs(client);

    const full = await memory.put(linesOf(word, 100));
    const over = await memory.put(linesOf(word, 101));
    await memory.put(linesOf(word, 70));
    const call = (name: string, input: object) => [
      { call: { name, arguments: JSON.stringify({ block: "jobs", ...input }) } },
    ];
    const model = await scriptModel(
      call("core_memory_append", { content: word.repeat(15) }),
      call("core_memory_append", { content: word.repeat(16) }),
      call("core_memory_replace", { line_number: 8, new_content: word.repeat(5) }),
      call("core_memory_read", {}),
      [{ text: "Done." }],
    );
    await client("PUT", `/agents/${memory.agentId}`, { agent_model: model.name });
    await say(client, memory.talk, "Go");

    expect([full.status, full.body.word_count]).toEqual([200, 100]);
    expect(over).toMatchObject({ status: 422, body: { word_count: 101, word_limit: 100 } });
    const [appended, refused, , read] = ((await model.log()).requests.at(-1)?.body.messages ?? [])
      .filter(({ role }) => role === "tool")
      .map(({ content }) => content ?? "");
    expect(appended).toMatch(/\(85\/100 words\)\n⚠️ WARNING: Block at 85% capacity\./u);
    expect(refused).toContain("it would have 101/100 words");
    expect(read).toMatch(/^\[jobs\] Core Memory \(8 lines, 75\/100 words\):/u);
  });

  it("is compacted to half of its words, and loses none of its lines", async () => {
    const lines = Array.from({ length: 17 }, (_unused, n) => `${word.repeat(4).trim()} ${n}`);
    const memory = await fullBlock([ok, ok, ok], lines);
    for (const turn of [1, 2]) {
      await memory.turn();
      await expect.poll(() => turnsOf(memory)).toBe(turn);
    }
    await memory.turn();
    await settled(memory);

    const last = (await storedVersions(memory, "jobs")).at(-1);
    expect(last).toMatchObject({ by: "compaction", word_count: 50, lines: lines.slice(7) });
    expect(new Set(await archived(memory))).toEqual(new Set(lines.slice(0, 7)));
  });
});

describe("a block with unusual characters", () => {
  it.each([
    ["joined emoji", "👨‍👩‍👧‍👦".repeat(900), 1],
    ["emoji among Chinese", "👨‍👩‍👧‍👦咖啡".repeat(30), 30],
    ["accents without letters", "\u0301\u0301 咖啡\u0301", 2],
    ["no spaces", "x".repeat(10_000), 1],
    ["spaces of other scripts", "咖啡\u3000咖啡\u2003咖啡", 3],
    ["spaces without width", "ឆ្មា\u200bឆ្មា", 2],
    ["Latin letters, digits and Chinese", "Wi-Fi密码42", 4],
  ])("counts and keeps a line with %s", async (_, line, words) => {
    const memory = await withJobs(await signUp());

    const { status, body } = await memory.put([line]);

    expect([status, body.word_count]).toEqual([200, words]);
    expect(body.lines).toHaveLength(1);
    expect(body.lines[0].isWellFormed()).toBe(true);
    expect((await memory.put([line])).body.version).toBe(body.version);
  });

  it("refuses a line with half of a surrogate pair", async () => {
    const memory = await withJobs(await signUp());

    expect((await memory.put(["\ud800咖啡"])).status).toBe(422);
  });

  it("refuses a line of 100,000 characters without a space, and names the most that it may have", async () => {
    const memory = await withJobs(await signUp());

    for (const character of ["x", "咖", "ก"]) {
      const { status, body } = await memory.put([character.repeat(100_000)]);
      expect(status).toBe(422);
      expect(JSON.stringify(body.errors)).toContain("10000");
    }
  });
});
