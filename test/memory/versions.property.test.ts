import { accountEmailOf, agentIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { agentKey } from "../../src/table/keys.ts";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { CoreMemory } from "../../src/memory/core-memory.ts";
import { NO_RECORD } from "../../src/memory/change-records.ts";
import { MemoryRepository } from "../../src/memory/repository.ts";
import { MemoryService } from "../../src/memory/service.ts";
import { UsageRepository } from "../../src/plans/usage-repository.ts";
import { BlockVersionRepository } from "../../src/memory/version-repository.ts";
import { createClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { AppError } from "../../src/shared/errors.ts";
import { TableClient } from "../../src/table/client.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { createTransport, type Send } from "../../src/table/transport.ts";
import { table } from "../support/app.ts";

const OWNER = accountEmailOf("alice@example.com");
const clock = createClock();
const cursors = new Cursors(await deriveHmacKey("a secret for tests only", "list cursors"));
const send = createTransport({
  endpoint: env.DYNAMODB_ENDPOINT,
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

const anyone = () => true;
const line = fc.nat(12).map((n) => `fact ${n}`);
const number = fc.integer({ min: 1, max: 5 });

const agentEdit = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), text: line }),
  fc.record({ kind: fc.constant("replace" as const), number, text: line }),
  fc.record({ kind: fc.constant("remove" as const), number }),
);
const userEdit = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), lines: fc.array(line, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("restore" as const), version: number }),
);

type AgentEdit = typeof agentEdit extends fc.Arbitrary<infer T> ? T : never;
type UserEdit = typeof userEdit extends fc.Arbitrary<infer T> ? T : never;

/** The content in the answer to an editor's change. */
interface Claim {
  readonly edit: AgentEdit | UserEdit;
  readonly version: number;
  readonly lines: readonly string[];
}

/** A live agent, and a memory whose requests wait for the scheduler. */
async function memoryOver(scheduler: fc.Scheduler) {
  const agentId = agentIdOf(crypto.randomUUID());
  await table.put({ ...agentKey(OWNER, agentId), agent_id: agentId });

  const scheduled: Send = async (operation, input) => {
    await scheduler.schedule(Promise.resolve(), operation);
    return send(operation, input);
  };
  const slow = new TableClient({ send: scheduled, table: env.DYNAMODB_TABLE, now: Date.now });
  const memory = new MemoryRepository({ table: slow });
  const versions = new BlockVersionRepository({ table: slow, cursors });
  const agents = { get: () => Promise.resolve() };
  const rules = { isSuperuser: () => true, upgradeUrl: "" };
  const plans = new UsageRepository({ table, cursors, rules });
  const records = { of: async () => NO_RECORD, send: () => undefined };
  return {
    agentId,
    memory,
    service: new MemoryService({
      memory,
      versions,
      agents,
      plans,
      rules,
      records,
      clock,
      later: () => undefined,
    }),
  };
}

type World = Awaited<ReturnType<typeof memoryOver>>;

/** An agent's turn, which knows the block as it was at the beginning. */
async function playAgent({ agentId, memory, service }: World, edits: readonly AgentEdit[]) {
  const owner = { agentId, userId: OWNER };
  const author = { by: "agent", runId: runIdOf("run") } as const;
  const blocks = await service.blocks({ accountEmail: OWNER }, agentId);
  const core = new CoreMemory({
    owner,
    blocks,
    save: (change) => memory.saveContent(owner, OWNER, { ...change, author }),
    clock,
  });
  const claims: Claim[] = [];

  for (const edit of edits) {
    const made =
      edit.kind === "append"
        ? await core.append("human", edit.text)
        : edit.kind === "replace"
          ? await core.replace("human", edit.number, edit.text)
          : await core.remove("human", edit.number);
    for (const { version } of core.takeUpdates())
      claims.push({ edit, version, lines: made?.block.lines ?? [] });
  }
  return claims;
}

async function playUser({ agentId, service }: World, edits: readonly UserEdit[]) {
  const claims: Claim[] = [];

  for (const edit of edits) {
    try {
      const { content } =
        edit.kind === "put"
          ? await service.replaceLines({ accountEmail: OWNER }, agentId, "human", edit.lines, anyone)
          : await service.restore({ accountEmail: OWNER }, agentId, "human", edit.version, anyone);
      claims.push({ edit, version: content.revision?.version ?? 0, lines: content.lines });
    } catch (error) {
      // Versions that don't exist yet can't be restored.
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe("not-found");
    }
  }
  return claims;
}

/** Returns whether one edit of an agent leads from one state of the lines to the other. */
function leadsTo(edit: AgentEdit | UserEdit, before: readonly string[], after: readonly string[]): boolean {
  if (edit.kind === "append") return same(after, [...before, edit.text]);
  if (edit.kind === "replace") return before.some((_, at) => same(after, before.with(at, edit.text)));
  return edit.kind === "remove" && before.some((_, at) => same(after, before.toSpliced(at, 1)));
}

const same = (a: readonly string[], b: readonly string[]) => JSON.stringify(a) === JSON.stringify(b);

it("keeps every change of two editors as a version, numbered without gaps", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      // A user's edit takes more requests. With equal numbers of edits, the agent would finish early.
      fc.array(agentEdit, { minLength: 8, maxLength: 12 }),
      fc.array(userEdit, { minLength: 3, maxLength: 5 }),
      async (scheduler, agentEdits, userEdits) => {
        const world = await memoryOver(scheduler);

        const [byAgent, byUser] = await scheduler.waitFor(
          Promise.all([playAgent(world, agentEdits), playUser(world, userEdits)]),
        );

        const { agentId } = world;
        const pk = `Agent#${agentId}#User#${OWNER}`;
        const stored = await table.query(pk, { range: { beginsWith: "BlockVersion#" } });
        const states = stored.map((item) => item["lines"] as readonly string[]);
        expect(stored.map((item) => item["version"])).toEqual(stored.map((_, index) => index + 1));

        // No editor got a version that does not exist or has other lines.
        for (const { version, lines } of [...byAgent, ...byUser])
          expect(version === 0 ? [] : states[version - 1]).toEqual(lines);

        for (const [index, item] of stored.entries()) {
          const version = index + 1;
          const before = states[index - 1] ?? [];
          const after = states[index] ?? [];
          if (item["by"] === "agent") {
            const claims = byAgent.filter((claim) => claim.version === version);
            expect(claims.map(({ edit }) => leadsTo(edit, before, after))).toEqual([true]);
          } else {
            const claim = byUser.find((candidate) => candidate.version === version);
            const asked = claim?.edit.kind === "put" ? claim.edit.lines : claim && restored(claim, states);
            expect(after).toEqual(asked);
          }
        }
        expect(stored.filter((item) => item["by"] === "agent")).toHaveLength(byAgent.length);

        const content = await table.get({ pk, sk: `CoreMemory#${agentId}:${OWNER}:human` });
        expect(content?.["lines"]).toEqual(states.at(-1));
        expect(content?.["version"]).toEqual(states.length || undefined);
      },
    ),
    { numRuns: 20 },
  );
});

const restored = ({ edit }: Claim, states: readonly (readonly string[])[]) =>
  edit.kind === "restore" ? states[edit.version - 1] : undefined;
