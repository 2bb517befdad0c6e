import { CONVERSATION_PREFIX } from "../conversations/model.ts";
import { MESSAGE_PREFIX } from "../messages/model.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted, DELETING } from "../table/deletion.ts";
import { idAfter, maps, optionalText, text } from "../table/fields.ts";
import { conversationPartition, userConversationsPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import type { IndexedMessage, KnownConversation, ListedConversation, MessageIndex } from "./message-index.ts";
import { END, readBack } from "./read-back.ts";
import { SharedReading } from "./shared-reading.ts";

/** A write may land so much later than the time in its key says, and clocks differ: so much is read twice. */
const OVERLAP_MS = 60_000;
/** Conversations read at the same time: a Worker may have six connections waiting. */
const PARALLEL = 6;
/** What one reading may take; what is left of many or long conversations is left to the next. */
const STEP_CONVERSATIONS = 60;
const STEP_PAGES = 2;

const LISTED = ["sk", "conversation_id", "agent_id", "title", "updated_at", DELETING];
/** Calls of tools are not among them: what recall once answered is not found again. */
const READ = ["sk", "message_id", "role", "content", "attachments", "created_at", "run_id"];

/**
 * Keeps an index up to date with all conversations of a user with one agent: first their list, then, at the same time,
 * those that have changed since. So an index that is up to date waits for the table once, or twice after something was said.
 */
export class MessageKeeper {
  readonly #index: MessageIndex;
  readonly #table: TableClient;
  readonly #agentId: string;
  readonly #conversationsOf: string;
  readonly #now: () => number;
  readonly #reading = new SharedReading(() => this.#read());
  #isBuilding = true;

  constructor(
    index: MessageIndex,
    table: TableClient,
    { agentId, conversationsOf }: { readonly agentId: string; readonly conversationsOf: string },
    now: () => number,
  ) {
    this.#index = index;
    this.#table = table;
    this.#agentId = agentId;
    this.#conversationsOf = conversationsOf;
    this.#now = now;
  }

  /** Whether a part of the conversations has not been read yet. */
  get isBuilding(): boolean {
    return this.#isBuilding;
  }

  /** Brings the index up to what the table holds at this moment. */
  catchUp(): Promise<void> {
    return this.#reading.catchUp();
  }

  /** Waits until nothing is being read. */
  rest(): Promise<void> {
    return this.#reading.rest();
  }

  async #read(): Promise<void> {
    const listed = await this.#list();
    const known = this.#index.conversations();
    const ids = new Set(listed.map(({ id }) => id));
    for (const id of known.keys()) if (!ids.has(id)) this.#index.remove(id);

    const hotSince = new Date(this.#now() - OVERLAP_MS).toISOString();
    const newestFirst = listed.toSorted((a, b) => (a.stamp < b.stamp ? 1 : -1));
    const unread = newestFirst.filter((conversation) => isUnread(conversation, known.get(conversation.id)));
    // What was touched a moment ago is read again: its messages may become visible after the touch.
    const hot = newestFirst.filter(
      (conversation) => conversation.stamp >= hotSince && !unread.includes(conversation),
    );
    const step = [...unread, ...hot].slice(0, STEP_CONVERSATIONS).values();
    let isWhole = unread.length <= STEP_CONVERSATIONS;
    const failures: unknown[] = [];

    // All workers take from the same iterator.
    const work = async () => {
      for (const conversation of step) {
        if (failures.length > 0) return;
        try {
          const gap = await this.#readOne(conversation, known.get(conversation.id));
          if (gap) isWhole = false;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    if (failures.length > 0) throw failures[0];
    this.#isBuilding = !isWhole;
  }

  /** The user's living conversations with the agent. */
  async #list(): Promise<readonly ListedConversation[]> {
    const range = { beginsWith: CONVERSATION_PREFIX };
    const options = { range, attributes: LISTED };
    const items = await this.#table.query(userConversationsPartition(this.#conversationsOf), options);
    return items
      .filter((item) => text(item, "agent_id") === this.#agentId && !isBeingDeleted(item))
      .map((item) => ({
        id: text(item, "conversation_id") || idAfter(item, CONVERSATION_PREFIX),
        title: text(item, "title"),
        stamp: text(item, "updated_at"),
      }));
  }

  /** Reads what is new in a conversation, newest first, and a part of what was left out before. Gives what is left. */
  async #readOne(listed: ListedConversation, known: KnownConversation | undefined) {
    const source = { partition: conversationPartition(listed.id), prefix: MESSAGE_PREFIX, attributes: READ };
    const from = known ? this.#index.readAgainFrom(listed.id, OVERLAP_MS) : "";
    const fresh = await readBack(this.#table, source, { from, before: END }, STEP_PAGES);

    const before = known?.gap ?? null;
    // Behind what is known there is nothing new, however much of it is read again. What was left out before goes on.
    const isMet = fresh.items.some((item) => this.#index.has(listed.id, idAfter(item, MESSAGE_PREFIX)));
    const left = isMet ? null : fresh.left;
    // Too much is new to come to what is old: both become one gap.
    const gap = before && left ? { ...left, from: before.from } : (left ?? before);
    const rest =
      gap && !left
        ? await readBack(this.#table, source, gap, Math.max(1, STEP_PAGES - fresh.pages))
        : { items: [], left: gap };

    this.#index.apply({
      conversation: { ...listed, gap: rest.left },
      newer: fresh.items.flatMap(messageFrom),
      older: rest.items.flatMap(messageFrom),
    });
    return rest.left;
  }
}

/** Whether something has changed since a conversation was read, or a part of it was left out then. */
const isUnread = ({ stamp, title }: ListedConversation, known: KnownConversation | undefined): boolean =>
  !known || known.gap !== null || known.title !== title || known.stamp !== stamp;

function messageFrom(item: Item): readonly IndexedMessage[] {
  const role = text(item, "role");
  if (role !== "user" && role !== "assistant") return [];

  const sortKey = idAfter(item, MESSAGE_PREFIX);
  const [time = "", ...id] = sortKey.split("#");
  return [
    {
      messageId: text(item, "message_id", id.join("#")),
      sortKey,
      role,
      content: text(item, "content"),
      files: maps(item, "attachments").map((file) => text(file, "filename")),
      createdAt: text(item, "created_at", time),
      runId: optionalText(item, "run_id"),
    },
  ];
}
