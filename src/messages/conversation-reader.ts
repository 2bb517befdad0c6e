import type { MessageSearch, RecallAnswer } from "../search/model.ts";
import type { Message } from "./model.ts";

/** What of messages a reader needs. */
export interface ReadableMessages {
  /** Where a conversation's messages stand, newest first. */
  sortKeys(conversationId: string): Promise<readonly string[]>;
  /** The messages that stand there, in this order. */
  at(conversationId: string, sortKeys: readonly string[]): Promise<readonly Message[]>;
}

/** Part of a conversation, newest first, and how many messages there are in all. */
export interface Excerpt {
  readonly messages: readonly Message[];
  readonly total: number;
}

/** Where a turn takes place, and its run. */
export interface ReaderPlace {
  readonly agentId: string;
  readonly userId: string;
  /** The name of the space that the conversation is in; see `spaceName`. */
  readonly conversationsOf: string;
  readonly conversationId: string;
  readonly runId: string;
}

/** Reads one conversation back while a turn of it takes place, and searches all that agent and user have had. */
export class ConversationReader {
  readonly #place: ReaderPlace;
  readonly #messages: ReadableMessages;
  readonly #search: MessageSearch;
  /** A conversation has one turn at a time: nothing is added until this one ends. */
  #sortKeys: readonly string[] | undefined;

  constructor(place: ReaderPlace, messages: ReadableMessages, search: MessageSearch) {
    this.#place = place;
    this.#messages = messages;
    this.#search = search;
  }

  /** At most `limit` messages, newest first, without the newest `offset` ones. */
  async read(limit: number, offset: number): Promise<Excerpt> {
    const { conversationId } = this.#place;
    this.#sortKeys ??= await this.#messages.sortKeys(conversationId);
    const wanted = this.#sortKeys.slice(offset, offset + limit);
    return {
      messages: wanted.length > 0 ? await this.#messages.at(conversationId, wanted) : [],
      total: this.#sortKeys.length,
    };
  }

  /**
   * What a query finds in all conversations, best first, without what is said in this turn. Nothing where the search
   * fails: a turn goes on without it.
   */
  async search(query: string, limit: number, offset: number): Promise<RecallAnswer | undefined> {
    const { agentId, userId, conversationsOf, runId } = this.#place;
    try {
      const request = { agentId, userId, conversationsOf, query, limit, offset, exceptRunId: runId };
      return await this.#search.recall(request);
    } catch (error) {
      console.warn({ message: "A search in conversations failed.", runId, error: String(error) });
      return undefined;
    }
  }
}
