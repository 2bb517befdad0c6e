import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AgentEvent } from "../../src/architectures/events.ts";
import { paceText } from "../../src/runs/pacing.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const text = (content: string): AgentEvent => ({ type: "text", text: content });
const status = (content: string): AgentEvent => ({ type: "status", text: content });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays events and pauses, and returns what is sent of them. */
async function sent(steps: readonly (AgentEvent | number)[], intervalMs: number): Promise<AgentEvent[]> {
  const events = Array.fromAsync(paceText(play(steps), intervalMs));
  await vi.runAllTimersAsync();
  return events;
}

async function* play(steps: readonly (AgentEvent | number)[]): AsyncGenerator<AgentEvent, void, void> {
  for (const step of steps) {
    if (typeof step === "number") await pause(step);
    else yield step;
  }
}

it("sends the first piece at once and joins those that follow within the interval", async () => {
  const events = await sent([text("a"), text("b"), text("c"), 1_200, text("d"), text("e")], 400);

  expect(events).toEqual([text("a"), text("bc"), text("d"), text("e")]);
});

it("sends a piece at once if the stream was idle", async () => {
  const seen: AgentEvent[] = [];
  const reading = (async () => {
    for await (const event of paceText(play([text("a"), 50, text("b"), 1_000]), 30)) seen.push(event);
  })();

  // The stream goes on for a second.
  await vi.advanceTimersByTimeAsync(50);

  expect(seen).toEqual([text("a"), text("b")]);
  await vi.runAllTimersAsync();
  await reading;
});

it("never lets another event overtake text, or be joined", async () => {
  const events = await sent(
    [text("a"), text("b"), status("one"), status("two"), text("c"), text("d"), status("end")],
    1_000,
  );

  expect(events).toEqual([text("a"), text("b"), status("one"), status("two"), text("cd"), status("end")]);
});

it("throws a failure after the text that preceded it", async () => {
  async function* failing(): AsyncGenerator<AgentEvent, void, void> {
    yield text("a");
    yield text("b");
    throw new Error("broken");
  }
  const seen: AgentEvent[] = [];

  const reading = async () => {
    for await (const event of paceText(failing(), 1_000)) seen.push(event);
  };

  const ended = Promise.allSettled([reading()]);
  await vi.runAllTimersAsync();
  expect(await ended).toEqual([{ status: "rejected", reason: new Error("broken") }]);
  expect(seen).toEqual([text("a"), text("b")]);
});
