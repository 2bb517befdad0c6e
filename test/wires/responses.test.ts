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

it.each([ids, { ...ids, endUser: { agentId: agentIdOf("agent-1"), id: "a.b@c:d_e-f" } }])(
  "finds a run by the id of its response",
  (ref) => {
    expect(responseRefIn(responseIdOf(ref))).toEqual(ref);
  },
);

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
