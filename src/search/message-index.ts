import type { ConversationId, RunId } from "../shared/id-types.ts";
import { traitsOf } from "./factors.ts";
import { filePassageOf, type IndexedFile, indexedFiles } from "./file-passage.ts";
import { memoryDate } from "./memory-date.ts";
import type { ExceptMessages, RecallHit, SearchEvidence } from "./model.ts";
import { passageWords } from "./passage.ts";
import type { Query } from "./query.ts";
import type { Ranked } from "./search-pages.ts";
import type { Gap } from "./reverse-scan.ts";
import {
  type Filter,
  type Matched,
  placesOf,
  type Scored,
  termsOfAll,
  traitValues,
  WordRanking,
} from "./word-ranking.ts";
import { indexedText } from "./tokens.ts";
import {
  conversationFrom,
  type ConversationRow,
  HIT,
  hitFrom,
  HOLDS_LITERAL,
  type MessageRow,
  PASSES,
  passing,
  SCHEMA,
  STATE_TABLE,
  VERSION,
} from "./message-tables.ts";

/** A message from the table. The sort key has no prefix. Tool outputs are not included. */
export interface IndexedMessage {
  readonly messageId: string;
  readonly sortKey: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly files: readonly IndexedFile[];
  readonly createdAt: string;
  readonly runId: RunId | null;
}

/** An entry in the list of a user's conversations. */
export interface ListedConversation {
  readonly id: ConversationId;
  readonly title: string;
  /** Changes whenever the conversation changes. */
  readonly stamp: string;
}

/** An indexed conversation, and the range of it that has not been read yet. */
export interface KnownConversation extends ListedConversation {
  readonly gap: Gap | null;
}

/** The result of reading a conversation once, oldest first. */
export interface MessageChanges {
  readonly conversation: KnownConversation;
  readonly newer: readonly IndexedMessage[];
  readonly older: readonly IndexedMessage[];
  /** The ranges of sort keys that were read completely. What the index has there and was not read has been removed. */
  readonly read: readonly Gap[];
}

/**
 * Places per conversation, filled from the middle, so that messages of different conversations are never neighbours.
 */
const PLACES = 2 ** 20;
/** The longest time between a question and its answer, including answers that were saved late. */
const ANSWER_MS = 24 * 60 * 60 * 1000;

/** Indexes and searches the conversations of one agent and user. Depends on SQLite only, not on the table. */
export class MessageIndex {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #words: WordRanking;
  /** Whether the index that was found had another version, so that it is being built again. */
  readonly wasOutdated: boolean = false;

