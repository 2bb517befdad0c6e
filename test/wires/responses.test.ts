import type OpenAI from "openai";
import { expect, expectTypeOf, it } from "vitest";
import type { AgentEvent } from "../../src/architectures/events.ts";
import { toBase64Url, utf8 } from "../../src/shared/crypto.ts";
import { agentIdOf, conversationIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { frameWriterOf } from "../../src/wires/frame-writers.ts";
import { responseIdOf, responseRefIn } from "../../src/wires/response-id.ts";
import type { toResponse } from "../../src/wires/responses.ts";
import { framesOf, RUN, WHOLE_TURN } from "./events.ts";

const request = {
  model: "Ada",
  instructions: "Be brief.",
  previousResponseId: null,
  metadata: { ticket: "4711" },
  format: { type: "text" },
  isBackground: false,
  isStored: true,
  user: "bob",
  safetyIdentifier: null,
  isEndUsers: false,
};
const wire = { kind: "responses", request, endUser: null, startingAfter: -1 } as const;

/** The events in frames, whose names must be their types. */
const eventsIn = (frames: string) =>
  frames
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => {
      const [, name, data = ""] = /^event: (.*)\ndata: (.*)$/u.exec(frame) ?? [];
      const event = JSON.parse(data) as { type: string; sequence_number: number } & Record<string, unknown>;
      expect(event.type).toBe(name);
      return event;
    });

const eventsOf = (events: readonly AgentEvent[]) => eventsIn(framesOf(wire, events));

const response = (more: object) => ({
  id: responseIdOf(RUN),
  object: "response",
  created_at: 1_780_306_200,
  status: "in_progress",
  background: false,
  error: null,
  incomplete_details: null,
  instructions: "Be brief.",
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: { ticket: "4711" },
  model: "Ada",
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  conversation: { id: "conversation-1" },
  reasoning: null,
  store: true,
  temperature: null,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: null,
  truncation: "disabled",
  usage: null,
  user: "bob",
  ...more,
});
const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });
const message = (status: string, ...content: object[]) => ({
  id: "msg_answer-1",
  type: "message",
  role: "assistant",
  status,
  content,
});
const at = { output_index: 0, item_id: "msg_answer-1", content_index: 0 };
const numbered = (events: readonly object[]) =>
  events.map((event, index) => ({ ...event, sequence_number: index }));

const delta = (text: string) => ({ type: "response.output_text.delta", ...at, delta: text, logprobs: [] });
const BEGINNING = [
  { type: "response.created", response: response({}) },
  { type: "response.in_progress", response: response({}) },
];
const OPENING = [
  { type: "response.output_item.added", output_index: 0, item: message("in_progress") },
  { type: "response.content_part.added", ...at, part: part("") },
];
const closing = (text: string, status: string) => [
  { type: "response.output_text.done", ...at, text, logprobs: [] },
  { type: "response.content_part.done", ...at, part: part(text) },
  { type: "response.output_item.done", output_index: 0, item: message(status, part(text)) },
];

it("writes the text of a turn, and nothing of its tools, its memory and its reasoning", () => {
  const text = "One moment.Hello, Alice!";

  expect(eventsOf(WHOLE_TURN)).toEqual(
    numbered([
      ...BEGINNING,
      ...OPENING,
      delta("One "),
      delta("moment."),
      delta("Hello, "),
      delta("Alice!"),
      ...closing(text, "completed"),
      {
        type: "response.completed",
        response: response({
          status: "completed",
          output: [message("completed", part(text))],
          usage: {
            input_tokens: 12,
            input_tokens_details: { cached_tokens: 8 },
            output_tokens: 5,
            output_tokens_details: { reasoning_tokens: 2 },
            total_tokens: 17,
          },
        }),
      },
    ]),
  );
});

const completed = { type: "completed", content: "Response complete", messageId: "a" } as const;
const said = (text: string, more: object) =>
  response({ output: [message("incomplete", part(text))], ...more });

