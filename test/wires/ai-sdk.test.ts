import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/architectures/events.ts";
import type { AiSdkVersion } from "../../src/wires/wire.ts";
import { framesOf, valuesIn, WHOLE_TURN } from "./events.ts";

const partsOf = (events: readonly AgentEvent[], version: AiSdkVersion = 5) =>
  valuesIn(framesOf({ kind: "ai-sdk", version }, events));

const AI_SDK = { kind: "ai-sdk", version: 5 } as const;

const BEGINNING = [
  { type: "start", messageId: "answer-1" },
  {
    type: "data-run",
    id: "run-1",
    data: { run_id: "run-1", conversation_id: "conversation-1", user_message_id: "message-1" },
  },
];
const server = { providerExecuted: true, dynamic: true };

it("writes a whole turn in the parts of release 5.0.7, with their exact members", () => {
  expect(partsOf(WHOLE_TURN)).toEqual([
    ...BEGINNING,
    { type: "data-status", data: { text: "Loading memory..." }, transient: true },
    { type: "data-compaction", data: { block: "human", version: 2, words_before: 90, words_after: 45 } },
    { type: "start-step" },
    { type: "reasoning-start", id: "4" },
    { type: "reasoning-delta", id: "4", delta: "She is new." },
    { type: "reasoning-end", id: "4" },
    { type: "text-start", id: "5" },
    { type: "text-delta", id: "5", delta: "One " },
    { type: "text-delta", id: "5", delta: "moment." },
    { type: "text-end", id: "5" },
    { type: "tool-input-start", toolCallId: "c1", toolName: "core_memory_append", ...server },
    {
      type: "tool-input-available",
      toolCallId: "c1",
      toolName: "core_memory_append",
      input: { block: "human" },
      ...server,
    },
    { type: "tool-input-start", toolCallId: "c2", toolName: "search", ...server },
    { type: "tool-input-available", toolCallId: "c2", toolName: "search", input: {}, ...server },
    { type: "tool-output-available", toolCallId: "c1", output: "Done", ...server },
    { type: "data-memory", data: { block: "human", version: 3 } },
    { type: "tool-output-available", toolCallId: "c2", output: `${"x".repeat(200)}...`, ...server },
    {
      type: "data-citations",
      data: {
        tool_call_id: "c2",
        citations: [1, 2, 3].map((n) => ({
          n,
          kb_id: "kb",
          page_id: n === 3 ? "b" : "a",
          url: n === 3 ? null : "https://example.com/a",
          title: n === 3 ? null : "Page a",
          heading: null,
          passage_id: `passage-${n}`,
        })),
      },
    },
    { type: "source-url", sourceId: "a", url: "https://example.com/a", title: "Page a" },
    { type: "source-document", sourceId: "b", mediaType: "text/plain", title: "Document" },
    { type: "finish-step" },
    { type: "start-step" },
    { type: "tool-input-start", toolCallId: "c3", toolName: "search", ...server },
    { type: "tool-input-available", toolCallId: "c3", toolName: "search", input: {}, ...server },
    { type: "tool-output-error", toolCallId: "c3", errorText: "Error: no", ...server },
    { type: "finish-step" },
    { type: "start-step" },
    { type: "text-start", id: "14" },
    { type: "text-delta", id: "14", delta: "Hello, " },
    { type: "text-delta", id: "14", delta: "Alice!" },
    {
      type: "data-usage",
      data: { input_tokens: 12, output_tokens: 5, cached_tokens: 8, reasoning_tokens: 2 },
    },
    { type: "text-end", id: "14" },
    { type: "finish-step" },
    { type: "finish" },
    "[DONE]",
  ]);
});