  constructor({ storage }: { readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync"> }) {
    this.#storage = storage;
    const tables = { texts: "messages", words: "message_words", newestBy: "moment" } as const;
    this.#words = new WordRanking({ sql: storage.sql, tables });
    this.#exec(STATE_TABLE);
    const version = this.#version;
    if (version === VERSION) return;
    this.wasOutdated = version !== undefined;
    this.#clear();
  }

  /** Returns the indexed conversations by id. */
  conversations(): ReadonlyMap<ConversationId, KnownConversation> {
    const rows = this.#exec<ConversationRow>("SELECT * FROM conversations");
    return new Map([...rows].map(conversationFrom).map((conversation) => [conversation.id, conversation]));
  }

  /**
   * Returns the sort key from which to read a conversation again: `overlapMs` milliseconds before its newest message,
   * or its oldest question that may still get an answer, if that is earlier. Empty if no message is indexed.
   */
  readAgainFrom(conversationId: ConversationId, overlapMs: number): string {
    const [newest] = this.#exec<{ sort_key: string; moment: number }>(
      "SELECT sort_key, moment FROM messages WHERE conversation_id = ? ORDER BY sort_key DESC LIMIT 1",
      conversationId,
    ).toArray();
    if (!newest) return "";

    const { first } = this.#exec<{ first: string | null }>(
      `SELECT MIN(sort_key) AS first FROM messages AS asked
       WHERE conversation_id = ? AND role = 'user' AND run_id IS NOT NULL AND moment > ?
         AND NOT EXISTS (SELECT 1 FROM messages WHERE run_id = asked.run_id AND role = 'assistant')`,
      conversationId,
      newest.moment - ANSWER_MS,
    ).one();
    const recent = newest.moment === 0 ? "" : new Date(newest.moment - overlapMs).toISOString().slice(0, -1);
    return first !== null && first < recent ? first : recent;
  }

  /** Whether a message is in the index. */
  has(conversationId: ConversationId, sortKey: string): boolean {
    const query = "SELECT COUNT(*) AS n FROM messages WHERE conversation_id = ? AND sort_key = ?";
    return this.#count(query, conversationId, sortKey) > 0;
  }

  /** Applies what was read of one conversation, atomically. */
  apply({ conversation, newer, older, read }: MessageChanges): void {
    this.#storage.transactionSync(() => {
      const { id, title, stamp, gap } = conversation;
      const found = new Set([...newer, ...older].map(({ sortKey }) => sortKey));
      for (const range of read) this.#removeOthers(id, range, found);
      const { number } = this.#exec<{ number: number }>(
        `INSERT INTO conversations (conversation_id, title, stamp, gap_from, gap_before) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (conversation_id) DO UPDATE SET
           title = excluded.title, stamp = excluded.stamp, gap_from = excluded.gap_from, gap_before = excluded.gap_before
         RETURNING number`,
        id,
        title,
        stamp,
        gap?.from ?? null,
        gap?.before ?? null,
      ).one();

      const unknownNewer = newer.filter(({ sortKey }) => !this.has(id, sortKey));
      const middle = number * PLACES + PLACES / 2;
      const { first, last } = this.#exec<{ first: number; last: number }>(
        "SELECT IFNULL(MIN(place), ?) AS first, IFNULL(MAX(place), ?) AS last FROM messages WHERE conversation_id = ?",
        middle + 1,
        middle,
        id,
      ).one();
      for (const [index, message] of unknownNewer.entries()) this.#add(id, message, last + 1 + index);
      const unknownOlder = older.filter(({ sortKey }) => !this.has(id, sortKey));
      for (const [index, message] of unknownOlder.entries())
        this.#add(id, message, first - unknownOlder.length + index);
    });
  }

  /** Removes the messages of a conversation in a range that are not among those that were found there. */
  #removeOthers(conversationId: ConversationId, { from, before }: Gap, found: ReadonlySet<string>): void {
    const indexed = this.#exec<{ place: number; sort_key: string }>(
      "SELECT place, sort_key FROM messages WHERE conversation_id = ? AND sort_key >= ? AND sort_key < ?",
      conversationId,
      from,
      before,
    ).toArray();
    for (const { place, sort_key: sortKey } of indexed) {
      if (found.has(sortKey)) continue;
      this.#exec("DELETE FROM message_words WHERE rowid = ?", place);
      this.#exec("DELETE FROM messages WHERE place = ?", place);
    }
  }

  /** Removes a conversation and its messages. */
  remove(conversationId: ConversationId): void {
    this.#storage.transactionSync(() => {
      this.#exec(
        "DELETE FROM message_words WHERE rowid IN (SELECT place FROM messages WHERE conversation_id = ?)",
        conversationId,
      );
      this.#exec("DELETE FROM messages WHERE conversation_id = ?", conversationId);
      this.#exec("DELETE FROM conversations WHERE conversation_id = ?", conversationId);
    });
  }

  /** Returns the number of messages without these. */
  storedWithout(except: ExceptMessages | undefined): number {
    return this.#count("SELECT COUNT(*) AS n FROM messages") - this.placesOf(except).length;
  }

  /** Returns the places of the messages that a search leaves out. */
  placesOf(except: ExceptMessages | undefined): readonly number[] {
    if (except === undefined) return [];
    const rows = this.#exec<{ place: number }>(
      `SELECT place FROM messages WHERE run_id = ?
       UNION SELECT place FROM messages WHERE conversation_id = ? AND sort_key >= ?`,
      except.runId,
      except.from?.conversationId ?? "",
      except.from?.sortKey ?? "",
    );
    return [...rows].map(({ place }) => place);
  }

  /** Returns the messages that match a query, best first. */
  rank(query: Query, end: number, filter: Filter): Matched {
    switch (query.kind) {
      case "everything":
        return this.#newestFirst("TRUE", [], end, filter);
      case "literal":
        return this.#newestFirst(HOLDS_LITERAL, [query.text, query.text], end, filter);
      case "words":
        return this.#words.best(query, end, filter, (head) => ({ ranked: head, scale: 1 }));
    }
  }

  /** Returns the messages at these places, in the same order, with the part of a file that answers the query `text`. */
  hitsAt(scored: readonly Scored[], text: string): readonly RecallHit[] {
    const query = `${HIT} WHERE place = ?`;
    const hits = scored.map(({ place, score }) => hitFrom(this.#exec<MessageRow>(query, place).one(), score));
    return this.withFilePassages(hits, text);
  }

  /** Returns what identifies each message: the ids of its conversation and its own, which contain no space. */
  idsAt(scored: readonly Scored[]): readonly Ranked[] {
    const rows = this.#exec<{ place: number; id: string }>(
      `SELECT place, conversation_id || ' ' || message_id AS id FROM messages
       WHERE place IN (SELECT value FROM json_each(?))`,
      JSON.stringify(placesOf(scored)),
    );
    const ids = new Map([...rows].map(({ place, id }) => [place, id]));
    return scored.map(({ place, score }) => ({ id: ids.get(place) ?? "", score }));
  }

  /** Returns what a search for these queries looks at. */
  evidence(queries: readonly Query[], filter: Filter): SearchEvidence {
    const newest = `SELECT created_at FROM messages WHERE ${PASSES} ORDER BY moment DESC LIMIT 1`;
    const passed = passing(filter);
    return {
      ...termsOfAll(queries, (query) => this.#words.termsFound(query, filter)),
      considered: this.#count(`SELECT COUNT(*) AS n FROM messages WHERE ${PASSES}`, ...passed),
      newestAt: this.#exec<{ created_at: string }>(newest, ...passed).toArray()[0]?.created_at ?? null,
    };
  }

  /** Returns the messages with these ids (see `idsAt`), in the same order. Missing ones are left out. */
  hitsOf(ranked: readonly Ranked[]): readonly RecallHit[] {
    const query = `${HIT} WHERE conversation_id = ? AND message_id = ?`;
    return ranked.flatMap(({ id, score }) => {
      const [conversationId = "", messageId = ""] = id.split(" ", 2);
      const rows = this.#exec<MessageRow>(query, conversationId, messageId);
      return [...rows].map((row) => hitFrom(row, score));
    });
  }

  /** Returns hits with the parts of their files that match a query. They are read for the hits of one page only. */
  withFilePassages(hits: readonly RecallHit[], text: string): readonly RecallHit[] {
    const query = "SELECT file_texts FROM messages WHERE conversation_id = ? AND message_id = ?";
    const words = passageWords(text);
    return hits.map((hit) => {
      if (hit.files.length === 0) return hit;
      const { file_texts: json } = this.#exec<{ file_texts: string }>(
        query,
        hit.conversationId,
        hit.messageId,
      ).one();
      // Written by `#add`.
      const texts = JSON.parse(json) as readonly string[];
      const files = hit.files.map((filename, index) => ({ filename, text: texts[index] ?? "" }));
      return { ...hit, filePassage: filePassageOf(hit.content, files, words) };
    });
  }

  #newestFirst(where: string, bindings: readonly string[], end: number, filter: Filter): Matched {
    const matching = `FROM messages WHERE ${where} AND ${PASSES}`;
    const bound = [...bindings, ...passing(filter)];
    const ranked = this.#exec<Scored>(
      `SELECT place, 0 AS score ${matching} ORDER BY moment DESC, sort_key DESC LIMIT ?`,
      ...bound,
      end,
    ).toArray();
    return { ranked, total: this.#count(`SELECT COUNT(*) AS n ${matching}`, ...bound) };
  }

  #add(conversationId: ConversationId, message: IndexedMessage, place: number): void {
    const { messageId, sortKey, role, content, createdAt, runId } = message;
    const files = indexedFiles(message.files);
    const date = memoryDate(null, createdAt);
    this.#exec(
      "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      place,
      conversationId,
      sortKey,
      date.moment,
      messageId,
      role,
      runId,
      createdAt,
      JSON.stringify(files.map(({ filename }) => filename)),
      content,
      JSON.stringify(files.map(({ text }) => text)),
      ...traitValues({ ...traitsOf(content), label: role }),
    );
    this.#exec(
      "INSERT INTO message_words (rowid, content, date) VALUES (?, ?, ?)",
      place,
      indexedText([content, ...files.flatMap(({ filename, text }) => [filename, text])].join("\n")),
      date.text,
    );
  }

  get #version(): string | undefined {
    const query = "SELECT value FROM message_state WHERE name = 'version'";
    return this.#exec<{ value: string }>(query).toArray()[0]?.value;
  }

  #clear(): void {
    this.#storage.transactionSync(() => {
      for (const table of ["message_words", "messages", "conversations", "message_state"])
        this.#exec(`DROP TABLE IF EXISTS ${table}`);
      for (const statement of SCHEMA) this.#exec(statement);
      this.#exec("INSERT INTO message_state VALUES ('version', ?)", VERSION);
    });
  }

  #count(query: string, ...bindings: readonly SqlStorageValue[]): number {
    return this.#exec<{ n: number }>(query, ...bindings).one().n;
  }

  #exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: readonly SqlStorageValue[]) {
    return this.#storage.sql.exec<Row>(query, ...bindings);
  }
}
