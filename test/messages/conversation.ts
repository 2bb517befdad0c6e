import { conversationIdOf } from "../../src/shared/id-types.ts";
import type { Message } from "../../src/messages/model.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";

const BEGAN = Date.UTC(2026, 0, 29, 11);

/** Returns the n-th message of a conversation. Users and agents alternate, one second apart. */
export const messageOf = (index: number, content: string, conversationId = "c"): Message => ({
  id: `m${String(index).padStart(5, "0")}`,
  conversationId: conversationIdOf(conversationId),
  createdBy: "alice@example.com",
  role: index % 2 ? "assistant" : "user",
  content,
  attachments: [],
  createdAt: formatTimestamp(BEGAN + index * 1_000),
  status: "complete",
  toolCalls: [],
  usage: null,
  tokenRatio: null,
  runId: null,
});
