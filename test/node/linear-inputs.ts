import { agentWith } from "../support/agent.ts";
import { TOOLS } from "../../src/architectures/krishna-memgpt/krishna-memgpt.ts";
import { AccessTokens } from "../../src/auth/tokens.ts";
import type { ChatModel, ModelMessage } from "../../src/llm/model.ts";
import { CoreMemory } from "../../src/memory/core-memory.ts";
import { ConversationReader } from "../../src/messages/conversation-reader.ts";
import { utf8 } from "../../src/shared/crypto.ts";
import { accountEmailOf, agentIdOf, conversationIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { Cursors } from "../../src/table/cursor.ts";
import type { MemoryToolContext } from "../../src/tools/native/memory-context.ts";
import { toolbox } from "../../src/tools/toolbox.ts";
import { messageOf } from "../messages/conversation.ts";
import type { Reads } from "./linear.ts";

/** What the readers of `linear-readers.ts` read: items, requests and answers that consist of one text. */

const AT = "2026-01-29T11:51:36.123456+00:00";
export const POLICY = { isLocal: false, ownHosts: ["example.com"], allowedOrigins: [] };
export const cursors = new Cursors(
  await crypto.subtle.importKey("raw", utf8("a key for cursors"), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]),
);
export const tokens = new AccessTokens({
  keys: [{ id: "k", secret: "a secret of more than thirty-two bytes" }],
  lifetimeSeconds: 60,
  now: () => 0,
});

export const messageWith = (text: string, index = 0) => ({
  ...messageOf(index, text),
  attachments: [{ filename: text, content: text, size: 0 }],
  toolCalls: [{ id: "c", name: text, arguments: text, output: text, success: true }],
});
export const blockWith = (text: string) => ({
  name: text,
  description: text,
  wordLimit: 50,
  isDefault: false,
  createdAt: AT,
  updatedAt: null,
});
export const contentWith = (text: string) => ({
  lines: [text, ...text.split("\n")],
  createdAt: AT,
  revision: undefined,
});

const summaryOf = (content: string) => ({
  conversationId: conversationIdOf("c"),
  content,
  coversUntil: "",
  messagesCovered: 2,
  by: "model" as const,
  model: "m",
  runId: null,
  createdAt: "",
  updatedAt: "",
});
export const promptInput = (text: string) => ({
  agent: agentWith(text),
  history: [messageWith(text), messageWith(text, 1)],
  summary: summaryOf(text),
  message: messageWith(text, 2),
  blocks: [{ ...blockWith(text), lines: contentWith(text).lines, wordCount: 45 }],
  knowledgeBases: 1,
  httpTools: [],
  mcpTools: [],
  promptTokens: 1_000_000,
  now: 0,
});

/** A model that writes a text in small pieces. */
export const modelThatWrites = (text: string): ChatModel => ({
  id: "m",
  contextTokens: 1_000_000,
  async *stream() {
    for (let at = 0; at < text.length; at += 20)
      yield { type: "text" as const, text: text.slice(at, at + 20) };
  },
});

/** Pieces of ten characters: enough of them to make a square of their number seen, few enough not to measure the collection of garbage. */
export const piecesOf = (text: string): readonly string[] => text.match(/[^]{1,10}/gu) ?? [];

/** A body that arrives in pieces of this many bytes. */
export const bodyOf = (
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): ReadableStream<Uint8Array<ArrayBuffer>> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
};

/** Bytes that announce a message of their own length, so that a reader has to buffer all of them. */
export function withLength(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes.length + 4);
  whole.set(bytes, 4);
  new DataView(whole.buffer).setUint32(0, whole.length);
  return whole;
}

/** What memory tools can access, all of it made from one text. */
export function reachOf(text: string): MemoryToolContext {
  const owner = { agentId: agentIdOf("a"), userId: "u" };
  const block = {
    ...blockWith("human"),
    description: text,
    wordLimit: 1_000_000,
    content: contentWith(text),
  };
  const coreMemory = new CoreMemory({
    owner,
    blocks: [block],
    save: ({ lines }) =>
      Promise.resolve({ saved: { lines, createdAt: AT, revision: { version: 1, updatedAt: AT } } }),
    clock: { now: () => 0, timestamp: () => AT },
  });
  const place = {
    agentId: agentIdOf("a"),
    userId: "u",
    accountEmail: accountEmailOf("u"),
    conversationsOf: "u",
    conversationId: conversationIdOf("c"),
    runId: runIdOf("r"),
  };
  const hit = { content: text, createdAt: text, score: 1 };
  const found = {
    memory: { ...hit, memoryId: "m", occurredAt: text },
    message: {
      ...hit,
      messageId: "m",
      conversationId: conversationIdOf("c"),
      conversationTitle: text,
      role: text,
      files: [text],
      filePassage: { filename: text, text },
    },
  };
  const page = { total: 1, notes: [] };
  return {
    coreMemory,
    archive: {
      search: () => Promise.resolve({ ...page, hits: [found.memory] }),
      insert: () => Promise.resolve({ memory: { id: "m", createdAt: text }, created: false }),
      read: () => Promise.resolve({ id: "m", content: text, createdAt: text, occurredAt: null }),
    } as unknown as MemoryToolContext["archive"],
    conversation: new ConversationReader({
      place,
      messages: {
        sortKeys: () => Promise.resolve(["1"]),
        at: () => Promise.resolve([messageWith(text)]),
      },
      search: { recall: () => Promise.resolve({ ...page, hits: [found.message] }) },
    }),
    resultTokens: Math.max(100, Math.floor(text.length / 20)),
  };
}

/** Calls a tool with arguments, with a memory and conversations of the same text. */
export const calling =
  (name: string, input: (text: string) => unknown): Reads =>
  (text) =>
    toolbox(TOOLS, reachOf(text)).invoke({ id: "c", name, arguments: JSON.stringify(input(text)) });

export const assistantSaying = (text: string): ModelMessage => ({
  role: "assistant",
  content: text,
  calls: [{ id: text, name: text, arguments: text }],
});
/** Many short messages of one speaker, and many calls without a result. */
export const dialogueOf = (text: string): readonly ModelMessage[] => [
  { role: "user", content: text },
  ...piecesOf(text).map((content): ModelMessage => ({ role: "user", content })),
  assistantSaying(text),
  ...piecesOf(text).map((content): ModelMessage => ({ role: "tool", callId: "c", content })),
];
export const requestOf = (text: string) => ({ messages: dialogueOf(text), tools: [] });

/** Another turn has written the block meanwhile: it has the same lines, turned round, and a new one. */
export async function rebase(text: string): Promise<void> {
  const content = {
    lines: piecesOf(text).map((piece, index) => piece + String(index)),
    createdAt: AT,
    revision: undefined,
  };
  const block = { ...blockWith("human"), wordLimit: 1_000_000, content };
  const current = { ...block, content: { ...content, lines: [...content.lines.toReversed(), "new"] } };
  let isFirst = true;
  const memory = new CoreMemory({
    owner: { agentId: agentIdOf("a"), userId: "u" },
    blocks: [block],
    save: ({ lines }) => {
      if (!isFirst)
        return Promise.resolve({ saved: { lines, createdAt: AT, revision: { version: 1, updatedAt: AT } } });
      isFirst = false;
      return Promise.resolve({ current });
    },
    clock: { now: () => 0, timestamp: () => AT },
  });
  await memory.append("human", "one more");
}
