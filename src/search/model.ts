import type { FilePassage } from "./file-passage.ts";
import type { AccountEmail, AgentId, ConversationId, RunId } from "../shared/id-types.ts";

/** How many earlier texts of a memory are kept. A further change removes the oldest one. */
export const MAX_EARLIER_TEXTS = 20;

/** A range of time in milliseconds since the epoch, both ends inclusive. An absent end is open. */
export interface MomentRange {
  readonly from?: number;
  readonly to?: number;
}

/** What a search looks for. Only texts about a time in the range match. */
export interface SearchCriteria extends MomentRange {
  readonly query: string;
  /** Further questions of the same search. Their results are merged with those of `query`. */
  readonly queries?: readonly string[];
}

/** What a search in memories looks for. */
export interface MemorySearchCriteria extends SearchCriteria {
  /**
   * Only memories that were stored by this time (ms since the epoch), with the texts that they had then. Memories that
   * have been deleted since are not found.
   */
  readonly asOf?: number;
}

/** A search in an agent's archival memory of one user. */
export interface MemorySearchRequest extends MemorySearchCriteria {
  readonly agentId: AgentId;
  readonly userId: string;
  /** The account that owns the agent. Its credentials may be used for embeddings. */
  readonly accountEmail: AccountEmail;
  readonly limit: number;
  readonly offset: number;
  /** The order that an earlier page has kept; see `MemorySearchAnswer.snapshot`. */
  readonly snapshot?: string | undefined;
}

export interface MemoryHit {
  readonly memoryId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly occurredAt: string | null;
  /** When a change replaced this text. Absent if it is the current one. */
  readonly supersededAt?: string;
  readonly score: number;
}

/** What a search has looked at, so that "I don't know" has a reason. */
export interface SearchEvidence {
  /** The words of the queries that some text has, and those that none has. Neither includes stop words. */
  readonly matchedTerms: readonly string[];
  readonly missingTerms: readonly string[];
  /** The number of texts in the range of time, and when the newest of them was written; null if there are none. */
  readonly considered: number;
  readonly newestAt: string | null;
}

/**
 * The result of a memory search. `total` counts all matches. `notes` holds machine-readable reasons, such as
 * `nothing-stored`, `nothing-matched`, `index-building` and, once, `index-rebuilt`.
 */
export interface MemorySearchAnswer {
  /** Absent on later pages. */
  readonly evidence?: SearchEvidence;
  readonly hits: readonly MemoryHit[];
  readonly total: number;
  readonly notes: readonly string[];
  /** The name of the order of all results, for requests of later pages. Absent if there are none, or it is gone. */
  readonly snapshot?: string;
}

/** The memory whose index is asked about. */
export type MemoryIndexRequest = Pick<MemorySearchRequest, "agentId" | "userId" | "accountEmail">;

/** How far memories have vectors. */
export interface EmbeddingStatus {
  /** The number of memories that have a vector. */
  readonly embedded: number;
  /** The model and the length of its vectors, such as `text-embedding-3-small/512`; null without an embedder. */
  readonly model: string | null;
  /** Why the embeddings server failed last, and when (ms since the epoch). Null since it last embedded memories. */
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

/** How far memories can be found. */
export interface MemoryIndexStatus extends EmbeddingStatus {
  /** The number of memories that are found by their words. */
  readonly indexed: number;
}

/** Searches archival memory. */
export interface MemorySearch {
  search(request: MemorySearchRequest): Promise<MemorySearchAnswer>;
  /** Returns how far the memories can be found. Begins to index and embed those that can't be yet. */
  status(request: MemoryIndexRequest): Promise<MemoryIndexStatus>;
  /** Removes the index of an agent's memory of a user. The table, which is the source of truth, is not changed. */
  forget(agentId: AgentId, userId: string): Promise<void>;
}

/** A search in all conversations between an agent and one user. */
export interface RecallRequest extends Omit<MemorySearchRequest, "asOf"> {
  /** The name of the access scope whose conversations are searched; see `scopeName`. */
  readonly conversationsOf: string;
  readonly except?: ExceptMessages;
}

/** The messages that a search leaves out: those of the turn that makes it. */
export interface ExceptMessages {
  readonly runId: RunId;
  /** If the turn answers a stored message again: where this message is. It and what follows it in the conversation is left out. */
  readonly from?: { readonly conversationId: ConversationId; readonly sortKey: string };
}

/** A message that matches a search. */
export interface RecallHit {
  readonly messageId: string;
  readonly conversationId: ConversationId;
  readonly conversationTitle: string;
  readonly role: string;
  readonly content: string;
  /** The names of its attachments. */
  readonly files: readonly string[];
  /** The part of an attachment that matches the query, if it matches better than the message itself. */
  readonly filePassage: FilePassage | null;
  readonly createdAt: string;
  readonly score: number;
}

/** The result of a conversation search. The other fields are as in `MemorySearchAnswer`. */
export interface RecallAnswer {
  readonly evidence?: SearchEvidence;
  readonly snapshot?: string;
  readonly hits: readonly RecallHit[];
  readonly total: number;
  readonly notes: readonly string[];
}

/** Searches conversations. */
export interface MessageSearch {
  recall(request: RecallRequest): Promise<RecallAnswer>;
}
