import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { Message } from "../messages/model.ts";
import { personIn, type Space } from "../users/space.ts";
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
  forget(space: Space, conversationId: string): Promise<void>;
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
    space: Space,
    input: Pick<Conversation, "title" | "description" | "agentId">,
    wantedId?: string,
  ): Promise<Conversation> {
    const id = wantedId ?? newId(this.#clock.now());
    const createdAt = this.#clock.timestamp();
    return this.#conversations.create(space, {
      ...input,
      id,
      createdBy: personIn(space),
      createdAt,
      updatedAt: null,
    });
  }

  update(space: Space, id: string, changes: ConversationChanges): Promise<Conversation> {
    if (Object.keys(changes).length === 0) return this.#conversations.get(space, id);
    return this.#conversations.update(space, id, changes, this.#clock.timestamp());
  }

  /** The messages of the owner's conversation, newest first, read beside the check that it is the owner's. */
  async messages(
    space: Space,
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<Message>> {
    const [, page] = await Promise.all([
      this.#conversations.get(space, id),
      this.#messages.list(id, limit, cursor),
    ]);
    return page;
  }

  /** Deletes a conversation with its runs and messages, however many there are. */
  async remove(space: Space, id: string): Promise<Removal> {
    const exists = await this.#conversations.beginDeletion(space, id, this.#clock.timestamp());
    if (!exists) return "absent";

    // No run can begin from here on, so none is left behind.
    await this.#runs.forget(space, id);
    if (!(await this.#messages.sweep(id))) return "unfinished";

    await this.#conversations.endDeletion(space, id);
    return "done";
  }

  idsOfAgent(space: Space, agentId: string): Promise<readonly string[]> {
    return this.#conversations.idsOfAgent(space, agentId);
  }
}
