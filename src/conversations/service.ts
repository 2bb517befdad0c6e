import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { Message } from "../messages/model.ts";
import type { Conversation, ConversationChanges } from "./model.ts";
import type { ConversationRepository } from "./repository.ts";

/** A page of a list; `nextCursor` is null at the end. */
interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What of messages a conversation needs. */
export interface ConversationMessages {
  list(conversationId: string, limit: number, cursor: string | undefined): Promise<Page<Message>>;
  /** Removes all messages; false where so many are left that it takes another call. */
  sweep(conversationId: string): Promise<boolean>;
}

/** What of runs a conversation's deletion needs. */
export interface ConversationRuns {
  /** Ends what runs in the conversation, and forgets what has run. */
  forget(owner: string, conversationId: string): Promise<void>;
}

/** `unfinished`: begun, and gone for everybody, but it takes another call to remove the rest. */
export type Removal = "absent" | "unfinished" | "done";

export class ConversationService {
  readonly #conversations: ConversationRepository;
  readonly #messages: ConversationMessages;
  readonly #runs: ConversationRuns;
  readonly #clock: Clock;

  constructor(
    conversations: ConversationRepository,
    messages: ConversationMessages,
    runs: ConversationRuns,
    clock: Clock,
  ) {
    this.#conversations = conversations;
    this.#messages = messages;
    this.#runs = runs;
    this.#clock = clock;
  }

  /** Begins a conversation. Who repeats a request names its id, and gets what it made the first time. */
  async create(
    owner: string,
    input: Pick<Conversation, "title" | "description" | "agentId">,
    wantedId?: string,
  ): Promise<Conversation> {
    const id = wantedId ?? newId(this.#clock.now());
    const createdAt = this.#clock.timestamp();
    return this.#conversations.create({ ...input, id, owner, createdAt, updatedAt: null });
  }

  update(owner: string, id: string, changes: ConversationChanges): Promise<Conversation> {
    if (Object.keys(changes).length === 0) return this.#conversations.get(owner, id);
    return this.#conversations.update(owner, id, changes, this.#clock.timestamp());
  }

  /** The messages of the owner's conversation, newest first, read beside the check that it is the owner's. */
  async messages(
    owner: string,
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<Message>> {
    const [, page] = await Promise.all([
      this.#conversations.get(owner, id),
      this.#messages.list(id, limit, cursor),
    ]);
    return page;
  }

  /** Deletes a conversation with its runs and messages, however many there are. */
  async remove(owner: string, id: string): Promise<Removal> {
    const exists = await this.#conversations.beginDeletion(owner, id, this.#clock.timestamp());
    if (!exists) return "absent";

    // No run can begin from here on, so none is left behind.
    await this.#runs.forget(owner, id);
    if (!(await this.#messages.sweep(id))) return "unfinished";

    await this.#conversations.endDeletion(owner, id);
    return "done";
  }

  idsOfAgent(owner: string, agentId: string): Promise<readonly string[]> {
    return this.#conversations.idsOfAgent(owner, agentId);
  }
}
