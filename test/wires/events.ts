import type { AgentEvent } from "../../src/architectures/events.ts";
import { conversationIdOf, knowledgeBaseIdOf, pageIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { frameWriterOf } from "../../src/wires/frame-writers.ts";
import type { Wire } from "../../src/wires/wire.ts";

/** The run of these tests. */
export const RUN = {
  runId: runIdOf("run-1"),
  conversationId: conversationIdOf("conversation-1"),
  userMessageId: "message-1",
  answerId: "answer-1",
  startedAt: 1_780_306_200_500,
};

const citation = (n: number, page: string, url: string | null) => ({
  n,
  kbId: knowledgeBaseIdOf("kb"),
  pageId: pageIdOf(page),
  url,
  title: url === null ? null : `Page ${page}`,
  heading: null,
  passageId: `passage-${n}`,
});

/** A turn with everything that can happen in one. */
export const WHOLE_TURN: readonly AgentEvent[] = [
  { type: "status", text: "Loading memory..." },
  { type: "message-saved", messageId: "message-1" },
  { type: "block-compacted", compaction: { block: "human", version: 2, wordsBefore: 90, wordsAfter: 45 } },
  { type: "reasoning", text: "She is new." },
  { type: "text", text: "One " },
  { type: "text", text: "moment." },
  {
    type: "tool-started",
    callId: "c1",
    name: "core_memory_append",
    arguments: '{"block":"human"}',
    input: { block: "human" },
    step: 0,
  },
  { type: "tool-started", callId: "c2", name: "search", arguments: "{}", input: {}, step: 0 },
  { type: "tool-finished", callId: "c1", name: "core_memory_append", ok: true, output: "Done" },
  { type: "memory-updated", update: { block: "human", version: 3 } },
  {
    type: "tool-finished",
    callId: "c2",
    name: "search",
    ok: true,
    output: "x".repeat(300),
    citations: [
      citation(1, "a", "https://example.com/a"),
      citation(2, "a", "https://example.com/a"),
      citation(3, "b", null),
    ],
  },
  { type: "tool-started", callId: "c3", name: "search", arguments: "{", input: {}, step: 1 },
  { type: "tool-finished", callId: "c3", name: "search", ok: false, output: "Error: no" },
  { type: "text", text: "Hello, " },
  { type: "text", text: "Alice!" },
  { type: "usage", usage: { inputTokens: 12, outputTokens: 5, cachedTokens: 8, reasoningTokens: 2 } },
  { type: "completed", content: "Response complete", messageId: "answer-1" },
];

/** Returns the frames of a run's events on a wire. */
export function framesOf(wire: Wire, events: readonly AgentEvent[]): string {
  const write = frameWriterOf(wire, RUN);
  return events.map((event, index) => write(event, index + 1, () => textOf(events.slice(0, index)))).join("");
}

const textOf = (events: readonly AgentEvent[]): string =>
  events.map((event) => (event.type === "text" ? event.text : "")).join("");

/** Returns the values of a stream's frames; `[DONE]` as text. Throws for anything that is no `data:` line. */
export const valuesIn = (frames: string): unknown[] =>
  frames
    .split("\n\n")
    .filter((frame) => frame !== "" && !frame.startsWith(":"))
    .map((frame) => {
      if (!frame.startsWith("data: ") || frame.includes("\n")) throw new Error(`Not one data line: ${frame}`);
      const text = frame.slice("data: ".length);
      return text === "[DONE]" ? text : (JSON.parse(text) as unknown);
    });