it.each<[string, readonly AgentEvent[], readonly unknown[], readonly unknown[]]>([
  [
    "a cancelled run",
    [
      { type: "text", text: "Once upon" },
      { type: "cancelled", messageId: "answer-1" },
    ],
    [
      { type: "start-step" },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "Once upon" },
      { type: "text-end", id: "1" },
      { type: "finish-step" },
      { type: "abort" },
    ],
    [{ type: "finish" }],
  ],
  [
    "a failed run",
    [{ type: "failed", code: "provider-rate", message: "Please wait.", retryable: true }],
    [
      { type: "data-error", data: { code: "provider-rate", retryable: true }, transient: true },
      { type: "error", errorText: "Please wait." },
    ],
    [{ type: "finish", finishReason: "error" }],
  ],
  [
    "an answer that was cut off",
    [{ type: "completed", content: "Response complete", messageId: "answer-1", isCut: true }],
    [{ type: "data-stop", data: { reason: "length" } }],
    [{ type: "finish", finishReason: "length" }],
  ],
  [
    "the last words of an answer that a crash had kept from its events",
    [
      { type: "text", text: "Hello, " },
      { type: "completed", content: "Response complete", messageId: "answer-1", text: "Hello, Alice!" },
    ],
    [
      { type: "start-step" },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "Hello, " },
      { type: "text-delta", id: "1", delta: "Alice!" },
      { type: "text-end", id: "1" },
      { type: "finish-step" },
    ],
    [{ type: "finish", finishReason: "stop" }],
  ],
])("ends %s with `finish` and `[DONE]`", (_case, events, middle, newerEnd) => {
  expect(partsOf(events)).toEqual([...BEGINNING, ...middle, { type: "finish" }, "[DONE]"]);
  expect(partsOf(events, 6)).toEqual([...BEGINNING, ...middle, ...newerEnd, "[DONE]"]);
  expect(partsOf(events, 7)).toEqual(partsOf(events, 6));
});

const PAUSED = {
  usage: null,
  answeredBy: { provider: "Demo", model: "demo" },
  seenLines: {},
  showsReasoning: false,
};

/** A response that calls a tool of the agent, one that asks first, and two of the client, of which one gets bad arguments. */
const UNTIL_PAUSE: readonly AgentEvent[] = [
  { type: "text", text: "Look." },
  { type: "tool-started", callId: "s1", name: "search", arguments: "{}", input: {} },
  { type: "tool-started", callId: "a1", name: "send", arguments: "{}", input: {}, waitsFor: "approval" },
  { type: "tool-started", callId: "c1", name: "title", arguments: "", input: {}, waitsFor: "result" },
  { type: "tool-started", callId: "c2", name: "scroll", arguments: "[", input: {}, waitsFor: "result" },
  { type: "tool-finished", callId: "s1", name: "search", ok: true, output: "Found" },
  {
    type: "call-waiting",
    callId: "a1",
    name: "send",
    arguments: "{}",
    input: {},
    waitsFor: "approval",
    expiresAt: 1_780_306_200_000,
  },
  ...(["c1", "c2"] as const).map((callId): AgentEvent => ({
    type: "call-waiting",
    callId,
    name: callId === "c1" ? "title" : "scroll",
    arguments: "",
    input: {},
    waitsFor: "result",
    expiresAt: 1_780_306_200_000,
  })),
  { type: "waiting", expiresAt: 1_780_306_200_000, paused: PAUSED },
];

const asks = {
  5: {
    type: "data-approval",
    id: "a1",
    data: {
      tool_call_id: "a1",
      tool_name: "send",
      state: "requested",
      expires_at: "2026-06-01T09:30:00.000000+00:00",
    },
  },
  6: { type: "tool-approval-request", approvalId: "a1", toolCallId: "a1" },
};

it.each([
  [5, asks[5], {}],
  [6, asks[6], { finishReason: "tool-calls" }],
  [7, asks[6], { finishReason: "tool-calls" }],
] as const)(
  "pauses for calls of the client's tools in the parts of release %s",
  (version, approval, finish) => {
    expect(partsOf(UNTIL_PAUSE, version)).toEqual([
      ...BEGINNING,
      { type: "start-step" },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "Look." },
      { type: "text-end", id: "1" },
      { type: "tool-input-start", toolCallId: "s1", toolName: "search", ...server },
      { type: "tool-input-available", toolCallId: "s1", toolName: "search", input: {}, ...server },
      { type: "tool-input-start", toolCallId: "a1", toolName: "send", dynamic: true },
      { type: "tool-input-available", toolCallId: "a1", toolName: "send", input: {}, dynamic: true },
      { type: "tool-input-start", toolCallId: "c1", toolName: "title" },
      { type: "tool-input-available", toolCallId: "c1", toolName: "title", input: {} },
      { type: "tool-input-start", toolCallId: "c2", toolName: "scroll" },
      {
        type: "tool-input-error",
        toolCallId: "c2",
        toolName: "scroll",
        input: "[",
        errorText: "The arguments are not a JSON object.",
      },
      { type: "tool-output-available", toolCallId: "s1", output: "Found", ...server },
      approval,
      { type: "finish-step" },
      { type: "finish", ...finish },
      "[DONE]",
    ]);
  },
);

