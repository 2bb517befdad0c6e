import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { MessagePage } from "../messages/repository.ts";
import type { Conversation, ConversationChanges } from "./model.ts";
import type { ConversationRepository } from "./repository.ts";

/** What of agents a conversation needs: throws a 404 for one that is absent or not the owner's. */
export interface ConversationAgents {
  get(owner: string, agentId: string): Promise<unknown>;
}

/** What of messages a conversation needs. */
export interface ConversationMessages {
  list(conversationId: string, limit: number, cursor: string | undefined): Promise<MessagePage>;
  /** Removes all messages; false where so many are left that it takes another call. */
  sweep(conversationId: string): Promise<boolean>;
}

/** `unfinished`: begun, and gone for everybody, but it takes another call to remove the rest. */
export type Removal = "absent" | "unfinished" | "done";

export class ConversationService {
  readonly #conversations: ConversationRepository;
  readonly #agents: ConversationAgents;
  readonly #messages: ConversationMessages;
  readonly #clock: Clock;

  constructor(
    conversations: ConversationRepository,
    agents: ConversationAgents,
    messages: ConversationMessages,
    clock: Clock,
  ) {
    this.#conversations = conversations;
    this.#agents = agents;
    this.#messages = messages;
    this.#clock = clock;
  }

  async create(
    owner: string,
    input: Pick<Conversation, "title" | "description" | "agentId">,
  ): Promise<Conversation> {
    const id = newId(this.#clock.now());
    const conversation: Conversation = {
      ...input,
      id,
      owner,
      createdAt: this.#clock.timestamp(),
      updatedAt: null,
    };
    await this.#conversations.create(conversation);
    return conversation;
  }

  async update(owner: string, id: string, changes: ConversationChanges): Promise<Conversation> {
    if (changes.agentId !== undefined) await this.#agents.get(owner, changes.agentId);
    return this.#conversations.update(owner, id, changes, this.#clock.timestamp());
  }

  /** The messages of the owner's conversation, newest first, read beside the check that it is the owner's. */
  async messages(owner: string, id: string, limit: number, cursor: string | undefined): Promise<MessagePage> {
    const [, page] = await Promise.all([
      this.#conversations.get(owner, id),
      this.#messages.list(id, limit, cursor),
    ]);
    return page;
  }

  /** Deletes a conversation with its messages, however many there are. */
  async remove(owner: string, id: string): Promise<Removal> {
    const exists = await this.#conversations.beginDeletion(owner, id, this.#clock.timestamp());
    if (!exists) return "absent";
    if (!(await this.#messages.sweep(id))) return "unfinished";

    await this.#conversations.endDeletion(owner, id);
    return "done";
  }

  idsOfAgent(owner: string, agentId: string): Promise<readonly string[]> {
    return this.#conversations.idsOfAgent(owner, agentId);
  }
}
