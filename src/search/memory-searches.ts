import { nearestArea } from "../shared/areas.ts";
import { AppError } from "../shared/errors.ts";
import type {
  MemorySearch,
  MemorySearchAnswer,
  MemorySearchRequest,
  MessageSearch,
  RecallAnswer,
  RecallRequest,
} from "./model.ts";
import type { SearchCall, SearchReply } from "./search-protocol.ts";

/** A Durable Object that is reset while it is asked can be asked again at once; searching twice does no harm. */
const ATTEMPTS = 3;

/** The search indexes of all memories, one Durable Object each. */
export class MemorySearches implements MemorySearch, MessageSearch {
  readonly #namespace: DurableObjectNamespace;
  readonly #area: DurableObjectLocationHint | undefined;

  /** `region` is where the table is. */
  constructor(namespace: DurableObjectNamespace, region: string) {
    this.#namespace = namespace;
    this.#area = nearestArea(region);
  }

  /** The best matches of a memory as it is at this moment. Throws `unavailable` where the table does not answer. */
  search(request: MemorySearchRequest): Promise<MemorySearchAnswer> {
    return this.#ask<MemorySearchAnswer>({ kind: "search", request });
  }

  /** The best matches in what was said, as the table holds it at this moment. Throws like `search`. */
  recall(request: RecallRequest): Promise<RecallAnswer> {
    return this.#ask<RecallAnswer>({ kind: "recall", request });
  }

  /** Empties a memory's index. */
  async forget(agentId: string, userId: string): Promise<void> {
    await this.#call(agentId, userId, { kind: "forget" });
  }

  async #ask<Answer>(call: Exclude<SearchCall, { kind: "forget" }>): Promise<Answer> {
    const response = await this.#call(call.request.agentId, call.request.userId, call);
    // The index's own answer.
    const reply = await response.json<SearchReply<Answer>>();
    if ("answer" in reply) return reply.answer;

    const { code, message, retryAfter } = reply.error;
    throw new AppError(code, message, retryAfter === null ? {} : { retryAfter });
  }

  async #call(agentId: string, userId: string, call: SearchCall): Promise<Response> {
    const body = JSON.stringify(call);
    const options = this.#area === undefined ? {} : { locationHint: this.#area };

    for (let attempt = 1; ; attempt++) {
      try {
        const index = this.#namespace.getByName(indexName(agentId, userId), options);
        return await index.fetch("https://search/", { method: "POST", body });
      } catch (cause) {
        if (attempt === ATTEMPTS)
          throw new AppError("unavailable", "Search is not available at the moment.", {
            cause,
            retryAfter: 1,
          });
      }
    }
  }
}

/** The name holds the user, so nobody's search can reach another one's memory. Ids of agents hold no slash. */
const indexName = (agentId: string, userId: string): string => `${agentId}/${userId}`;