it.each<[string, AgentEvent, readonly object[]]>([
  [
    "a cancelled run, for which OpenAI has no event",
    { type: "cancelled", messageId: "a" },
    [
      ...closing("Hello, ", "incomplete"),
      { type: "response.incomplete", response: said("Hello, ", { status: "cancelled" }) },
    ],
  ],
  [
    "an answer that was cut off",
    { ...completed, isCut: true },
    [
      ...closing("Hello, ", "incomplete"),
      {
        type: "response.incomplete",
        response: said("Hello, ", {
          status: "incomplete",
          incomplete_details: { reason: "max_output_tokens" },
        }),
      },
    ],
  ],
  [
    "the last words of an answer that a crash had kept from its events",
    { ...completed, text: "Hello, Alice!" },
    [
      delta("Alice!"),
      ...closing("Hello, Alice!", "completed"),
      {
        type: "response.completed",
        response: response({ status: "completed", output: [message("completed", part("Hello, Alice!"))] }),
      },
    ],
  ],
  [
    "a failed run, by the response and then an error",
    { type: "failed", code: "provider-rate", message: "Please wait.", retryable: true },
    [
      ...closing("Hello, ", "incomplete"),
      {
        type: "response.failed",
        response: said("Hello, ", {
          status: "failed",
          error: { code: "rate_limit_exceeded", message: "Please wait.", type: "provider-rate" },
        }),
      },
      { type: "error", code: "provider-rate", message: "Please wait.", param: null },
    ],
  ],
])("ends %s", (_case, event, end) => {
  expect(eventsOf([{ type: "text", text: "Hello, " }, event])).toEqual(
    numbered([...BEGINNING, ...OPENING, delta("Hello, "), ...end]),
  );
});

it.each<[AgentEvent, string, string]>([
  [{ ...completed, content: "Response complete (tools only)", messageId: null }, "completed", "completed"],
  [{ type: "cancelled", messageId: null }, "incomplete", "cancelled"],
])("has no output if the run ends without text", (event, type, status) => {
  expect(eventsOf([event])).toEqual(
    numbered([...BEGINNING, { type: `response.${type}`, response: response({ status }) }]),
  );
});

const asks = (callId: string, waitsFor: "approval" | "result"): AgentEvent => ({
  type: "call-waiting",
  callId,
  name: "look_up",
  arguments: '{"a":1}',
  input: { a: 1 },
  waitsFor,
  expiresAt: 1,
});
const paused = {
  usage: { inputTokens: 3, outputTokens: 2, cachedTokens: 0 },
  answeredBy: { provider: "p", model: "m" },
  seenLines: {},
  showsReasoning: false,
};
const waiting: AgentEvent = { type: "waiting", expiresAt: 1, paused };
const callOf = (id: string, status: string, text: string) => ({
  id: `fc_${id}`,
  type: "function_call",
  call_id: id,
  name: "look_up",
  arguments: text,
  status,
});
const callEvents = (id: string, output_index: number) => [
  { type: "response.output_item.added", output_index, item: callOf(id, "in_progress", "") },
  {
    type: "response.function_call_arguments.delta",
    item_id: `fc_${id}`,
    output_index,
    delta: '{"a":1}',
  },
  {
    type: "response.function_call_arguments.done",
    item_id: `fc_${id}`,
    output_index,
    arguments: '{"a":1}',
  },
  { type: "response.output_item.done", output_index, item: callOf(id, "completed", '{"a":1}') },
];

it.each<[string, AgentEvent, object]>([
  ["waits for them", waiting, { input_tokens: 3, output_tokens: 2, total_tokens: 5 }],
  ["ends with them", completed, {}],
])("completes with the calls that are left to the client, if the run %s", (_case, last, usage) => {
  const events = eventsOf([
    { type: "text", text: "Hello, " },
    asks("c1", "result"),
    asks("a1", "approval"),
    asks("c2", "result"),
    last,
  ]);

  const output = [
    message("completed", part("Hello, ")),
    callOf("c1", "completed", '{"a":1}'),
    callOf("c2", "completed", '{"a":1}'),
  ];
  expect(events).toMatchObject(
    numbered([
      ...BEGINNING,
      ...OPENING,
      delta("Hello, "),
      ...closing("Hello, ", "completed"),
      ...callEvents("c1", 1),
      ...callEvents("c2", 2),
      { type: "response.completed", response: { status: "completed", output } },
    ]),
  );
  expect(events.at(-1)?.["response"]).toMatchObject(last === waiting ? { usage } : { usage: null });
});

it("ends without an event if the run waits for an approval alone", () => {
  expect(eventsOf([asks("a1", "approval"), waiting]).map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
  ]);
});

it("has no calls if the run is cancelled before it waits", () => {
  expect(eventsOf([asks("c1", "result"), { type: "cancelled", messageId: null }]).at(-1)).toMatchObject({
    type: "response.incomplete",
    response: { status: "cancelled", output: [] },
  });
});

it("writes a later part of a run as a response of its own", () => {
  const beginning = { part: 1, seq: 7, chars: 7, usage: paused.usage };
  const write = frameWriterOf(wire, { ...RUN, beginning });
  const usage = { inputTokens: 10, outputTokens: 6, cachedTokens: 1 };

  const events = eventsIn(
    write({ type: "text", text: "Alice!" }, 8, () => "Hello, ") +
      write({ type: "usage", usage }, 9, () => "Hello, Alice!") +
      write({ ...completed, text: "Hello, Alice!" }, 10, () => "Hello, Alice!"),
  );

  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
  expect(events.at(-1)).toMatchObject({
    type: "response.completed",
    response: {
      id: responseIdOf({ ...RUN, part: 1 }),
      output: [{ id: "msg_answer-1_1", content: [{ text: "Alice!" }] }],
      usage: { input_tokens: 7, output_tokens: 4, input_tokens_details: { cached_tokens: 1 } },
    },
  });
});

