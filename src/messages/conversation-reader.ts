import type { AccountEmail, AgentId, ConversationId, RunId } from "../shared/id-types.ts";
import type { MessageSearch, RecallAnswer, SearchCriteria } from "../search/model.ts";
import { type Message, messageKey, type MessagePlace } from "./model.ts";

/** The part of the message repository that a reader needs. */
export interface ReadableMessages {
  /** Returns the sort keys of a conversation's messages, newest first. */
  sortKeys(conversationId: ConversationId): Promise<readonly string[]>;
  /** Returns the messages with these sort keys, in the same order. Missing ones are left out. */
  at(conversationId: ConversationId, sortKeys: readonly string[]): Promise<readonly Message[]>;
}

/** Part of a conversation, newest first, and the number of all its messages. */
export interface Excerpt {
  readonly messages: readonly Message[];
  readonly total: number;
}

/** The conversation of a turn, and the turn's run. */
export interface ReaderPlace {
  readonly agentId: AgentId;
  readonly userId: string;
  /** The account that owns the agent. */
  readonly accountEmail: AccountEmail;
  /** The name of the access scope that the conversation belongs to; see `scopeName`. */
  readonly conversationsOf: string;
  readonly conversationId: ConversationId;
  readonly runId: RunId;
  /** The stored message that the turn answers again, if it does. The turn does not see the former answer. */
  readonly question?: MessagePlace | undefined;
}

interface ConversationReaderDeps {
  readonly place: ReaderPlace;
  readonly messages: ReadableMessages;
  readonly search: MessageSearch;
}

/** Reads the conversation of a running turn, and searches all conversations between its agent and its user. */
export class ConversationReader {
  readonly #place: ReaderPlace;
  readonly #messages: ReadableMessages;
  readonly #search: MessageSearch;
  /** The order that the first page of a query has kept, so that its later pages neither skip nor repeat a message. */
  readonly #snapshots = new Map<string, string>();
  /** Safe to cache: a conversation has one turn at a time, so no message is added until this turn ends. */
  #sortKeys: readonly string[] | undefined;

  constructor({ place, messages, search }: ConversationReaderDeps) {
    this.#place = place;
    this.#messages = messages;
    this.#search = search;
  }

  /** Returns at most `limit` messages, newest first, skipping the newest `offset` ones. */
  async read(limit: number, offset: number): Promise<Excerpt> {
    const { conversationId, question } = this.#place;
    this.#sortKeys ??= await this.#messages.sortKeys(conversationId);
    if (question) {
      const { sk } = messageKey(conversationId, question.createdAt, question.id);
      this.#sortKeys = this.#sortKeys.filter((sortKey) => sortKey <= sk);
    }
    const wanted = this.#sortKeys.slice(offset, offset + limit);
    return {
      messages: wanted.length > 0 ? await this.#messages.at(conversationId, wanted) : [],
      total: this.#sortKeys.length,
    };
  }

  /**
   * Searches all conversations and returns the results, best first, without the messages of this turn. Returns
   * `undefined` if the search fails, because a turn can continue without it.
   */
  async search(criteria: SearchCriteria, limit: number, offset: number): Promise<RecallAnswer | undefined> {
    const { agentId, userId, accountEmail, conversationsOf, conversationId, runId, question } = this.#place;
    try {
      const key = JSON.stringify(criteria);
      const snapshot = this.#snapshots.get(key);
      const except = {
        runId,
        ...(question && { from: { conversationId, sortKey: `${question.createdAt}#${question.id}` } }),
      };
      const where = { agentId, userId, accountEmail, conversationsOf, except };
      const answer = await this.#search.recall({ ...where, ...criteria, limit, offset, snapshot });
      if (answer.snapshot !== undefined) this.#snapshots.set(key, answer.snapshot);
      return answer;
    } catch (error) {
      console.warn({ message: "A search in conversations failed.", runId, error: String(error) });
      return undefined;
    }
  }
}
