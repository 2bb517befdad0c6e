import type { AgentBuilder } from "../../../client/src/index.ts";
import type { Conversation } from "../types.ts";

/** Some conversations, and where the next ones are. */
export interface SomeConversations {
  readonly conversations: readonly Conversation[];
  /** Null if there are no others. */
  readonly cursor: string | null;
}

const PAGE_SIZE = 50;
/** How many are enough for one look. */
const ENOUGH = 15;
/** The service lists the conversations of all agents together. After this many pages, the person is asked whether to look on. */
const MAX_PAGES = 4;

/** Returns the next conversations with an agent, newest first. Throws what the client throws. */
export async function conversationsOf(
  client: AgentBuilder,
  agentId: string,
  from: string | null,
  signal?: AbortSignal,
): Promise<SomeConversations> {
  const conversations: Conversation[] = [];
  let cursor = from;
  for (let page = 0; page < MAX_PAGES && conversations.length < ENOUGH; page++) {
    const { items, next_cursor: next } = await client.conversations
      .list({ limit: PAGE_SIZE, signal })
      .page(cursor);
    conversations.push(...items.filter(({ agent_id: id }) => id === agentId));
    cursor = next;
    if (cursor === null) break;
  }
  return { conversations, cursor };
}
