import { runIdOf } from "../../src/shared/id-types.ts";
import { expect, it } from "vitest";
import type { EventSource } from "../../src/runs/active-run.ts";
import { eventStream } from "../../src/runs/event-stream.ts";
import { toFrames } from "../../src/wires/native.ts";
import { parseEvents } from "../support/sse.ts";

/** A run whose events are added by the test. */
function testRun(count = 0) {
  let waiting = Promise.withResolvers<void>();
  const state = { count, isOver: false, reads: 0 };
  const source: EventSource = {
    read(after) {
      state.reads++;
      return Array.from({ length: state.count - after }, (_, index) => ({
        seq: after + index + 1,
        event: { type: "text", text: `w${after + index + 1}` },
      }));
    },
    changed: () => waiting.promise,
    get isOver() {
      return state.isOver;
    },
  };
  const add = (more: number, isOver = false) => {
    state.count += more;
    state.isOver = isOver;
    waiting.resolve();
    waiting = Promise.withResolvers();
  };
  return { source, state, add };
}

/** The native frames of a run. */
const streamOf = (source: EventSource, after = 0, pingMs?: number) =>
  eventStream({
    source,
    after,
    write: (event, seq, answerBefore) => toFrames(event, runIdOf("r"), seq, answerBefore),
    ...(pingMs !== undefined && { pingMs }),
  });

const decoder = new TextDecoder();
const numbers = (value: Uint8Array | undefined) =>
  parseEvents(decoder.decode(value)).map(({ seq, run_id: runId }) => [runId, seq]);

it("streams the events after a number and new ones, and then ends", async () => {
  const { source, add } = testRun(3);
  const reader = streamOf(source, 1).getReader();

  expect(numbers((await reader.read()).value)).toEqual([
    ["r", 2],
    ["r", 3],
  ]);
  const next = reader.read();
  add(1);
  expect(numbers((await next).value)).toEqual([["r", 4]]);
  add(0, true);
  expect((await reader.read()).done).toBe(true);
});

it("pings while nothing happens, and only then", async () => {
  const { source, add } = testRun();
  const reader = streamOf(source, 0, 5).getReader();

  expect(decoder.decode((await reader.read()).value)).toBe(": ping\n\n");
  expect(decoder.decode((await reader.read()).value)).toBe(": ping\n\n");
  add(1, true);
  let last = await reader.read();
  while (decoder.decode(last.value) === ": ping\n\n") last = await reader.read();
  expect(numbers(last.value)).toEqual([["r", 1]]);
  expect((await reader.read()).done).toBe(true);
});

it("reads nothing ahead for a follower that does not read, and sends at most 200 events at once", async () => {
  const { source, state, add } = testRun(500);
  const stream = streamOf(source);

  await scheduler.wait(1);
  expect(state.reads).toBe(0);
  add(0, true);
  expect(parseEvents(await new Response(stream).text())).toHaveLength(500);
  // 200, 200, 100, and the look that finds no more.
  expect(state.reads).toBe(4);
});

it("skips events that a wire does not show, and still ends", async () => {
  const { source, add } = testRun(3);
  add(0, true);
  const write = (_event: unknown, seq: number) => (seq === 2 ? "data: 2\n\n" : "");

  expect(await new Response(eventStream({ source, after: 0, write })).text()).toBe("data: 2\n\n");
  expect(await new Response(eventStream({ source, after: 2, write })).text()).toBe("");
});

it("stops waiting once its reader has left", async () => {
  const { source, state, add } = testRun();
  const reader = streamOf(source).getReader();
  void reader.read();
  await expect.poll(() => state.reads).toBe(1);

  await reader.cancel();
  await scheduler.wait(1);
  add(1);
  await scheduler.wait(1);

  expect(state.reads).toBe(1);
});

it("fails if the run can no longer be read, as after a crash", async () => {
  const failing: EventSource = {
    read: () => {
      throw new Error("no log");
    },
    changed: () => Promise.resolve(),
    isOver: false,
  };

  await expect(streamOf(failing).getReader().read()).rejects.toThrow("no log");
});
