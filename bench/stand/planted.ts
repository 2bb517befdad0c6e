import { messageItem } from "../../src/messages/model.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";
import { type AgentId, type ConversationId, runIdOf } from "../../src/shared/id-types.ts";
import type { TableClient } from "../../src/table/client.ts";

/** A vocabulary in which, as in language, few words are frequent and most are rare. */
const WORDS = Array.from({ length: 8_000 }, (_, index) => `w${index.toString(36)}`);
const WORDS_PER_MEMORY = 35;
const WORDS_PER_MESSAGE = 20;

/** Returns random words. The most frequent ones are in about every third memory, the rarest ones in hardly any. */
export function randomWords(count: number): string {
  const word = () => WORDS[Math.floor(WORDS.length * Math.random() ** 4)] ?? "";
  return Array.from({ length: count }, word).join(" ");
}

/** Stores `count` memories of 35 words, a tenth of a millisecond apart from the time `start` on. */
export async function plantMemories(
  table: TableClient,
  { agentId, userId }: { readonly agentId: AgentId; readonly userId: string },
  count: number,
  start: number,
): Promise<void> {
  const pk = `Agent#${agentId}#User#${userId}`;
  const items = Array.from({ length: count }, (_, index) => {
    const time = formatTimestamp(start + Math.floor(index / 10), index % 10);
    const content = randomWords(WORDS_PER_MEMORY);
    return { pk, sk: `Archival#${time}#m${index}`, memory_id: `m${index}`, content, created_at: time };
  });
  await table.batchWrite(items.map((item) => ({ put: item })));
}

/** Stores `count` messages of 20 words in a conversation, one per second, up to now. */
export async function plantMessages(
  table: TableClient,
  { conversationId, createdBy }: { readonly conversationId: ConversationId; readonly createdBy: string },
  count: number,
): Promise<void> {
  const now = Date.now();
  const items = Array.from({ length: count }, (_, index) =>
    messageItem({
      id: crypto.randomUUID(),
      conversationId,
      createdBy,
      role: index % 2 === 0 ? "user" : "assistant",
      content: randomWords(WORDS_PER_MESSAGE),
      attachments: [],
      createdAt: formatTimestamp(now - (count - index) * 1_000, 0),
      status: "complete",
      toolCalls: [],
      usage: null,
      tokenRatio: null,
      runId: runIdOf(crypto.randomUUID()),
    }),
  );
  await table.batchWrite(items.map((put) => ({ put })));
}
