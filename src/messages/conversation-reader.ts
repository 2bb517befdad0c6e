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

/** Reads one conversation back while a turn of it takes place. */
export class ConversationReader {
  readonly #conversationId: string;
  readonly #messages: ReadableMessages;
  /** A conversation has one turn at a time: nothing is added until this one ends. */
  #sortKeys: readonly string[] | undefined;

  constructor(conversationId: string, messages: ReadableMessages) {
    this.#conversationId = conversationId;
    this.#messages = messages;
  }

  /** At most `limit` messages, newest first, without the newest `offset` ones. */
  async read(limit: number, offset: number): Promise<Excerpt> {
    this.#sortKeys ??= await this.#messages.sortKeys(this.#conversationId);
    const wanted = this.#sortKeys.slice(offset, offset + limit);
    return {
      messages: wanted.length > 0 ? await this.#messages.at(this.#conversationId, wanted) : [],
      total: this.#sortKeys.length,
    };
  }
}
