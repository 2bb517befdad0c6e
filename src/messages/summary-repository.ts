import type { ConversationId } from "../shared/id-types.ts";
import { conversationKey, type AccessScope } from "../access/access-scope.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { MESSAGE_PREFIX, conversationPartition } from "../table/keys.ts";
import { type Message, messageFrom } from "./model.ts";
import { type Summary, summaryFrom, summaryItem, summaryKey } from "./summary-model.ts";

/** The index of the conversation check in the transaction of `clear`. */
const CONVERSATION_CHECK = 0;

/** The summaries of conversations in the table; at most one per conversation. */
export class SummaryRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns a conversation's summary, or null if there is none. The caller must have checked access to it. */
  async find(conversationId: ConversationId): Promise<Summary | null> {
    const item = await this.#table.get(summaryKey(conversationId));
    return item ? summaryFrom(item) : null;
  }

  /** Returns the first `limit` messages after a sort key, oldest first; from the beginning if `place` is null. */
  async messagesAfter(
    conversationId: ConversationId,
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
   * Replaces the summary that `summary` was made from. Returns false if another summary has been stored since, or the
   * conversation has been deleted. So when two turns summarize the same messages, only one summary is kept.
   */
  async replace(scope: AccessScope, summary: Summary, previous: Summary | null): Promise<boolean> {
    const isUnchanged = previous
      ? all(equals("covers_until", previous.coversUntil), equals("updated_at", previous.updatedAt))
      : absent("pk");
    return await this.#table.tryTransact([
      { put: summaryItem(summary), if: isUnchanged },
      { check: conversationKey(scope, summary.conversationId), if: isLive },
    ]);
  }

  /**
   * Empties the summary of a conversation, if there is one. The messages that it covered stay covered, or the next
   * summary would be made of them again. Throws `not-found` if there is no such conversation.
   */
  async clear(scope: AccessScope, conversationId: ConversationId, updatedAt: string): Promise<void> {
    const refusal = await this.#table.transactOrRefusal([
      { check: conversationKey(scope, conversationId), if: isLive },
      {
        update: summaryKey(conversationId),
        changes: {
          set: { content: "", messages_covered: 0, model: null, run_id: null, updated_at: updatedAt },
        },
        if: present("pk"),
      },
    ]);
    if (refusal?.has(CONVERSATION_CHECK)) throw notFound("Conversation");
  }
}
