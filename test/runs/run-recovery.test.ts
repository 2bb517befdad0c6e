import { accountEmailOf, agentIdOf, conversationIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { expect, it } from "vitest";
import type { Run } from "../../src/runs/model.ts";
import { RunRecovery } from "../../src/runs/recover-run.ts";
import { runEventOf } from "../../src/runs/run-events.ts";
import type { LoggedRun, NumberedEvent } from "../../src/runs/run-log.ts";
import { newRunIds } from "../../src/runs/turn.ts";
import type { TurnEnd } from "../../src/runs/turn-repository.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { AppError } from "../../src/shared/errors.ts";

const place = {
  accountEmail: accountEmailOf("alice@example.com"),
  agentId: agentIdOf("a"),
  conversationId: conversationIdOf("c"),
};
const runs = (count: number): LoggedRun[] =>
  Array.from({ length: count }, () => ({
    runIds: newRunIds(systemClock),
    place,
    state: "running",
    reserved: 256,
    lastSeq: null,
    expiresAt: 0,
  }));
const storedRun = (id: string, state: Run["state"]): Run => ({
  id: runIdOf(id),
  conversationId: conversationIdOf("c"),
  agentId: agentIdOf("a"),
  createdBy: place.accountEmail,
  state,
  startedAt: "",
  endedAt: null,
  userMessageId: "",
  messageId: null,
  usage: null,
  errorCode: null,
  hasSlot: false,
  clientRequest: null,
  clientPauses: [],
});
const endOf = ({ runIds }: LoggedRun): TurnEnd => {
  const end = { state: "completed", endedAt: "", messageId: "m", usage: null, errorCode: null } as const;
  const [content, role, status] = ["Words", "assistant", "complete"] as const;
  const rest = {
    attachments: [],
    createdAt: "",
    toolCalls: [],
    usage: null,
    tokenRatio: null,
    runId: runIds.runId,
  };
  const message = {
    id: "m",
    conversationId: conversationIdOf("c"),
    createdBy: "",
    role,
    content,
    status,
    ...rest,
  };
  return { place, runIds, message, end };
};

interface Situation {
  readonly logged?: readonly LoggedRun[];
  readonly unsaved?: readonly TurnEnd[];
  /** The states of runs in the table; runs without one never began. */
  readonly stored?: Readonly<Record<string, Run["state"]>>;
  /** The table's error for each attempt to store an end; after these, it is stored. */
  readonly refusals?: readonly AppError[];
  readonly active?: string;
  /** The types of events that the account's webhooks want. */
  readonly wanted?: readonly string[];
}

/** Recovery over a log and a table that exist for the test alone. */
function recoveryIn({
  logged = [],
  unsaved = [],
  stored = {},
  refusals = [],
  active,
  wanted = [],
}: Situation) {
  const unfinished = new Map(logged.map((run) => [run.runIds.runId, run]));
  const kept = new Map(unsaved.map((end) => [end.runIds.runId, end]));
  const states = new Map(Object.entries(stored));
  const ended = new Map<string, number>();
  const appended: NumberedEvent[] = [];
  const saved: TurnEnd[] = [];
  const left = [...refusals];
  const nudged: string[] = [];
  let recoveries = 0;
  const recovery = new RunRecovery({
    log: {
      unfinished: () => [...unfinished.values()],
      all: function* () {},
      append: (_runId, events) => void appended.push(...events),
      end: (runId, seq) => {
        ended.set(runId, seq);
        unfinished.delete(runId);
      },
      drop: (runId) => void unfinished.delete(runId),
      unsaved: () => [...kept.values()],
      saved: (runId) => void kept.delete(runId),
    },
    deps: async () => ({
      runs: {
        find: async (_conversationId, runId) => {
          const state = states.get(runId);
          return state && storedRun(runId, state);
        },
      },
      turns: {
        preventBegin: async () => true,
        end: async (end) => {
          const refusal = left.shift();
          if (refusal) throw refusal;
          saved.push(end);
          states.set(end.runIds.runId, end.end.state);
        },
      },
      messages: { find: async () => undefined },
      webhooks: { wanted: async () => ({ types: wanted, noticed: {} }) },
      webhookSender: { nudge: async (accountEmail) => void nudged.push(accountEmail) },
      clock: systemClock,
    }),
    isActive: (runId) => runId === active,
    recovered: async () => void recoveries++,
    now: Date.now,
  });
  return { recovery, unfinished, kept, ended, appended, saved, nudged, recoveries: () => recoveries };
}

it("ends a dead run with an event number that no client can have seen", async () => {
  const [run] = runs(1);
  const runId = run?.runIds.runId ?? "";
  const there = recoveryIn({ logged: run ? [run] : [], stored: { [runId]: "running" } });

  await there.recovery.recoverRuns();

  expect(there.appended).toMatchObject([{ seq: 257, event: { type: "failed", code: "unavailable" } }]);
  expect(there.ended.get(runId)).toBe(257);
  expect(there.saved).toMatchObject([{ message: null, end: { state: "interrupted" } }]);
});

it("records the event of a dead run if a webhook wants it, and has it sent", async () => {
  const [run] = runs(1);
  const runId = run?.runIds.runId ?? "";
  const situation = { logged: run ? [run] : [], stored: { [runId]: "running" } } as const;
  const there = recoveryIn({ ...situation, wanted: ["run.failed"] });
  const unheard = recoveryIn(situation);

  await there.recovery.recoverRuns();
  await unheard.recovery.recoverRuns();

  expect(there.saved.map(runEventOf)).toMatchObject([{ type: "run.failed", data: { run_id: runId } }]);
  expect(there.nudged).toEqual([place.accountEmail]);
  expect(unheard.saved.map(runEventOf)).toEqual([undefined]);
  expect(unheard.nudged).toEqual([]);
});

it("sends the event of an end that is saved late", async () => {
  const unsaved = runs(1)
    .map(endOf)
    .map((end) => ({ ...end, wantedEvents: ["run.completed"] }));
  const there = recoveryIn({ unsaved });

  await there.recovery.saveUnsaved();

  expect(there.nudged).toEqual([place.accountEmail]);
});

it("forgets a run that never began, and leaves the active one alone", async () => {
  const logged = runs(2);
  const active = logged[0]?.runIds.runId ?? "";
  const there = recoveryIn({ logged, active });

  await there.recovery.recoverRuns();

  expect([...there.unfinished.keys()]).toEqual([active]);
  expect(there.appended).toEqual([]);
});

it("recovers once for all concurrent callers, and again for later ones", async () => {
  const logged = runs(1);
  const there = recoveryIn({ logged });

  await Promise.all([1, 2, 3].map(() => there.recovery.recoverRuns()));
  expect(there.recoveries()).toBe(1);

  const [later] = runs(1);
  if (later) there.unfinished.set(later.runIds.runId, later);
  await there.recovery.recoverRuns();
  expect(there.recoveries()).toBe(2);
});

it("keeps ends that the table does not accept yet", async () => {
  const unsaved = runs(1).map(endOf);
  const there = recoveryIn({ unsaved, refusals: [new AppError("unavailable", "Not now.")] });

  await expect(there.recovery.saveUnsaved()).rejects.toMatchObject({ code: "unavailable" });
  expect(there.kept.size).toBe(1);

  await there.recovery.saveUnsaved();
  expect(there.kept.size).toBe(0);
  expect(there.saved).toEqual(unsaved);
});

it("keeps nothing for a deleted conversation", async () => {
  const there = recoveryIn({
    unsaved: runs(1).map(endOf),
    refusals: [new AppError("not-found", "Conversation not found")],
  });

  await there.recovery.saveUnsaved();

  expect([there.kept.size, there.saved]).toEqual([0, []]);
});

it("drops an answer that the table will never accept, and returns its message", async () => {
  const there = recoveryIn({
    unsaved: runs(1).map(endOf),
    refusals: [new AppError("payload-too-large", "Too large.")],
  });

  await there.recovery.saveUnsaved();

  expect(there.kept.size).toBe(0);
  expect(there.saved).toMatchObject([{ message: null, end: { messageId: null } }]);
});
