import { type Agent, agentFrom, agentKey } from "../agents/model.ts";
import { type Conversation, conversationFrom, conversationKey } from "../conversations/model.ts";
import { type Block, blocksFrom, CORE_MEMORY_RANGE } from "../memory/model.ts";
import { type Message, messageFrom, messageItem, MESSAGE_PREFIX } from "../messages/model.ts";
import { countMessage, type MessageUse, returnMessage } from "../plans/model.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted, isLive } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent } from "../table/expressions.ts";
import { text } from "../table/fields.ts";
import { conversationPartition, memoryPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { type User, userFrom, userKey } from "../users/model.ts";

/** Messages read for a turn; what is older lies outside every window. */
const HISTORY_MESSAGES = 200;

/** Where a turn takes place. */
export interface TurnPlace {
  readonly owner: string;
  readonly agentId: string;
  readonly conversationId: string;
}

/** All that a turn reads. */
export interface TurnState {
  readonly user: User | undefined;
  readonly agent: Agent | undefined;
  readonly conversation: Conversation | undefined;
  /** None where the memory was never begun. */
  readonly blocks: readonly Block[];
  /** Oldest first. */
  readonly history: readonly Message[];
}

const ANSWER_WRITE = 0;

/** What a turn reads and writes, across the features that it brings together. */
export class TurnRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** Everything that a turn needs, in one wave of parallel reads. */
  async load({ owner, agentId, conversationId }: TurnPlace): Promise<TurnState> {
    const memory = { agentId, userId: owner };
    const [[agent, conversation, user], memoryItems, newest] = await Promise.all([
      this.#table.batchGet([
        agentKey(owner, agentId),
        conversationKey(owner, conversationId),
        userKey(owner),
      ]),
      this.#table.query(memoryPartition(agentId, owner), { range: CORE_MEMORY_RANGE }),
      this.#table.queryPage(conversationPartition(conversationId), {
        range: { beginsWith: MESSAGE_PREFIX },
        newestFirst: true,
        limit: HISTORY_MESSAGES,
      }),
    ]);

    return {
      user: user && userFrom(user),
      agent: living(agent, agentFrom),
      conversation: living(conversation, conversationFrom),
      blocks: blocksFrom(memory, memoryItems),
      history: newest.items.map(messageFrom).toReversed(),
    };
  }

  /** Stores the user's message and counts it, together or not at all. */
  async begin(place: TurnPlace, message: Message, use: MessageUse): Promise<void> {
    try {
      await this.#table.transact([
        { check: conversationKey(place.owner, place.conversationId), if: isLive },
        { check: agentKey(place.owner, place.agentId), if: isLive },
        { put: messageItem(message), if: absent("pk") },
        ...countMessage(use),
      ]);
    } catch (error) {
      // Both stood a moment ago when they were read: whichever it is has just been deleted.
      throw error instanceof TransactionRefused ? notFound("Conversation") : error;
    }
  }

  /** Stores the answer and touches the conversation. Repeating it is harmless. */
  async finish(
    { owner, agentId, conversationId }: TurnPlace,
    answer: Message,
    updatedAt: string,
  ): Promise<void> {
    try {
      await this.#table.transact([
        { put: messageItem(answer), if: absent("pk") },
        {
          update: conversationKey(owner, conversationId),
          changes: { set: { updated_at: updatedAt } },
          if: isLive,
        },
        { check: agentKey(owner, agentId), if: isLive },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      const stored = error.failed.get(ANSWER_WRITE);
      if (!stored || text(stored, "message_id") !== answer.id) throw notFound("Conversation");
    }
  }

  /** Gives back the message that a turn had counted; once, whatever repeats. */
  async giveBack(use: MessageUse): Promise<void> {
    try {
      await this.#table.transact(returnMessage(use));
    } catch (error) {
      // Already given back.
      if (!(error instanceof TransactionRefused)) throw error;
    }
  }
}

const living = <T>(item: Item | undefined, from: (item: Item) => T): T | undefined =>
  item && !isBeingDeleted(item) ? from(item) : undefined;
