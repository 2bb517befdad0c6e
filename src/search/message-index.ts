import { memoryDate } from "./memory-date.ts";
import type { RecallHit } from "./model.ts";
import type { Query } from "./query.ts";
import type { Gap } from "./read-back.ts";
import { type Scored, WordRanking } from "./word-ranking.ts";
import { spaced } from "./words.ts";

/** A message as the table holds it; the sort key is without its prefix. Outputs of tools are not part of it. */
export interface IndexedMessage {
  readonly messageId: string;
  readonly sortKey: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly files: readonly string[];
  readonly createdAt: string;
  readonly runId: string | null;
}

/** A conversation as the list of the user's conversations shows it. */
export interface ListedConversation {
  readonly id: string;
  readonly title: string;
  /** Another one where something has changed. */
  readonly stamp: string;
}

/** A conversation as far as it has been read. */
export interface KnownConversation extends ListedConversation {
  readonly gap: Gap | null;
}

/** What one reading of a conversation brought, oldest first. */
export interface MessageChanges {
  readonly conversation: KnownConversation;
  readonly newer: readonly IndexedMessage[];
  readonly older: readonly IndexedMessage[];
}

export interface MessageIndexAnswer {
  readonly hits: readonly RecallHit[];
  readonly total: number;
  readonly stored: number;
}

/** Another number where what is indexed changes: an index of another number begins anew. */
const VERSION = "1";
/** Each conversation has so many places, filled from the middle: its messages are neighbours of each other only. */
const PLACES = 2 ** 20;
/** An answer comes this long after its question at most, also where it could not be saved at once. */
const ANSWER_MS = 24 * 60 * 60 * 1000;

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS message_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS conversations (
     number INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
     stamp TEXT NOT NULL, gap_from TEXT, gap_before TEXT)`,
  `CREATE TABLE IF NOT EXISTS messages (
     place INTEGER PRIMARY KEY, conversation_id TEXT NOT NULL, sort_key TEXT NOT NULL, moment INTEGER NOT NULL,
     message_id TEXT NOT NULL, role TEXT NOT NULL, run_id TEXT, created_at TEXT NOT NULL, files TEXT NOT NULL,
     content TEXT NOT NULL)`,
  "CREATE UNIQUE INDEX IF NOT EXISTS messages_by_key ON messages (conversation_id, sort_key)",
  "CREATE INDEX IF NOT EXISTS messages_by_run ON messages (run_id, role)",
  `CREATE VIRTUAL TABLE IF NOT EXISTS message_words USING fts5(
     content, date, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2')`,
] as const;

/** What was said in the conversations of an agent with a user, and the search in it. Knows SQLite and nothing of the table. */
export class MessageIndex {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #words: WordRanking;

  constructor(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">) {
    this.#storage = storage;
    const tables = { texts: "messages", words: "message_words", newestBy: "moment" } as const;
    this.#words = new WordRanking(storage.sql, tables);
    for (const statement of SCHEMA) this.#exec(statement);
    if (this.#version !== VERSION) this.#clear();
  }

  /** The conversations that are here, by id. */
  conversations(): ReadonlyMap<string, KnownConversation> {
    const rows = this.#exec<ConversationRow>("SELECT * FROM conversations");
    return new Map([...rows].map((row) => [row.conversation_id, conversationFrom(row)]));
  }

  /** From where on a conversation is read again: its last message that may still get its answer. */
  readAgainFrom(conversationId: string, overlapMs: number): string {
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

  /** Whether a message is here. */
  has(conversationId: string, sortKey: string): boolean {
    const query = "SELECT COUNT(*) AS n FROM messages WHERE conversation_id = ? AND sort_key = ?";
    return this.#count(query, conversationId, sortKey) > 0;
  }

  /** Takes in what was read of one conversation. */
  apply({ conversation, newer, older }: MessageChanges): void {
    this.#storage.transactionSync(() => {
      const { id, title, stamp, gap } = conversation;
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

  /** Forgets a conversation. */
  remove(conversationId: string): void {
    this.#storage.transactionSync(() => {
      this.#exec(
        "DELETE FROM message_words WHERE rowid IN (SELECT place FROM messages WHERE conversation_id = ?)",
        conversationId,
      );
      this.#exec("DELETE FROM messages WHERE conversation_id = ?", conversationId);
      this.#exec("DELETE FROM conversations WHERE conversation_id = ?", conversationId);
    });
  }

