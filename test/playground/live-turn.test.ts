import { describe, expect, it } from "vitest";
import { beginTurn, type LiveTurn, textOf, withEvent } from "../../playground/src/chat/live-turn.ts";
import { messagesBeside } from "../../playground/src/chat/thread.ts";
import type { Message, RunEvent } from "../../playground/src/types.ts";

const CITATION = {
  n: 1,
  kb_id: "kb",
  page_id: "p",
  url: null,
  title: "Prices",
  heading: null,
  passage_id: "x",
};

/** An event with the members that all have. */
const event = (seq: number, members: object): RunEvent =>
  ({
    content: null,
    message_id: null,
    tool_name: null,
    tool_args: null,
    success: null,
    run_id: "run",
    seq,
    ...members,
  }) as never;

const after = (turn: LiveTurn, ...events: readonly object[]): LiveTurn =>
  events.reduce<LiveTurn>(
    (before, members, index) => withEvent(before, event(before.seq + index + 1, members)),
    turn,
  );

const text = (content: string) => ({ event_type: "AGENT_RESPONSE_TO_USER", content });
const call = (id: string) => ({
  event_type: "TOOL_CALL_START",
  content: "Calling core_memory_append...",
  tool_name: "core_memory_append",
  tool_args: { block: "human" },
  tool_call_id: id,
});
const result = (id: string, success: boolean, more: object = {}) => ({
  event_type: "TOOL_CALL_RESULT",
  content: "Added.",
  tool_name: "core_memory_append",
  success,
  tool_call_id: id,
  ...more,
});
const question = { content: "Hello", attachments: [] };

describe("a turn", () => {
  it("collects text, tools and changes of memory in their order", () => {
    const turn = after(
      beginTurn(question),
      { event_type: "LIFECYCLE_NOTIFICATION", content: "Loading memory..." },
      text("One "),
      text("moment."),
      call("a"),
      call("b"),
      result("b", false),
      { event_type: "MEMORY_UPDATED", content: "Memory block [human] updated", block: "human", version: 2 },
      result("a", true, { citations: [CITATION] }),
      text("Done [1]."),
    );

    expect(turn.parts).toEqual([
      { type: "text", text: "One moment." },
      expect.objectContaining({ type: "tool", id: "a", result: "Added.", success: true }),
      expect.objectContaining({ type: "tool", id: "b", success: false }),
      { type: "memory", block: "human", text: "Memory block [human] updated" },
      { type: "text", text: "Done [1]." },
    ]);
    expect(turn.citations).toEqual([CITATION]);
    expect(turn.status).toBe("Loading memory...");
    expect(textOf(turn)).toBe("One moment.Done [1].");
    expect([turn.runId, turn.end]).toEqual(["run", undefined]);
  });

  it("reports a compaction once", () => {
    const turn = after(
      beginTurn(question),
      {
        event_type: "CONTEXT_COMPACTED",
        content: "Auto-compacted [human] from 80 to 40 words. Original content archived.",
        block: "human",
      },
      { event_type: "MEMORY_UPDATED", content: "Memory block [human] updated", block: "human", version: 3 },
    );

    expect(turn.parts).toHaveLength(1);
  });

  it.each([
    [
      { event_type: "STREAM_COMPLETE", content: "Response complete" },
      { kind: "complete", isCutOff: false },
    ],
    [
      { event_type: "STREAM_COMPLETE", content: "Response complete", stop_reason: "length" },
      { kind: "complete", isCutOff: true },
    ],
    [{ event_type: "STREAM_COMPLETE", content: "Cancelled" }, { kind: "cancelled" }],
    [
      {
        event_type: "ERROR",
        content: "The provider refused the key.",
        code: "provider-auth",
        retryable: false,
      },
      { kind: "error", sentence: "The provider refused the key.", isRetryable: false },
    ],
  ])("ends with %j", (last, end) => {
    expect(after(beginTurn(question), text("a"), last).end).toEqual(end);
  });

  it("ignores events that it does not know", () => {
    const turn = after(beginTurn(question), text("a"), { event_type: "SOMETHING_NEW", content: "b" });

    expect(turn.parts).toEqual([{ type: "text", text: "a" }]);
  });
});

describe("the messages beside a turn", () => {
  const message = (id: string, role: string, runId: string | null) =>
    ({ message_id: id, role, run_id: runId }) as Message;
  const messages = [
    message("1", "user", "before"),
    message("2", "assistant", "before"),
    message("3", "user", "run"),
    message("4", "assistant", "run"),
  ];
  const ids = (live: LiveTurn | undefined) => messagesBeside(messages, live).map(({ message_id: id }) => id);

  it("are all of them while there is none", () => {
    expect(ids(undefined)).toEqual(["1", "2", "3", "4"]);
    expect(ids(beginTurn(question))).toEqual(["1", "2", "3", "4"]);
  });

  it("leave out what the turn itself shows", () => {
    expect(ids(after(beginTurn(question), text("a")))).toEqual(["1", "2"]);
  });

  it("leave out the answer that is being written again, and have it again if the turn is not completed", () => {
    const begun = beginTurn(undefined, "2");
    const shown = (turn: LiveTurn) =>
      messagesBeside(messages.slice(0, 2), turn).map(({ message_id: id }) => id);
    const end = { event_type: "STREAM_COMPLETE", content: "Response complete" } as const;

    expect(shown(begun)).toEqual(["1"]);
    expect(shown(after(begun, text("a"), end))).toEqual(["1"]);
    expect(shown(after(begun, text("a"), { ...end, content: "Cancelled" }))).toEqual(["1", "2"]);
  });

  it("include its question after a reload, because only the stored one is known", () => {
    expect(ids(after(beginTurn(undefined), text("a")))).toEqual(["1", "2", "3"]);
  });
});

it("shows which call waits, and goes on when it is decided", () => {
  const asking = after(
    beginTurn(undefined),
    call("c1"),
    { event_type: "APPROVAL_REQUESTED", tool_name: "core_memory_append", tool_args: {}, tool_call_id: "c1" },
    { event_type: "RUN_WAITING", content: "Waiting for a decision" },
  );
  const decided = after(asking, {
    event_type: "APPROVAL_DECIDED",
    tool_name: "core_memory_append",
    success: true,
    tool_call_id: "c1",
  });

  expect(asking.end).toEqual({ kind: "waiting" });
  expect(asking.parts).toMatchObject([{ id: "c1", approval: "requested" }]);
  expect(decided.end).toBeUndefined();
  expect(decided.parts).toMatchObject([{ id: "c1", approval: "approved" }]);
});