it("resumes after every number with the same frames as the first stream", () => {
  const all = framesOf(wire, WHOLE_TURN);
  const frames = all.split("\n\n").slice(0, -1);

  for (const startingAfter of frames.keys())
    expect(framesOf({ ...wire, startingAfter }, WHOLE_TURN)).toBe(
      frames
        .slice(startingAfter + 1)
        .map((frame) => `${frame}\n\n`)
        .join(""),
    );
});

it("uses no number a second time if a crash has taken events that had been sent", () => {
  const text = (words: string): AgentEvent => ({ type: "text", text: words });
  const before = eventsOf([text("a "), text("b "), text("c ")]);
  const write = frameWriterOf(wire, RUN);
  const after = eventsIn(
    write(text("a "), 1, () => "") +
      write(
        { type: "failed", code: "unavailable", message: "Interrupted.", retryable: true },
        257,
        () => "a ",
      ),
  );

  const last = before.at(-1)?.sequence_number ?? 0;
  const [kept, added] = [after.slice(0, 5), after.slice(5)];
  expect(kept).toEqual(before.slice(0, 5));
  expect(added.map(({ type }) => type).slice(-2)).toEqual(["response.failed", "error"]);
  expect(Math.min(...added.map(({ sequence_number: number }) => number))).toBeGreaterThan(last);
});

it("names no conversation that is kept for a day only", () => {
  const write = frameWriterOf(wire, { ...RUN, conversationId: conversationIdOf("zz-conversation-1") });

  const [created] = eventsIn(write({ type: "status", text: "" }, 1, () => ""));

  expect(created).toMatchObject({ response: { conversation: null } });
});

const ids = { runId: runIdOf("run-1"), conversationId: conversationIdOf("zz-c_1") };

it.each([
  ids,
  { ...ids, endUser: { agentId: agentIdOf("agent-1"), id: "a.b@c:d_e-f" } },
  { ...ids, part: 1 },
  { ...ids, endUser: { agentId: agentIdOf("agent-1"), id: "a" }, part: 99 },
])("finds a run by the id of its response", (ref) => {
  expect(responseRefIn(responseIdOf(ref))).toEqual(ref);
});

const encoded = (value: unknown) => `resp_${toBase64Url(utf8(JSON.stringify(value)))}`;

it.each([
  "",
  "resp_",
  "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b",
  responseIdOf(ids).slice(1),
  `${responseIdOf(ids)}=`,
  encoded("run-1"),
  encoded([]),
  encoded(["run-1"]),
  encoded(["run-1", 1]),
  encoded(["run-1", "c-1", 0]),
  encoded(["run-1", "c-1", -1]),
  encoded(["run-1", "c-1", 1.5]),
  encoded(["run-1", "c-1", 100]),
  encoded(["run-1", "c-1", 1, 1]),
  encoded(["run-1", "c 1"]),
  encoded(["run#1", "c-1"]),
  encoded(["run-1", "c-1", "agent-1"]),
  encoded(["run-1", "c-1", "agent-1", "bob", "more"]),
  `resp_${toBase64Url(utf8('["run-1", "c-1"]'))}`,
  encoded(["run-1", "c-1", "agent-1", ""]),
  encoded(["run-1", "c-1", "agent#1", "bob"]),
  encoded(["run-1", "c-1", "agent-1", "b#b"]),
  encoded(["run-1", "c-1", "agent-1", "b".repeat(600)]),
])("finds nothing by another id: %s", (id) => {
  expect(responseRefIn(id)).toBeUndefined();
});

it("has the form of the type that OpenAI's client declares", () => {
  type Response = OpenAI.Responses.Response;
  type Theirs = Omit<Response, "output_text" | "access_programs" | "text" | "usage">;
  type Ours = ReturnType<typeof toResponse>;

  expectTypeOf((response: Omit<Ours, "text" | "usage">): Theirs => response).returns.toEqualTypeOf<Theirs>();
  // Null before its end, as OpenAI's own responses have it. Providers do not report how many tokens their caches have stored.
  type Usage = NonNullable<Response["usage"]>;
  expectTypeOf<Omit<NonNullable<Ours["usage"]>, "input_tokens_details">>().toExtend<
    Omit<Usage, "input_tokens_details">
  >();
});
