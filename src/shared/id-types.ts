declare const brand: unique symbol;

/** Text that the compiler tells apart from other text. The brand exists in types only and costs nothing at run time. */
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The e-mail address that identifies an account. */
export type AccountEmail = Branded<"AccountEmail">;
export type AgentId = Branded<"AgentId">;
export type ConversationId = Branded<"ConversationId">;
export type RunId = Branded<"RunId">;
export type KnowledgeBaseId = Branded<"KnowledgeBaseId">;
/** A page or an uploaded file of a knowledge base. */
export type PageId = Branded<"PageId">;
export type CrawlJobId = Branded<"CrawlJobId">;

/**
 * These mark text as an id. Use them only where ids enter the program: validated path parameters, tokens, stored items, names of
 * Durable Objects, and where ids are made.
 */
export const accountEmailOf = (text: string): AccountEmail => text as AccountEmail;
export const agentIdOf = (text: string): AgentId => text as AgentId;
export const conversationIdOf = (text: string): ConversationId => text as ConversationId;
export const runIdOf = (text: string): RunId => text as RunId;
export const knowledgeBaseIdOf = (text: string): KnowledgeBaseId => text as KnowledgeBaseId;
export const pageIdOf = (text: string): PageId => text as PageId;
export const crawlJobIdOf = (text: string): CrawlJobId => text as CrawlJobId;