  /** What matches, best first; messages of one run may be left out. */
  search(query: Query, limit: number, offset: number, exceptRunId?: string): MessageIndexAnswer {
    const excluded = exceptRunId === undefined ? [] : this.#placesOfRun(exceptRunId);
    const stored = this.#count("SELECT COUNT(*) AS n FROM messages") - excluded.length;
    switch (query.kind) {
      case "everything":
        return { ...this.#newestFirst("TRUE", [], excluded, limit, offset), stored };
      case "literal":
        return {
          ...this.#newestFirst(
            "(INSTR(content, ?) > 0 OR EXISTS (SELECT 1 FROM json_each(files) WHERE INSTR(value, ?) > 0))",
            [query.text, query.text],
            excluded,
            limit,
            offset,
          ),
          stored,
        };
      case "words":
        return { ...this.#ranked(query.terms, excluded, limit, offset), stored };
    }
  }

  #newestFirst(
    where: string,
    bindings: readonly string[],
    excluded: readonly number[],
    limit: number,
    offset: number,
  ) {
    const matching = `${where} AND place NOT IN (SELECT value FROM json_each(?))`;
    const bound = [...bindings, JSON.stringify(excluded)];
    const rows = this.#exec<Scored>(
      `SELECT place, 0 AS score FROM messages WHERE ${matching}
       ORDER BY moment DESC, sort_key DESC LIMIT ? OFFSET ?`,
      ...bound,
      limit,
      offset,
    ).toArray();
    const total = this.#count(`SELECT COUNT(*) AS n FROM messages WHERE ${matching}`, ...bound);
    return { hits: this.#hits(rows), total };
  }

  #ranked(terms: readonly string[], excluded: readonly number[], limit: number, offset: number) {
    const { head, total, tail } = this.#words.rank(terms, excluded);
    const fromHead = head.slice(offset, offset + limit);
    const missing = Math.min(limit, total - offset) - fromHead.length;
    const skipped = Math.max(offset - head.length, 0);
    const behind = head.map(({ place }) => place);
    return {
      hits: this.#hits([...fromHead, ...(missing > 0 ? tail(behind, missing, skipped) : [])]),
      total,
    };
  }

  #hits(scored: readonly Scored[]): readonly RecallHit[] {
    const query = "SELECT * FROM messages JOIN conversations USING (conversation_id) WHERE place = ?";
    return scored.map(({ place, score }) => hitFrom(this.#exec<MessageRow>(query, place).one(), score));
  }

  #add(conversationId: string, message: IndexedMessage, place: number): void {
    const { messageId, sortKey, role, content, files, createdAt, runId } = message;
    const date = memoryDate(null, createdAt);
    this.#exec(
      "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      place,
      conversationId,
      sortKey,
      date.moment,
      messageId,
      role,
      runId,
      createdAt,
      JSON.stringify(files),
      content,
    );
    this.#exec(
      "INSERT INTO message_words (rowid, content, date) VALUES (?, ?, ?)",
      place,
      spaced([content, ...files].join("\n")),
      date.text,
    );
  }

  #placesOfRun(runId: string): readonly number[] {
    const rows = this.#exec<{ place: number }>("SELECT place FROM messages WHERE run_id = ?", runId);
    return [...rows].map(({ place }) => place);
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

/** Types, because SQL's rows have an index. */
type ConversationRow = {
  readonly conversation_id: string;
  readonly title: string;
  readonly stamp: string;
  readonly gap_from: string | null;
  readonly gap_before: string | null;
};

type MessageRow = {
  readonly message_id: string;
  readonly conversation_id: string;
  readonly title: string;
  readonly role: string;
  readonly content: string;
  readonly files: string;
  readonly created_at: string;
};

const conversationFrom = (row: ConversationRow): KnownConversation => ({
  id: row.conversation_id,
  title: row.title,
  stamp: row.stamp,
  gap:
    row.gap_from === null || row.gap_before === null ? null : { from: row.gap_from, before: row.gap_before },
});

const hitFrom = (row: MessageRow, score: number): RecallHit => ({
  messageId: row.message_id,
  conversationId: row.conversation_id,
  conversationTitle: row.title,
  role: row.role,
  content: row.content,
  // Written by `#add`.
  files: JSON.parse(row.files) as readonly string[],
  createdAt: row.created_at,
  score,
});
