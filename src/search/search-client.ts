import type { AgentId } from "../shared/id-types.ts";
import { DurableClient } from "../shared/durable-client.ts";
import type {
  MemoryIndexRequest,
  MemoryIndexStatus,
  MemorySearch,
  MemorySearchAnswer,
  MemorySearchRequest,
  MessageSearch,
  RecallAnswer,
  RecallRequest,
} from "./model.ts";
import type { SearchIndex } from "./search-index.ts";

interface SearchClientDeps {
  readonly namespace: DurableObjectNamespace<SearchIndex>;
  readonly region: string;
}

/** Calls the search indexes, one Durable Object per agent and user. Searches can be repeated safely. */
export class SearchClient implements MemorySearch, MessageSearch {
  readonly #indexes: DurableClient<SearchIndex>;

  /** `region` is the table's AWS region. Indexes are placed near it. */
  constructor({ namespace, region }: SearchClientDeps) {
    const unavailable = "Search is not available at the moment.";
    this.#indexes = new DurableClient({ namespace, region, unavailable });
  }

  /** Returns the best matches in the current memory. Throws `unavailable` if the table does not answer. */
  search(request: MemorySearchRequest): Promise<MemorySearchAnswer> {
    return this.#indexes.call(nameOf(request), (index) => index.search(request));
  }

  /** Returns how far the current memory can be found. Throws like `search`. */
  status(request: MemoryIndexRequest): Promise<MemoryIndexStatus> {
    return this.#indexes.call(nameOf(request), (index) => index.status(request));
  }

  /** Returns the best matches in the current conversations. Throws like `search`. */
  recall(request: RecallRequest): Promise<RecallAnswer> {
    return this.#indexes.call(nameOf(request), (index) => index.recall(request));
  }

  /** Removes the index of an agent and a user. */
  async forget(agentId: AgentId, userId: string): Promise<void> {
    await this.#indexes.call(nameOf({ agentId, userId }), (index) => index.forget());
  }
}

/** Security: the name contains the user, so no search reaches another user's memory. Agent ids contain no slash. */
const nameOf = ({ agentId, userId }: Pick<MemorySearchRequest, "agentId" | "userId">): string =>
  `${agentId}/${userId}`;
