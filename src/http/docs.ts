import type * as z from "zod";
import type { ErrorCode } from "../shared/errors.ts";

/**
 * The texts and examples of the API description. Each feature has its own in a file `docs.ts`, which only `scripts/openapi.ts`
 * and tests import: the Worker's bundle has none of them.
 */
export interface FeatureDocs {
  /** The operations of the feature, by the id that `operation(…)` gives them. */
  readonly operations: Readonly<Record<string, OperationDocs>>;
  /** The schemas of the feature, by the id that `.meta({ id })` gives them. */
  readonly schemas?: Readonly<Record<string, SchemaDocs>>;
}

/** The texts and examples of an operation. */
export interface OperationDocs {
  readonly tag: Tag;
  /** At most 60 characters, without a full stop. */
  readonly summary: string;
  /** What the operation does, when to use it, and what to watch out for, in CommonMark. */
  readonly description: string;
  /** A realistic body. Required if the operation has one. */
  readonly request?: unknown;
  /** A realistic JSON answer by status. Required for every status with JSON. */
  readonly answers?: Readonly<Record<number, unknown>>;
  /** The problems of this operation besides those that follow from its middleware, such as 401 from its access check. */
  readonly problems?: readonly ErrorCode[];
  /** The headers of successful answers, besides `X-Request-Id`. */
  readonly headers?: readonly ResponseHeader[];
  /** Query parameters that mean something particular here, by name. */
  readonly parameters?: Readonly<Record<string, ParameterDocs>>;
  /** The events or lines of the answer. Required if it is an event stream or lines of JSON. */
  readonly stream?: StreamDocs;
}

/** The text about a parameter, and a realistic value. */
export interface ParameterDocs {
  readonly description: string;
  readonly example: unknown;
}