const AFTER_PAUSE: readonly AgentEvent[] = [
  { type: "call-decided", callId: "a1", name: "send", decision: { kind: "approved" } },
  {
    type: "call-decided",
    callId: "c1",
    name: "title",
    decision: { kind: "answered", output: '{"title":"Tea"}', form: "json" },
  },
  {
    type: "call-decided",
    callId: "c2",
    name: "scroll",
    decision: { kind: "answered", output: "Bad arguments", form: "error" },
  },
  { type: "tool-finished", callId: "a1", name: "send", ok: true, output: "Sent" },
  { type: "tool-finished", callId: "c1", name: "title", ok: true, output: '{"title":"Tea"}' },
  { type: "tool-finished", callId: "c2", name: "scroll", ok: false, output: "Error: Bad arguments" },
  { type: "text", text: "Done." },
  { type: "completed", content: "Response complete", messageId: "answer-1" },
];

it("goes on behind a pause with the results as the client has sent them, in the same message", () => {
  const parts = partsOf(AFTER_PAUSE, 6);

  expect(parts).toEqual([
    ...BEGINNING,
    { type: "tool-output-available", toolCallId: "c1", output: { title: "Tea" } },
    { type: "tool-output-error", toolCallId: "c2", errorText: "Bad arguments" },
    { type: "tool-output-available", toolCallId: "a1", output: "Sent", ...server },
    { type: "start-step" },
    { type: "text-start", id: "7" },
    { type: "text-delta", id: "7", delta: "Done." },
    { type: "text-end", id: "7" },
    { type: "finish-step" },
    { type: "finish", finishReason: "stop" },
    "[DONE]",
  ]);
});

it.each<[string, AgentEvent]>([
  ["completed", { type: "completed", content: "Response complete", messageId: null }],
  ["cancelled", { type: "cancelled", messageId: null }],
  ["failed", { type: "failed", code: "provider-rate", message: "Please wait.", retryable: true }],
])("begins another step behind results if a run is %s without a word, in every stream", (_case, end) => {
  const decided = AFTER_PAUSE.filter(({ type }) => type === "call-decided" || type === "tool-finished");
  const typesIn = (events: readonly AgentEvent[]) =>
    partsOf(events).flatMap((part) => (typeof part === "object" ? [(part as { type: string }).type] : []));
  const isStep = (type: string) => type.endsWith("-step");

  expect(typesIn([...decided, end]).filter(isStep)).toEqual(["start-step", "finish-step"]);
  expect(typesIn([...UNTIL_PAUSE.slice(0, -1), ...decided, end]).filter(isStep)).toEqual([
    "start-step",
    "finish-step",
    "start-step",
    "finish-step",
  ]);
});

it("shows a call of the client's tools that was given up as one that has failed", () => {
  const given = {
    type: "tool-finished",
    callId: "c1",
    name: "title",
    ok: false,
    output: "Error: Not run.",
  } as const;

  expect(partsOf([...UNTIL_PAUSE.slice(0, -1), given])).toContainEqual({
    type: "tool-output-error",
    toolCallId: "c1",
    errorText: "Error: Not run.",
  });
});

it("begins the message with whatever comes first, and once", () => {
  for (const event of WHOLE_TURN) {
    const parts = partsOf([event, ...WHOLE_TURN]);
    expect(parts.slice(0, 2)).toEqual(BEGINNING);
    expect(JSON.stringify(parts).match(/"type":"start"/gu)).toHaveLength(1);
  }
});

it.each([AI_SDK, { kind: "chat-completions", model: "Ada", includesUsage: true } as const])(
  "writes the same beginning to a client that resumes, after any number of events: $kind",
  (wire) => {
    const whole = framesOf(wire, WHOLE_TURN);
    for (let length = 0; length <= WHOLE_TURN.length; length++)
      expect(whole.startsWith(framesOf(wire, WHOLE_TURN.slice(0, length)))).toBe(true);
  },
);

it("opens each block before its pieces and closes all before the end, wherever a run ends", () => {
  for (let length = 0; length <= WHOLE_TURN.length; length++) {
    const cut = WHOLE_TURN.slice(0, length).filter(({ type }) => type !== "completed");
    const open = new Set<string>();
    let steps = 0;
    for (const part of partsOf([...cut, { type: "cancelled", messageId: null }])) {
      const { type, id = "" } = part as { type?: string; id?: string };
      if (/^(?:text|reasoning)-start$/u.test(type ?? "")) open.add(id);
      if (/^(?:text|reasoning)-delta$/u.test(type ?? "")) expect([...open]).toEqual([id]);
      if (/^(?:text|reasoning)-end$/u.test(type ?? "")) expect(open.delete(id)).toBe(true);
      if (type === "start-step") steps++;
      if (type === "finish-step") steps--;
      expect([0, 1]).toContain(steps);
      if (type === "finish") expect([open.size, steps]).toEqual([0, 0]);
    }
  }
});
