import type { Space } from "../users/space.ts";
import { conversationKey } from "../conversations/model.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { conversationPartition } from "../table/keys.ts";
import { type Message, MESSAGE_PREFIX, messageFrom } from "./model.ts";
import { type Summary, summaryFrom, summaryItem, summaryKey } from "./summary-model.ts";

/** Where the check of the conversation stands among the actions of a removal. */
const CONVERSATION_CHECK = 0;

export class SummaryRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** A conversation's summary. Whose conversation it is, the caller has checked. */
  async find(conversationId: string): Promise<Summary | null> {
    const item = await this.#table.get(summaryKey(conversationId));
    return item ? summaryFrom(item) : null;
  }

  /** The oldest messages behind a place, oldest first; from the beginning without one. */
  async messagesBehind(
    conversationId: string,
    place: string | null,
    limit: number,
  ): Promise<readonly Message[]> {
    const { items } = await this.#table.queryPage(conversationPartition(conversationId), {
      range: { beginsWith: MESSAGE_PREFIX },
      limit,
      after: place ?? undefined,
    });
    return items.map(messageFrom);
  }

  /**
   * Stores a summary in the place of the one that it was made from. False where that is no longer what stands there, or
   * the conversation has been deleted: two that summarise the same messages leave one summary.
   */
  async replace(space: Space, summary: Summary, previous: Summary | null): Promise<boolean> {
    const isUnchanged = previous
      ? all(equals("covers_until", previous.coversUntil), equals("updated_at", previous.updatedAt))
      : absent("pk");
    try {
      await this.#table.transact([
        { put: summaryItem(summary), if: isUnchanged },
        { check: conversationKey(space, summary.conversationId), if: isLive },
      ]);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }

  /**
   * Empties the summary of a conversation, if there is one. What it covered stays covered: it would otherwise
   * be made of the same messages again. Throws a 404 where there is no such conversation.
   */
  async clear(space: Space, conversationId: string, updatedAt: string): Promise<void> {
    try {
      await this.#table.transact([
        { check: conversationKey(space, conversationId), if: isLive },
        {
          update: summaryKey(conversationId),
          changes: {
            set: { content: "", messages_covered: 0, model: null, run_id: null, updated_at: updatedAt },
          },
          if: present("pk"),
        },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (error.failed.has(CONVERSATION_CHECK)) throw notFound("Conversation");
    }
  }
}
