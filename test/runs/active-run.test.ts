import { runIdOf } from "../../src/shared/id-types.ts";
import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/architectures/events.ts";
import { ActiveRun } from "../../src/runs/active-run.ts";

const status: AgentEvent = { type: "status", text: "Loading memory..." };
const saved: AgentEvent = { type: "message-saved", messageId: "m" };
const text: AgentEvent = { type: "text", text: "Hello" };
const started: AgentEvent = { type: "tool-started", callId: "c", name: "n", arguments: "{}", input: {} };
const finished: AgentEvent = { type: "tool-finished", callId: "c", name: "n", ok: true, output: "" };
const usage: AgentEvent = {
  type: "usage",
  usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
};
const completed: AgentEvent = { type: "completed", content: "Response complete", messageId: "a" };

/** Plays events without a pause, and returns the types of the events in each write of the log. */
async function writesOf(...events: readonly AgentEvent[]) {
  const writes: string[][] = [];
  const log = {
    append: (_runId: string, numbered: readonly { readonly event: AgentEvent }[]) =>
      void writes.push(numbered.map(({ event }) => event.type)),
    reserve: () => undefined,
    end: () => undefined,
    wait: () => undefined,
    read: () => [],
  };

  async function* play() {
    yield* events;
  }
  await new ActiveRun({ runId: runIdOf("r"), log, now: () => 0 }).play(play());
  return writes;
}

it("writes text and status events to the log together with the end of the run", async () => {
  expect(await writesOf(status, saved, status, text, usage, completed)).toEqual([
    ["status", "message-saved", "status", "text", "usage", "completed"],
  ]);
});

it("writes tool events to the log at once, with everything before them", async () => {
  expect(await writesOf(status, text, started, finished, text, completed)).toEqual([
    ["status", "text", "tool-started"],
    ["tool-finished"],
    ["text", "completed"],
  ]);
});
