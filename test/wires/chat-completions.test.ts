import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/architectures/events.ts";
import { framesOf, valuesIn, WHOLE_TURN } from "./events.ts";

const chunksOf = (events: readonly AgentEvent[], includesUsage = false) =>
  valuesIn(framesOf({ kind: "chat-completions", model: "Ada", includesUsage }, events));

const about = { id: "chatcmpl-run-1", object: "chat.completion.chunk", created: 1_780_306_200, model: "Ada" };
const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  ...about,
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  ...more,
});
const FIRST = chunk({ role: "assistant", content: "" });

it("writes the text of a turn, and nothing of its tools, its memory and its reasoning", () => {
  expect(chunksOf(WHOLE_TURN)).toEqual([
    FIRST,
    chunk({ content: "One " }),
    chunk({ content: "moment." }),
    chunk({ content: "Hello, " }),
    chunk({ content: "Alice!" }),
    chunk({}, "stop"),
    "[DONE]",
  ]);
});

it("sends the tokens in a last chunk without choices, and null before, if they are asked for", () => {
  const chunks = chunksOf(WHOLE_TURN, true);

  expect(chunks.slice(-3)).toEqual([
    chunk({}, "stop", { usage: null }),
    {
      ...about,
      choices: [],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 5,
        total_tokens: 17,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    "[DONE]",
  ]);
  expect(chunks.slice(0, -2).every((one) => JSON.stringify(one).includes('"usage":null'))).toBe(true);
});

it.each<[string, AgentEvent, readonly unknown[]]>([
  ["a cancelled run", { type: "cancelled", messageId: null }, [chunk({}, "stop"), "[DONE]"]],
  [
    "an answer that was cut off",
    { type: "completed", content: "Response complete", messageId: "a", isCut: true },
    [chunk({}, "length"), "[DONE]"],
  ],
  [
    "the last words of an answer that a crash had kept from its events",
    { type: "completed", content: "Response complete", messageId: "a", text: "Hello, Alice!" },
    [chunk({ content: "Alice!" }), chunk({}, "stop"), "[DONE]"],
  ],
  [
    "a failed run, by an error",
    { type: "failed", code: "provider-rate", message: "Please wait.", retryable: true },
    [{ error: { message: "Please wait.", type: "server_error", param: null, code: "provider-rate" } }],
  ],
])("ends %s", (_case, event, end) => {
  expect(chunksOf([{ type: "text", text: "Hello, " }, event])).toEqual([
    FIRST,
    chunk({ content: "Hello, " }),
    ...end,
  ]);
});

const waits = (callId: string, waitsFor: "approval" | "result"): AgentEvent => ({
  type: "call-waiting",
  callId,
  name: "look_up",
  arguments: "{}",
  input: {},
  waitsFor,
  expiresAt: 1,
});
const paused = {
  usage: null,
  answeredBy: { provider: "p", model: "m" },
  seenLines: {},
  showsReasoning: false,
};
const waiting: AgentEvent = { type: "waiting", expiresAt: 1, paused };

it("ends with the calls that are left to the client", () => {
  expect(chunksOf([waits("c1", "result"), waits("c2", "approval"), waiting])).toEqual([
    FIRST,
    chunk({
      tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "look_up", arguments: "{}" } }],
    }),
    chunk({}, "tool_calls"),
    "[DONE]",
  ]);
});

it("says in words that a call waits for an approval", () => {
  expect(chunksOf([waits("c1", "approval"), waiting])).toEqual([
    FIRST,
    chunk({ content: "(Waiting for an approval: look_up.)" }),
    chunk({}, "stop"),
    "[DONE]",
  ]);
});
