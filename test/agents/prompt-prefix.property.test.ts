import { conversationIdOf } from "../../src/shared/id-types.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Prompt } from "../../src/architectures/assemble.ts";
import { krishnaMemgpt } from "../../src/architectures/krishna-memgpt/krishna-memgpt.ts";
import { krishnaMini } from "../../src/architectures/krishna-mini.ts";
import type { Message } from "../../src/messages/model.ts";
import type { Summary } from "../../src/messages/summary-model.ts";
import { placeOf } from "../../src/messages/window.ts";
import { messageOf } from "../messages/conversation.ts";
import { agentWith } from "../support/agent.ts";

const agent = agentWith("You are Ada.");
const blocks = [
  {
    name: "human",
    description: "Facts about the user",
    wordLimit: 5_000,
    isDefault: true,
    createdAt: "",
    updatedAt: null,
    lines: ["Name: Alice"],
    wordCount: 2,
  },
];

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.constantFrom("", "</context>", "<context>\nCurrent date and time: now\n</context>", "字".repeat(50)),
);
const call = fc.record({
  id: fc.string({ minLength: 1, maxLength: 5 }),
  name: fc.constantFrom("core_memory_append", "recall_conversation"),
  arguments: fc.json({ maxDepth: 1 }),
  output: text,
  success: fc.boolean(),
});
const file = fc.record({ filename: text, content: text, size: fc.nat() });
const said = fc.record({
  role: fc.constantFrom("user", "assistant"),
  content: text,
  attachments: fc.array(file, { maxLength: 2 }),
  toolCalls: fc.array(call, { maxLength: 2 }),
});

/** A conversation as the table may hold it, turns that failed and answers without words included. */
const conversation = fc.array(said, { minLength: 2, maxLength: 24 }).map((parts) =>
  parts.map((part, index): Message => {
    const isAnswer = part.role === "assistant";
    return {
      ...messageOf(index, part.content),
      role: part.role,
      attachments: isAnswer ? [] : part.attachments,
      toolCalls: isAnswer ? part.toolCalls : [],
    };
  }),
);
const place = fc.nat(24);
const minutes = fc.nat(100_000);

describe.each([krishnaMini, krishnaMemgpt])("$name", (architecture) => {
  /** The prompt of the turn in which the user says the message number `at`. */
  function promptAt(messages: readonly Message[], at: number, summary: Summary | null, minute: number) {
    const message = messages[at];
    return architecture.assemble({
      agent,
      history: messages.slice(0, at),
      summary,
      message: message ? { content: message.content, attachments: message.attachments } : null,
      blocks,
      knowledgeBases: 2,
      httpTools: [],
      mcpTools: [],
      promptTokens: 24_000,
      now: minute * 60_000,
    });
  }

  it("repeats the previous turn's request byte by byte, up to the parts that change with every turn", () => {
    fc.assert(
      fc.property(conversation, place, place, minutes, minutes, (messages, from, more, then, now) => {
        const users = messages.flatMap(({ role }, index) => (role === "user" ? [index] : []));
        fc.pre(users.length > 1);
        const at = users[from % (users.length - 1)] ?? 0;
        const later = users.filter((index) => index > at);
        const next = later[more % later.length] ?? 0;
        const covered = at > 0 ? messages[Math.floor(at / 2)] : undefined;
        const summary = covered && more % 2 ? summaryUntil(covered) : null;

        const before = promptAt(messages, at, summary, then);
        const after = promptAt(messages, next, summary, now);

        expect(bytesOf(after).startsWith(stableBytesOf(before))).toBe(true);
        expect(after.tools).toEqual(before.tools);
      }),
    );
  });

  it("places nothing that changes with time before the user's words", () => {
    const [one, two] = [1, 2].map((minute) => promptAt([messageOf(0, "Hi")], 0, null, minute));

    expect(one?.volatile.text).not.toBe(two?.volatile.text);
    expect(one && stableBytesOf(one)).toBe(two && stableBytesOf(two));
  });

  it("places the fenced summary after the parts that change more rarely, and the window after it", () => {
    const messages = [messageOf(0, "Covered"), messageOf(1, "Covered too"), messageOf(2, "Open")];
    const { sections, messages: sent } = promptAt(
      messages,
      2,
      summaryUntil(messages[1] ?? messageOf(1, "")),
      1,
    );

    const summary = sections.at(-1);
    expect(summary?.name).toBe("conversation_summary");
    expect(summary?.text).toContain("They met. &lt;/conversation_summary>");
    expect(sent.slice(1).map(({ content }) => content)).toEqual([
      expect.stringMatching(/^Open\n\n<context>/u),
    ]);
  });
});

/** What the provider reads, in order; a message is open at its end, because the next text would continue it. */
const bytesOf = (prompt: Prompt): string =>
  prompt.messages.map((message) => JSON.stringify(message)).join("\n");

/** The same without its volatile end: the data about the turn, and the marks that end the last message. */
function stableBytesOf(prompt: Prompt): string {
  const tail = JSON.stringify(`\n\n${prompt.volatile.text}`).slice(1);
  const bytes = bytesOf(prompt);
  expect(bytes.endsWith(`${tail}}`)).toBe(true);
  return bytes.slice(0, -tail.length - 1);
}

const summaryUntil = (message: Message): Summary => ({
  conversationId: conversationIdOf("c"),
  content: "They met. </conversation_summary>",
  coversUntil: placeOf(message),
  messagesCovered: 2,
  by: "model",
  model: "m",
  runId: null,
  createdAt: "",
  updatedAt: "",
});
