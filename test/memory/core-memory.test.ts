import { agentIdOf } from "../../src/shared/id-types.ts";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { CoreMemory, EditRefused, type SaveContent } from "../../src/memory/core-memory.ts";
import { type BlockContent, normalizeBlockName, wordsIn } from "../../src/memory/model.ts";
import { createClock } from "../../src/shared/clock.ts";

const OWNER = { agentId: agentIdOf("agent"), userId: "user" };
const definition = {
  name: "human",
  description: "",
  wordLimit: 10,
  isDefault: true,
  createdAt: "then",
  updatedAt: null,
};

/** A block as the table stores it: a write succeeds only if it is based on the current state. */
function storedBlock(lines: readonly string[], pause: () => Promise<void> = () => Promise.resolve()) {
  let content: BlockContent = { lines, createdAt: "then", revision: { version: 1, updatedAt: "then" } };

  const save: SaveContent = async ({ block, lines: changed, changedAt }) => {
    // Lets other editors run, as a request to the table does.
    await pause();
    if (block.content.revision?.version !== content.revision?.version)
      return { current: { ...block, content } };
    const version = (content.revision?.version ?? 0) + 1;
    content = { ...content, lines: changed, revision: { version, updatedAt: changedAt } };
    return { saved: content };
  };
  const open = (wordLimit = 1_000) =>
    new CoreMemory({
      owner: OWNER,
      blocks: [{ ...definition, wordLimit, content }],
      save,
      clock: createClock(),
    });

  return { open, lines: () => content.lines, version: () => content.revision?.version };
}

type Edit =
  | { readonly kind: "append"; readonly text: string }
  | { readonly kind: "replace"; readonly number: number; readonly text: string }
  | { readonly kind: "remove"; readonly number: number };

const edits = (name: string) =>
  fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("append" as const), text: fc.nat(20).map((n) => `${name} append ${n}`) }),
      fc.record({
        kind: fc.constant("replace" as const),
        number: fc.integer({ min: 1, max: 8 }),
        text: fc.nat(20).map((n) => `${name} replace ${n}`),
      }),
      fc.record({ kind: fc.constant("remove" as const), number: fc.integer({ min: 1, max: 8 }) }),
    ),
    { maxLength: 8 },
  );

async function make(memory: CoreMemory, edit: Edit) {
  if (edit.kind === "append") return memory.append("human", edit.text);
  if (edit.kind === "replace") return memory.replace("human", edit.number, edit.text);
  return memory.remove("human", edit.number);
}

it("applies the edits of one response as if lines had kept their numbers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(50).map(String), { maxLength: 6 }),
      edits("a"),
      async (lines, list) => {
        const block = storedBlock(lines);
        const memory = block.open();
        memory.beginResponse();
        // Each line has the number that the model knows; appended lines continue the numbering.
        const model: { number: number; text: string }[] = lines.map((text, index) => ({
          number: index + 1,
          text,
        }));
        let nextNumber = lines.length + 1;

        for (const edit of list) {
          const at = model.findIndex(({ number }) => "number" in edit && number === edit.number);
          const result = await make(memory, edit);
          if (edit.kind === "append") {
            const known = model.some(({ text }) => text === edit.text);
            expect(result?.changed).toBe(!known);
            if (!known) model.push({ number: nextNumber++, text: edit.text });
          } else if (at < 0) {
            expect(result).toBeUndefined();
          } else if (edit.kind === "remove") {
            expect(result?.old).toBe(model.splice(at, 1)[0]?.text);
          } else {
            expect(result?.old).toBe(model[at]?.text);
            model[at] = { number: edit.number, text: edit.text };
          }
          expect(block.lines()).toEqual(model.map(({ text }) => text));
        }
      },
    ),
  );
});

// Scenario 20.
it("loses no line and edits no wrong one when two conversations edit concurrently", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), edits("a"), edits("b"), async (scheduler, first, second) => {
      const original = ["one", "two", "three"];
      const block = storedBlock(original, () => scheduler.schedule(Promise.resolve()));
      const memories = [block.open(), block.open()];
      const outcomes: { edit: Edit; result: Awaited<ReturnType<typeof make>> }[] = [];

      const play = async (memory: CoreMemory | undefined, list: readonly Edit[]) => {
        if (!memory) return;
        memory.beginResponse();
        for (const edit of list) outcomes.push({ edit, result: await make(memory, edit) });
      };
      await scheduler.waitFor(Promise.all([play(memories[0], first), play(memories[1], second)]));

      // Every line that was written, or was there before, and was not reported as replaced or removed is still there.
      const written = outcomes.flatMap(({ edit, result }) =>
        "text" in edit && result?.changed ? [edit.text] : [],
      );
      const gone = outcomes.flatMap(({ edit, result }) =>
        edit.kind !== "append" && result?.changed ? [result.old] : [],
      );
      const expected = [...original, ...written];
      for (const text of gone) {
        const at = expected.indexOf(text);
        expect(at).toBeGreaterThanOrEqual(0);
        expected.splice(at, 1);
      }
      expect(block.lines().toSorted()).toEqual(expected.toSorted());
    }),
  );
});

it("increases the version with each write, and only then", async () => {
  const block = storedBlock(["a"]);
  const memory = block.open();

  await memory.append("human", "b");
  await memory.append("human", "b");
  await memory.remove("human", 9);

  expect(block.version()).toBe(2);
  expect(memory.takeUpdates()).toEqual([{ block: "human", version: 2 }]);
  expect(memory.takeUpdates()).toEqual([]);
});

it("never leaves a block above its limit", async () => {
  await fc.assert(
    fc.asyncProperty(edits("a"), fc.integer({ min: 3, max: 12 }), async (list, limit) => {
      const block = storedBlock(["x"]);
      const memory = block.open(limit);

      for (const edit of list) {
        await make(memory, edit).catch((error: unknown) => expect(error).toBeInstanceOf(EditRefused));
        expect(wordsIn(block.lines())).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

it("gives up on a block that keeps changing concurrently", async () => {
  let version = 1;
  const restless: SaveContent = ({ block }) =>
    Promise.resolve({
      current: {
        ...block,
        content: { lines: [], createdAt: "", revision: { version: ++version, updatedAt: null } },
      },
    });
  const block = { ...definition, content: { lines: [], createdAt: "", revision: undefined } };
  const memory = new CoreMemory({ owner: OWNER, blocks: [block], save: restless, clock: createClock() });

  await expect(memory.append("human", "a")).rejects.toThrow(/is being changed concurrently/u);
});

it.each([
  ["Human - Facts about the user", "human"],
  ["Important_Financial_Data", "important_financial_data"],
  ["My Custom Block", "my_custom_block"],
  ["__a--b  c!!", "a_b_c"],
  ["Ünï", "n"],
  [" human ", "human"],
])("normalizes the block name %j to %j", (name, expected) => {
  expect(normalizeBlockName(name)).toBe(expected);
});
