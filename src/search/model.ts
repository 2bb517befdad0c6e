/** What is searched for, in an agent's memory of one user. */
export interface MemorySearchRequest {
  readonly agentId: string;
  readonly userId: string;
  /** The account that the agent belongs to: its credentials may turn memories into vectors. */
  readonly account: string;
  readonly query: string;
  readonly limit: number;
  readonly offset: number;
}

export interface MemoryHit {
  readonly memoryId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly occurredAt: string | null;
  readonly score: number;
}

/** notes: machine-readable reasons such as "nothing-stored", "nothing-matched", "index-building". */
export interface MemorySearchAnswer {
  readonly hits: readonly MemoryHit[];
  readonly total: number;
  readonly notes: readonly string[];
}

/** The search over archival memory. */
export interface MemorySearch {
  search(request: MemorySearchRequest): Promise<MemorySearchAnswer>;
  /** Forgets what is known of an agent's memory of a user; the table is the truth, and is not touched. */
  forget(agentId: string, userId: string): Promise<void>;
}

/** What is searched for in all that an agent and one user have said to each other. */
export interface RecallRequest extends Omit<MemorySearchRequest, "account"> {
  /** The name of the space whose conversations are searched; see `spaceName`. */
  readonly conversationsOf: string;
  /** The run that asks: its own messages are left out. */
  readonly exceptRunId?: string;
}

/** A message that was found. */
export interface RecallHit {
  readonly messageId: string;
  readonly conversationId: string;
  readonly conversationTitle: string;
  readonly role: string;
  readonly content: string;
  /** The names of its files. */
  readonly files: readonly string[];
  readonly createdAt: string;
  readonly score: number;
}

/** notes: as with memories. */
export interface RecallAnswer {
  readonly hits: readonly RecallHit[];
  readonly total: number;
  readonly notes: readonly string[];
}

/** The search over conversations. */
export interface MessageSearch {
  recall(request: RecallRequest): Promise<RecallAnswer>;
}
