export interface MemorySearchRequest {
  readonly agentId: string;
  readonly userId: string;
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

export interface MemorySearch {
  search(request: MemorySearchRequest): Promise<MemorySearchAnswer>;
  forget(agentId: string, userId: string): Promise<void>;
}
