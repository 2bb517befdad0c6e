import { type AgentId, conversationIdOf } from "../shared/id-types.ts";
import { mapConcurrent } from "../shared/async.ts";
import { TRANSIENT_PREFIX } from "../shared/transient-ids.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted, DELETING } from "../table/deletion.ts";
import { idAfter, maps, runIdIn, text } from "../table/fields.ts";
import {
  MESSAGE_PREFIX,
  CONVERSATION_PREFIX,
  conversationPartition,
  userConversationsPartition,
} from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import type { IndexedMessage, KnownConversation, ListedConversation, MessageIndex } from "./message-index.ts";
import { END, reverseScan } from "./reverse-scan.ts";
import { SingleFlight } from "./single-flight.ts";

/** Overlap of consecutive reads. A write may land this much later than the time in its key, and clocks differ. */
const OVERLAP_MS = 60_000;
/** Conversations read at a time. A Worker may have six connections waiting for a response. */
const PARALLEL = 6;
/** Limits per read: conversations, and pages of each. The rest is left to the next read. */
const STEP_CONVERSATIONS = 60;
const STEP_PAGES = 2;

const LISTED = ["sk", "conversation_id", "agent_id", "title", "updated_at", DELETING];
/** Tool calls are not read, so that earlier search results are not found again. */
const READ = ["sk", "message_id", "role", "content", "attachments", "created_at", "run_id"];

interface MessageIndexerDeps {
  readonly index: MessageIndex;
  readonly table: TableClient;
  readonly agentId: AgentId;
  readonly conversationsOf: string;
  readonly now: () => number;
}

/**
 * Keeps an index in sync with all conversations between a user and one agent. Reads their list, then the changed ones
 * in parallel. So an index waits for the table once if nothing has changed, and twice otherwise.
 */
export class MessageIndexer {
  readonly #index: MessageIndex;
  readonly #table: TableClient;
  readonly #agentId: AgentId;
  readonly #conversationsOf: string;
  readonly #now: () => number;
  readonly #reading = new SingleFlight(() => this.#read());
  #isBuilding = true;

  constructor({ index, table, agentId, conversationsOf, now }: MessageIndexerDeps) {
    this.#index = index;
    this.#table = table;
    this.#agentId = agentId;
    this.#conversationsOf = conversationsOf;
    this.#now = now;
  }

  /** Whether a part of the conversations has not been indexed yet. */
  get isBuilding(): boolean {
    return this.#isBuilding;
  }

  /** Synchronises the index with the current content of the table. */
  sync(): Promise<void> {
    return this.#reading.run();
  }

  /** Waits until no read is in progress. */
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
    // Recently updated conversations are read again, because a message may become visible after the update.
    const hot = newestFirst.filter(
      (conversation) => conversation.stamp >= hotSince && !unread.includes(conversation),
    );
    const step = [...unread, ...hot].slice(0, STEP_CONVERSATIONS);
    const gaps = await mapConcurrent(step, PARALLEL, (conversation) =>
      this.#readOne(conversation, known.get(conversation.id)),
    );
    this.#isBuilding = unread.length > STEP_CONVERSATIONS || gaps.some(Boolean);
  }

  /** Returns the user's conversations with the agent, without those that are being deleted. */
  async #list(): Promise<readonly ListedConversation[]> {
    // Up to the transient ones, which are not remembered.
    const range = {
      between: [CONVERSATION_PREFIX, `${CONVERSATION_PREFIX}${TRANSIENT_PREFIX}`] as const,
    };
    const options = { range, attributes: LISTED };
    const items = await this.#table.query(userConversationsPartition(this.#conversationsOf), options);
    return items
      .filter((item) => text(item, "agent_id") === this.#agentId && !isBeingDeleted(item))
      .map((item) => ({
        id: conversationIdOf(text(item, "conversation_id") || idAfter(item, CONVERSATION_PREFIX)),
        title: text(item, "title"),
        stamp: text(item, "updated_at"),
      }));
  }

  /**
   * Reads what is new in a conversation, newest first, then a part of the remaining gap. Returns the gap that is left.
   */
  async #readOne(listed: ListedConversation, known: KnownConversation | undefined) {
    const source = { partition: conversationPartition(listed.id), prefix: MESSAGE_PREFIX, attributes: READ };
    const from = known ? this.#index.readAgainFrom(listed.id, OVERLAP_MS) : "";
    const fresh = await reverseScan(this.#table, source, { from, before: END }, STEP_PAGES);

    const before = known?.gap ?? null;
    // Once a known message is found, nothing older is new, so the fresh read leaves no gap. The earlier gap remains.
    const reachesKnown = fresh.items.some((item) =>
      this.#index.has(listed.id, idAfter(item, MESSAGE_PREFIX)),
    );
    const left = reachesKnown ? null : fresh.left;
    // There is too much new to read the old gap too. Both become one gap.
    const gap = before && left ? { ...left, from: before.from } : (left ?? before);
    const rest =
      gap && !left
        ? await reverseScan(this.#table, source, gap, Math.max(1, STEP_PAGES - fresh.pages))
        : { items: [], left: gap };
    // An answer that was written again is gone. It was the last message, so it is in what is read again.
    const read = [
      { from: fresh.left?.before ?? from, before: END },
      ...(gap && !left ? [{ from: rest.left?.before ?? gap.from, before: gap.before }] : []),
    ];

    this.#index.apply({
      conversation: { ...listed, gap: rest.left },
      newer: fresh.items.flatMap(messageFrom),
      older: rest.items.flatMap(messageFrom),
      read,
    });
    return rest.left;
  }
}

/** Whether a conversation has changed since it was read, or has a gap. */
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
      files: maps(item, "attachments").map((file) => ({
        filename: text(file, "filename"),
        text: text(file, "content"),
      })),
      createdAt: text(item, "created_at", time),
      runId: runIdIn(item),
    },
  ];
}
