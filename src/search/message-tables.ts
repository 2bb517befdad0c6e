import { conversationIdOf } from "../shared/id-types.ts";
import type { KnownConversation } from "./message-index.ts";
import type { RecallHit } from "./model.ts";
import { FTS5_TOKENIZER, TOKENS_VERSION } from "./tokens.ts";
import { type Filter, TRAIT_COLUMNS } from "./word-ranking.ts";

/** Change the number when the content of the index changes: an index with another version is rebuilt. */
export const VERSION = `3/${TOKENS_VERSION}`;
export const STATE_TABLE =
  "CREATE TABLE IF NOT EXISTS message_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
export const SCHEMA = [
  STATE_TABLE,
  `CREATE TABLE IF NOT EXISTS conversations (
     number INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
     stamp TEXT NOT NULL, gap_from TEXT, gap_before TEXT)`,
  `CREATE TABLE IF NOT EXISTS messages (
     place INTEGER PRIMARY KEY, conversation_id TEXT NOT NULL, sort_key TEXT NOT NULL, moment INTEGER NOT NULL,
     message_id TEXT NOT NULL, role TEXT NOT NULL, run_id TEXT, created_at TEXT NOT NULL, files TEXT NOT NULL,
     content TEXT NOT NULL, file_texts TEXT NOT NULL, ${TRAIT_COLUMNS})`,
  "CREATE UNIQUE INDEX IF NOT EXISTS messages_by_key ON messages (conversation_id, sort_key)",
  "CREATE INDEX IF NOT EXISTS messages_by_run ON messages (run_id, role)",
  "CREATE INDEX IF NOT EXISTS messages_by_moment ON messages (moment)",
  "CREATE INDEX IF NOT EXISTS messages_by_label ON messages (label)",
  `CREATE VIRTUAL TABLE IF NOT EXISTS message_words USING fts5(
     content, date, content = '', contentless_delete = 1, tokenize = '${FTS5_TOKENIZER}')`,
] as const;

/** Reads hits, without the texts of their files. */
export const HIT = `SELECT message_id, conversation_id, title, role, content, files, created_at
   FROM messages JOIN conversations USING (conversation_id)`;

/** Whether a message holds a literal, in its text or in the name of a file. Variation selectors do not count. */
export const HOLDS_LITERAL = `(INSTR(REPLACE(REPLACE(content, char(65038), ''), char(65039), ''), ?) > 0
  OR EXISTS (SELECT 1 FROM json_each(files) WHERE INSTR(value, ?) > 0))`;

/** Whether a message passes a filter, with the values of `passing`. */
export const PASSES = "place NOT IN (SELECT value FROM json_each(?)) AND moment BETWEEN ? AND ?";

/** Returns the values of `PASSES`. */
export const passing = ({ excluded, from, to }: Filter): readonly [string, number, number] => [
  JSON.stringify(excluded),
  from,
  to,
];

/** Type aliases, because rows need an implicit index signature. */
export type ConversationRow = {
  readonly conversation_id: string;
  readonly title: string;
  readonly stamp: string;
  readonly gap_from: string | null;
  readonly gap_before: string | null;
};

export type MessageRow = {
  readonly message_id: string;
  readonly conversation_id: string;
  readonly title: string;
  readonly role: string;
  readonly content: string;
  readonly files: string;
  readonly created_at: string;
};

/** Returns an indexed conversation from its row. */
export const conversationFrom = (row: ConversationRow): KnownConversation => ({
  id: conversationIdOf(row.conversation_id),
  title: row.title,
  stamp: row.stamp,
  gap:
    row.gap_from === null || row.gap_before === null ? null : { from: row.gap_from, before: row.gap_before },
});

/** Returns a hit from its row. */
export const hitFrom = (row: MessageRow, score: number): RecallHit => ({
  messageId: row.message_id,
  conversationId: conversationIdOf(row.conversation_id),
  conversationTitle: row.title,
  role: row.role,
  content: row.content,
  // Written by `#add`.
  files: JSON.parse(row.files) as readonly string[],
  filePassage: null,
  createdAt: row.created_at,
  score,
});
