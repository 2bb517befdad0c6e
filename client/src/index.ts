export type * from "./api.ts";
export { AgentBuilder, type ClientOptions } from "./client.ts";
export { ApiError, ConnectionError, type ConnectionFailure, type MemberError, RunFailed } from "./errors.ts";
export { Answer, type FollowOptions, type SendOptions } from "./answer.ts";
export type { ConnectionState } from "./event-stream.ts";
export { type Page, Pages } from "./pages.ts";
export type { Credentials, GetToken } from "./tokens.ts";
export type { Exchange, Fetch } from "./transport.ts";
export type { AgentClient, Agents, EndUserClient } from "./agents.ts";
export type { Account, ApiKeys, Settings, UsageClient } from "./account.ts";
export type { ConversationClient, Conversations } from "./conversations.ts";
export type { KnowledgeBaseClient, KnowledgeBases, NamedFile } from "./knowledge.ts";
export { CannotUndo } from "./memory.ts";
export type { ArchivalMemory, BlockClient, CoreMemory, Precondition, TaggedContent } from "./memory.ts";
export type {
  AnsweredPath,
  AnswerOf,
  Arguments,
  EventOf,
  Method,
  OptionsOf,
  QueryOf,
  RequestSettings,
  StreamedPath,
} from "./operations.ts";
