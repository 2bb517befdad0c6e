import { accountEmailOf, agentIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { agentKey } from "../../src/table/keys.ts";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { ChatModel } from "../../src/llm/model.ts";
import { ArchivalRepository } from "../../src/memory/archival-repository.ts";
import { CapacityRepository } from "../../src/memory/capacity-repository.ts";
import { BlockVersionRepository } from "../../src/memory/version-repository.ts";
import { watchCapacity } from "../../src/memory/capacity-watch.ts";
import { CoreMemory } from "../../src/memory/core-memory.ts";
import { wordsIn } from "../../src/memory/model.ts";
import { MemoryRepository } from "../../src/memory/repository.ts";
import { createClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { AppError } from "../../src/shared/errors.ts";
import { TableClient } from "../../src/table/client.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { createTransport, type Send } from "../../src/table/transport.ts";
import { table } from "../support/app.ts";

const OWNER = accountEmailOf("alice@example.com");
const LIMIT = 10;
const clock = createClock();
const cursors = new Cursors(await deriveHmacKey("a secret for tests only", "list cursors"));
const send = createTransport({
  endpoint: env.DYNAMODB_ENDPOINT,
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

const text = fc
  .array(fc.nat(30), { minLength: 1, maxLength: 4 })
  .map((ns) => ns.map((n) => `w${n}`).join(" "));
const number = fc.integer({ min: 1, max: 4 });
const edit = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("replace" as const), number, text }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), number }) },
);
const turn = fc.record({
  edits: fc.array(edit, { maxLength: 2 }),
  /** The model's answer to a summary request; `undefined` if it fails. */
  reply: fc.option(fc.array(text, { maxLength: 3 }).map((lines) => lines.join("\n"))),
});
const conversation = fc.array(turn, { minLength: 5, maxLength: 9 });
/** Which of the requests after answers fail, and whether they were carried out nevertheless. */
const faults = fc.infiniteStream(
  fc.oneof(
    { weight: 20, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom("refused" as const, "unanswered" as const) },
  ),
);

type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;
type Fault = "none" | "refused" | "unanswered";

const modelThatSays = (reply: string | null): ChatModel => ({
  id: "test",
  contextTokens: 1_000,
  async *stream() {
    await Promise.resolve();
    if (reply === null) throw new AppError("provider-unavailable", "Not now.");
    yield { type: "text", text: reply };
  },
});

/** A live agent with a block for ten words, and access to its memory that waits for the scheduler. */
async function memoryOver(scheduler: fc.Scheduler, upsets: Iterator<Fault>) {
  const agentId = agentIdOf(crypto.randomUUID());
  const owner = { agentId, userId: OWNER };
  await table.put({ ...agentKey(OWNER, agentId), agent_id: agentId });
  const createdAt = clock.timestamp();
  const definition = { name: "facts", description: "", wordLimit: LIMIT, isDefault: false, createdAt };
  await new MemoryRepository({ table }).create(
    owner,
    OWNER,
    { ...definition, updatedAt: null },
    undefined,
    0,
  );

  const slow: Send = async (operation, input) => {
    await scheduler.schedule(Promise.resolve(), operation);
    return send(operation, input);
  };
  const failing: Send = async (operation, input) => {
    const fault = upsets.next().value;
    if (fault === "refused") throw new AppError("unavailable", "Not now.");
    const answer = await slow(operation, input);
    if (fault === "unanswered") throw new AppError("unavailable", "Not now.");
    return answer;
  };
  const over = (way: Send) => new TableClient({ send: way, table: env.DYNAMODB_TABLE, now: Date.now });
  return { owner, table: over(slow), behind: over(failing) };
}

/** Runs the turns of one conversation, each with the work that follows it. Returns how often that work failed. */
async function talk(world: Awaited<ReturnType<typeof memoryOver>>, turns: readonly Turn[]): Promise<void> {
  const { owner } = world;
  const reader = new CapacityRepository({ table: world.table });
  const memory = new MemoryRepository({ table: world.table });

  for (const { edits, reply } of turns) {
    const runId = runIdOf(crypto.randomUUID());
    const { blocks, warnings } = await reader.read(owner);
    const author = { by: "agent", runId } as const;
    const core = new CoreMemory({
      owner,
      blocks,
      save: (change) => memory.saveContent(owner, OWNER, { ...change, author }),
      clock,
    });
    for (const made of edits) await play(core, made);

    const deps = {
      capacity: new CapacityRepository({ table: world.behind }),
      memory: new MemoryRepository({ table: world.behind }),
      archive: new ArchivalRepository({ table: world.behind, cursors }),
      versions: new BlockVersionRepository({ table: world.behind, cursors }),
      clock,
    };
    const model = modelThatSays(reply);
    const asked = { model, promptTokens: 1_000 };
    const watched = { owner, accountEmail: OWNER, runId, ...asked, blocks: core.blocks(), warnings };
    // As after an answer: a failure is left to the next turn.
    await watchCapacity(watched, deps).catch(() => undefined);
  }
}

async function play(core: CoreMemory, made: Turn["edits"][number]): Promise<void> {
  try {
    if (made.kind === "append") await core.append("facts", made.text);
    else if (made.kind === "replace") await core.replace("facts", made.number, made.text);
    else await core.remove("facts", made.number);
  } catch (error) {
    // A full block accepts no more lines.
    expect((error as AppError).code).toBe("validation-failed");
  }
}

const wordsOf = (lines: readonly string[]) => new Set(lines.flatMap((line) => line.split(/\s+/u)));
const missing = (words: ReadonlySet<string>, among: ReadonlySet<string>) => [...words.difference(among)];

it("never loses a word, whatever edits and failures occur during a compaction", async () => {
  let compactions = 0;

  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      conversation,
      conversation,
      faults,
      async (scheduler, one, other, upsets) => {
        const world = await memoryOver(scheduler, upsets);

        await scheduler.waitFor(Promise.all([talk(world, one), talk(world, other)]));

        const pk = `Agent#${world.owner.agentId}#User#${OWNER}`;
        const stored = await table.query(pk, { range: { beginsWith: "BlockVersion#" } });
        const states = stored.map((item) => item["lines"] as readonly string[]);
        const memories = await table.query(pk, { range: { beginsWith: "Archival#" } });
        const archive = wordsOf(memories.map((item) => item["content"] as string));
        const content = await table.get({ pk, sk: `CoreMemory#${world.owner.agentId}:${OWNER}:facts` });

        // Every content that the block ever had is a version, and the last one is the current content.
        expect(stored.map((item) => item["version"])).toEqual(stored.map((_, index) => index + 1));
        expect(content?.["lines"] ?? []).toEqual(states.at(-1) ?? []);
        expect(new Set(memories.map((item) => item["content"])).size).toBe(memories.length);

        for (const [index, item] of stored.entries()) {
          if (item["by"] !== "compaction") continue;
          const [before, after] = [states[index - 1] ?? [], states[index] ?? []];
          compactions++;
          // It was necessary, it reached its target, and the removed lines can be found without reading old versions.
          expect(wordsIn(before)).toBeGreaterThanOrEqual(LIMIT * 0.8);
          expect(wordsIn(after)).toBeLessThanOrEqual(LIMIT / 2);
          expect(missing(wordsOf(before), new Set([...wordsOf(after), ...archive]))).toEqual([]);
        }
      },
    ),
    { numRuns: 25 },
  );
  expect(compactions).toBeGreaterThan(10);
});