/** The events of a stream, or the lines of an export: one schema per type. */
export interface StreamDocs {
  /** The id of the schema that any of them matches. */
  readonly id: string;
  readonly description: string;
  /** The member that says which schema an event matches. */
  readonly discriminator: string;
  readonly events: readonly z.ZodObject[];
  /** Realistic events, in the order in which they may be sent; at least one of each schema. */
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/** The texts about a schema. A text that is not here comes from the schema itself or from `FIELDS`. */
export interface SchemaDocs {
  readonly description: string;
  /** The id of a schema whose texts hold here, too, such as that of the entity that a reference belongs to. */
  readonly like?: string;
  /** Texts by the path of the property, such as `timing.started_at`; elements of arrays have the path of the array. */
  readonly fields?: Readonly<Record<string, FieldDocs>>;
}

/** The text about a property, and its format if the schema does not state one. */
export type FieldDocs =
  | string
  | { readonly description: string; readonly format: "date-time" | "date" | "uri" };

/** The sections of the description, in the order of a reader's interest. */
export const TAGS = {
  Chat: "Send a message to an agent and read its answer as it is written. A *run* is one message with everything that happens until its answer; it goes on without listeners, and can be followed, resumed and cancelled.",
  Memory:
    "What an agent remembers about a person. *Core memory* consists of blocks of lines that are part of every prompt. *Archival memory* holds what does not fit; the agent searches it. *Recall* searches what was said in conversations.",
  Agents:
    "Agents, the forms that configure them, and the *end users* who talk to them from your own pages without an account.",
  Conversations:
    "Conversations with an agent, their messages, and what the next turn would send to the model.",
  Knowledge:
    "Knowledge bases hold pages and files. Agents that are linked to a knowledge base search it and cite what they found. Fill one by uploads or by crawling a site.",
  Widget:
    "The chat that is embedded in web pages. A page sends its *publishable key* as `X-API-Key`; its visitors are end users of the agent, who need no account. Only the origins that the key allows may use it.",
  Account:
    "Sign-in, sessions, API keys for programs, credentials for model providers, and the export and deletion of everything that the account owns.",
  Webhooks:
    "Events of the account, such as the end of a run, that are delivered to addresses of yours: signed, retried for a day, and logged.",
  Plans: "Limits and usage of the account's plan, prices, and its subscription at Stripe.",
  Administration: "Health, this description, Stripe's webhook and the contact form.",
} as const;

type Tag = keyof typeof TAGS;

/** Response headers by name. */
export const RESPONSE_HEADERS = {
  "X-Request-Id": {
    description: "Identifies the request in the service's log. Problem documents have it as `request_id`.",
    schema: { type: "string", maxLength: 255 },
    example: "7d3c6f0e-2b7a-4d57-9a51-0c7e1f8a2b64",
  },
  ETag: {
    description:
      "The version of what was read or written. Send it back in `If-Match` to change only this version, or in `If-None-Match` to read only another one.",
    schema: { type: "string" },
    example: '"7"',
  },
  "Retry-After": {
    description: "After how many seconds the same request may succeed. Absent if waiting does not help.",
    schema: { type: "integer", minimum: 1 },
    example: 60,
  },
  RateLimit: {
    description:
      "What remains of a limit (`r`) and in how many seconds it resets (`t`; absent if it does not reset), as in the IETF draft on rate limits.",
    schema: { type: "string" },
    example: '"messages";r=97;t=86400',
  },
  "RateLimit-Policy": {
    description: "The name of the limit, its quota (`q`), and the length of its window in seconds (`w`).",
    schema: { type: "string" },
    example: '"messages";q=100;w=2592000',
  },
  "X-Warning": {
    description: "Why a model was accepted although its provider is not known to offer it. Absent otherwise.",
    schema: { type: "string" },
    example: "The models of OpenAI could not be listed, so agent_model was not checked.",
  },
  "X-Conversation-Id": {
    description: "The id of the conversation that the message belongs to.",
    schema: { type: "string" },
    example: "0193b2f5-0a8c-7d11-9e42-1b6f3c8d5e20",
  },
  "X-Run-Id": {
    description:
      "The id of the run that answers the message. With it, the run can be followed and cancelled.",
    schema: { type: "string" },
    example: "0193b2f5-1b3c-7a44-8b75-4e9c6fba8b50",
  },
  "Next-Cursor": {
    description: "Send it as `cursor` to read on. Absent on the last page.",
    schema: { type: "string" },
    example: "U1RFUCMwMDAwMDAwMTAw",
  },
  Location: {
    description: "Where the browser goes on.",
    schema: { type: "string", format: "uri" },
    example: "https://app.example.com/",
  },
  "Set-Cookie": {
    description:
      "Cookies of the sign-in: `HttpOnly`, `Secure`, and bound to this host. The refresh token is replaced with each use.",
    schema: { type: "string" },
    example: "__Host-dab_refresh=…; Path=/; HttpOnly; Secure; SameSite=Lax",
  },
  "WWW-Authenticate": {
    description: "How to authenticate.",
    schema: { type: "string" },
    example: "Bearer",
  },
} as const;

export type ResponseHeader = keyof typeof RESPONSE_HEADERS;

/** Ids and times of the examples, which belong together. */
export const EXAMPLE = {
  agentId: "0193b2f4-6d1e-7c35-8a0b-5f2e9d4c7a10",
  conversationId: "0193b2f5-0a8c-7d11-9e42-1b6f3c8d5e20",
  messageId: "0193b2f5-1c4d-7e22-8f53-2c7a4d9e6f30",
  answerId: "0193b2f5-2d5e-7f33-9a64-3d8b5eaf7a40",
  runId: "0193b2f5-1b3c-7a44-8b75-4e9c6fba8b50",
  responseId:
    "resp_WyIwMTkzYjJmNS0xYjNjLTdhNDQtOGI3NS00ZTljNmZiYThiNTAiLCIwMTkzYjJmNS0wYThjLTdkMTEtOWU0Mi0xYjZmM2M4ZDVlMjAiXQ",
  memoryId: "0193b2f6-3e6f-7b55-9c86-5fad7acb9c60",
  kbId: "0193b2f7-4f7a-7c66-8d97-6abe8bdcad70",
  pageId: "4f8c2d91-a7b3-8e60-9d5c-2b7f1a6e8c30",
  passageId: "p_4f8c2d91a7b3e605-3",
  jobId: "0193b2f8-5a8b-7d77-9ea8-7bcf9cedbe80",
  toolId: "0193b2fb-8dbe-7faa-8bdb-aefccfb0e1b0",
  serverId: "0193b2fc-9ecf-7abb-8cec-bffddab1f2c0",
  keyId: "0193b2f9-6b9c-7e88-8fb9-8cdaadfecf90",
  webhookId: "0193b2fb-8dbe-7aaa-8bdb-aeccbfebe1b0",
  sessionId: "0193b2fa-7cad-7f99-9aca-9debbeafd0a0",
  checkoutId: "cs_test_a1B2c3D4e5F6g7H8",
  endUserId: "visitor-1",
  email: "ada@example.com",
  at: "2026-06-01T09:30:00.000Z",
  later: "2026-06-01T09:30:04.120Z",
  cursor: "eyJwIjoiMDE5M2IyZjUifQ",
} as const;

/** Returns an example of a list's only page. */
export const examplePage = (...items: readonly unknown[]) => ({ items, next_cursor: null, has_more: false });

/** Path, query and header parameters whose meaning is the same in all operations. */
export const PARAMETERS: Readonly<Record<string, ParameterDocs>> = {
  agentId: { description: "The agent's id, `agent_id`.", example: EXAMPLE.agentId },
  chatId: { description: "The id of the chat, which the client has chosen.", example: "chat-4711" },
  agentOrName: { description: "The id or the name of the agent.", example: EXAMPLE.agentId },
  conversationId: {
    description: "The conversation's id, `conversation_id`.",
    example: EXAMPLE.conversationId,
  },
  runId: {
    description: "The run's id, `run_id`. The events of a run are also found under `active`.",
    example: EXAMPLE.runId,
  },
  responseId: { description: "The response's id, `id`.", example: EXAMPLE.responseId },
  callId: { description: "The call's id, `tool_call_id`, percent-encoded.", example: "call_2" },
  blockName: { description: "The name of the memory block, `block_name`.", example: "human" },
  version: { description: "The number of the version.", example: "3" },
  memoryId: { description: "The memory's id, `memory_id`.", example: EXAMPLE.memoryId },
  messageId: { description: "The message's id, `message_id`.", example: EXAMPLE.answerId },
  endUserId: {
    description: "The id under which your own application knows the end user.",
    example: EXAMPLE.endUserId,
  },
  kbId: { description: "The knowledge base's id, `kb_id`.", example: EXAMPLE.kbId },
  kb_id: { description: "The id of the knowledge base.", example: EXAMPLE.kbId },
  pageId: { description: "The page's id, `page_id`.", example: EXAMPLE.pageId },
  passageId: { description: "The passage's id, `passage_id`.", example: EXAMPLE.passageId },
  chunkId: { description: "The id of the chunk, `chunk_id`.", example: "chunk-17" },
  jobId: { description: "The crawl job's id, `job_id`.", example: EXAMPLE.jobId },
  toolId: { description: "The HTTP tool's id, `tool_id`.", example: EXAMPLE.toolId },
  serverId: { description: "The MCP server's id, `server_id`.", example: EXAMPLE.serverId },
  keyId: { description: "The API key's id, `key_id`.", example: EXAMPLE.keyId },
  webhookId: { description: "The endpoint's id, `webhook_id`.", example: EXAMPLE.webhookId },
  eventId: { description: "The event's id, which receivers get as `webhook-id`.", example: EXAMPLE.runId },
  connectionId: { description: "The connection's id, `connection_id`.", example: EXAMPLE.sessionId },
  sessionId: { description: "The session's id.", example: EXAMPLE.sessionId },
  providerName: { description: "The provider's name, matched without case.", example: "OpenAI" },
  provider: { description: "The provider's name, matched without case.", example: "OpenAI" },
  limit: { description: "The most items in the answer.", example: 20 },
  cursor: {
    description: "The `next_cursor` of the previous page. Absent or empty for the first page.",
    example: EXAMPLE.cursor,
  },
  query: { description: "What to look for: a question, or words.", example: "Where does Alice work?" },
  queries: {
    description: "Up to 4 further questions. Repeat the parameter for several ones.",
    example: ["Alice's employer"],
  },
  after: { description: "Only what is of this date or time (ISO 8601) or later.", example: "2026-01-01" },
  before: { description: "Only what is from before this date or time (ISO 8601).", example: "2026-07-01" },
  as_of: {
    description:
      "Searches the memories as they stood at this date (its end, UTC) or time (ISO 8601). Deleted memories are not found.",
    example: "2026-06-01",
  },
  top_k: { description: "The most results; 5 by default.", example: 5 },
  end_user_id: {
    description:
      "The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users.",
    example: EXAMPLE.endUserId,
  },
  end_user: { description: "Earlier name of `end_user_id`.", example: EXAMPLE.endUserId },
  auto_start: { description: "`false` creates the job without starting it.", example: "true" },
  from: { description: "The first day (UTC).", example: "2026-06-01" },
  to: { description: "The last day (UTC), today by default.", example: "2026-06-30" },
  group_by: { description: "What the report has one item for.", example: "model" },
  max_chars: { description: "The most characters of text in the answer.", example: 20_000 },
  model: {
    description: "The model that is asked. By default, a known small one of the provider.",
    example: "gpt-4o-mini",
  },
  "Idempotency-Key": {
    description:
      "1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer.",
    example: "order-4711-attempt-1",
  },
  "If-Match": {
    description: "The `ETag` that you read. If the state has changed since, the request is refused with 412.",
    example: '"7"',
  },
  "If-None-Match": {
    description: "The `ETag` that you have. If it is still current, the answer is a 304 without a body.",
    example: '"7"',
  },
  "Last-Event-ID": { description: "The same as `after`. If both are given, `after` wins.", example: "12" },
  "X-AI-SDK": {
    description: "The same as `ai_sdk`. If both are given, `ai_sdk` wins.",
    example: "6",
  },
  "X-Conversation-Id": {
    description:
      "The id of a conversation with the agent, or any name of up to 255 characters for one, which the first message creates.",
    example: "ticket-4711",
  },
  "X-Time-Zone": {
    description:
      "The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored.",
    example: "Europe/Berlin",
  },
};

const time = (description: string): FieldDocs => ({ description, format: "date-time" });

/** Properties whose meaning is the same in all schemas. */
export const FIELDS: Readonly<Record<string, FieldDocs>> = {
  agent_id: "The agent's id.",
  conversation_id: "The conversation's id.",
  message_id: "The message's id.",
  run_id: "The run's id.",
  memory_id: "The memory's id.",
  block_name: "The name of the memory block: lower-case letters, digits and underscores.",
  end_user_id: "The id under which your own application knows the end user.",
  kb_id: "The knowledge base's id.",
  page_id: "The page's id.",
  passage_id: "The passage's id. It changes when the page's text changes.",
  job_id: "The crawl job's id.",
  key_id: "The API key's id.",
  session_id: "The session's id.",
  webhook_id: "The webhook endpoint's id.",
  event_id: "The event's id, which receivers get as `webhook-id`.",
  subscription_id: "The subscription's id at Stripe.",
  created_at: time("When it was created (UTC)."),
  updated_at: time("When it was last changed (UTC); null if never."),
  started_at: time("When it began (UTC)."),
  ended_at: time("When it ended (UTC); null while it has not."),
  completed_at: time("When it ended (UTC); null while it has not."),
  expires_at: time("When it stops being valid (UTC); null if it does not."),
  last_used_at: time("When it was last used (UTC); null if never."),
  revoked_at: time("When it was revoked (UTC); null if it is valid."),
  occurred_at: "The date or time (ISO 8601) of what the memory is about; null or absent if it has none.",
  timestamp: time("When it happened (UTC)."),
  created_by: "The e-mail address of the account that owns it.",
  email: "The e-mail address.",
  name: "The name.",
  picture: "The address of a portrait; null if there is none.",
  token: "The token. Send it as `Authorization: Bearer …`.",
  content: "The text.",
  items: "The items of this page.",
  next_cursor: "Send it as `cursor` to get the next page; null on the last page.",
  has_more: "Whether there is a next page.",
  total: "How many results there are in all.",
  score: "How well it matches, from 0 to 1, relative to the best result, which has 1.",
  notes:
    "Remarks on the results, such as `nothing-stored` or `index-building`; empty if there is nothing to remark.",
  evidence: "What the search has looked at. Only on the first page.",
  usage: "Tokens as the provider counted them; null if it did not.",
  message: "A sentence for people.",
  detail: "A sentence for people that says more.",
  description: "A description; null if there is none.",
  word_count: "The number of words.",
  word_limit: "The most words that the block can hold.",
  capacity_percent: "The share of `word_limit` that is used, in percent.",
  is_default: "Whether it is one of the blocks that every memory has. Those can't be deleted.",
  lines: "The lines, in order.",
  url: "The address.",
  title: "The title; null if it has none.",
  role: "Who wrote it: `user` or `assistant`.",
  tool_calls: "The calls of tools, in order.",
  "tool_calls.id": "The id of the call.",
  "tool_calls.name": "The name of the tool.",
  "tool_calls.arguments": "The arguments as the model wrote them: JSON as text.",
  "tool_calls.output": "What the tool returned to the model.",
  "tool_calls.success": "Whether the tool succeeded.",
  attachments: "Text files that belong to the message.",
  "attachments.filename": "The file's name.",
  "attachments.size": "The file's size in bytes.",
  tier: "The key of the account's plan, such as `free` or `pro`.",
  period: "A calendar month (UTC), such as `2026-06`.",
  provider_name: "The provider's name.",
  is_configured: "Whether usable credentials are stored.",
};
