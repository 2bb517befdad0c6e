import { describe, expect, test } from "vitest";
import type { ConversationContext } from "../../client/src/index.ts";
import { contextSegments, leftOutSentences } from "../../playground/src/panels/context-sections.ts";

const CONTEXT: ConversationContext = {
  conversation_id: "c",
  agent_id: "a",
  architecture: "krishna-memgpt",
  model: { id: "demo", window_tokens: 32_000 },
  estimate: "Estimated.",
  sections: [
    { name: "identity", text: "You are an agent.", tokens: 40 },
    { name: "core_memory", text: "[human]", tokens: 20 },
    { name: "house_rules", text: "Be kind.", tokens: 10 },
  ],
  tools: [{ name: "core_memory_append", tokens: 80 }],
  history: {
    stored: [
      { message_id: "m1", role: "user", created_at: "2026-06-01T09:30:00.000Z", tokens: 5, shortened: false },
    ],
    sent: [
      { role: "user", content: "Hi", tool_calls: [], tool_call_id: null, tokens: 5 },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "1", name: "core_memory_append", arguments: "{}" }],
        tool_call_id: null,
        tokens: 15,
      },
    ],
    tokens: 20,
    max_tokens: 24_000,
  },
  volatile: { name: "context", text: "Monday", tokens: 30 },
  left_out: {
    session_timed_out: false,
    messages: 0,
    has_older_messages: false,
    messages_summarized: 0,
    memory_blocks: [],
  },
  totals: { system_tokens: 70, tool_tokens: 80, history_tokens: 20, tokens: 200 },
};

describe("contextSegments", () => {
  test("shows sections, tools, messages and the clock in the order in which the model reads them", () => {
    const segments = contextSegments(CONTEXT);
    expect(segments.map(({ label }) => label)).toEqual([
      "Instructions",
      "Core memory",
      "House rules",
      "Tools",
      "Messages",
      "Clock",
    ]);
    expect(segments.map(({ tokens }) => tokens)).toEqual([40, 20, 10, 80, 20, 30]);
  });

  test("shares add up to the whole", () => {
    const sum = contextSegments(CONTEXT).reduce((total, { share }) => total + share, 0);
    expect(sum).toBeCloseTo(1);
  });

  test("leaves out what has no tokens", () => {
    const empty = { ...CONTEXT, tools: [], totals: { ...CONTEXT.totals, tool_tokens: 0 } };
    expect(contextSegments(empty).map(({ label }) => label)).not.toContain("Tools");
  });

  test("shows tool calls of a message with their arguments", () => {
    const messages = contextSegments(CONTEXT).find(({ id }) => id === "history");
    expect(messages?.entries).toEqual([
      { title: "User", text: "Hi", tokens: 5 },
      { title: "Agent", text: "core_memory_append {}", tokens: 15 },
    ]);
  });
});

describe("leftOutSentences", () => {
  const leftOut = (changes: Partial<ConversationContext["left_out"]>) =>
    leftOutSentences({ ...CONTEXT, left_out: { ...CONTEXT.left_out, ...changes } });

  test("says nothing if the model reads everything", () => {
    expect(leftOutSentences(CONTEXT)).toEqual([]);
  });

  test("says what does not fit, and how many", () => {
    expect(leftOut({ messages: 1 })).toEqual(["1 message does not fit."]);
    expect(leftOut({ messages: 12, messages_summarized: 12 })).toEqual([
      "12 messages do not fit.",
      "12 older messages are read as a summary.",
    ]);
    expect(leftOut({ memory_blocks: ["jobs"] })).toEqual([
      "Too long to be included: jobs. The agent reads this block with a tool.",
    ]);
  });

  test("says that a session has timed out and that older messages exist", () => {
    expect(leftOut({ session_timed_out: true })[0]).toContain("new session");
    expect(leftOut({ has_older_messages: true })[0]).toMatch(/^Messages before .* are not read\.$/u);
  });

  test("counts the messages that are shortened", () => {
    const stored = CONTEXT.history.stored.map((message) => ({ ...message, shortened: true }));
    expect(leftOutSentences({ ...CONTEXT, history: { ...CONTEXT.history, stored } })).toEqual([
      "1 long message is shortened.",
    ]);
  });
});
