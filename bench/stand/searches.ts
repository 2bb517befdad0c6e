import { setTimeout as sleep } from "node:timers/promises";
import { type AccountEmail, accountEmailOf, type AgentId } from "../../src/shared/id-types.ts";
import { randomWords } from "./planted.ts";
import type { BenchCall, BenchReply } from "./search-worker.ts";

/** How long to wait before asking again whether all vectors are there. Each question takes time from the embedding. */
const VECTORS_MS = 1_000;

/** Whose memories are searched. */
export const SEARCHER: AccountEmail = accountEmailOf("bench@example.com");
/** How many searches a figure is made of. */
const SEARCHES = 60;

/** Times the searches of the Worker at `url`, which has nothing but the search indexes. */
export class SearchTimer {
  readonly #url: string;
  readonly #hasVectors: boolean;

  constructor({ url, hasVectors }: { readonly url: string; readonly hasVectors: boolean }) {
    this.#url = url;
    this.#hasVectors = hasVectors;
  }

  /** Returns how long it takes until an index holds all `size` memories, in milliseconds. Throws if it holds others. */
  async buildMs(agentId: AgentId, size: number): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      // A query with words, because only such a search says whether all vectors are there.
      const query = this.#hasVectors ? "w0" : "";
      const { notes } = await this.#ask({ requests: [requestOf(agentId, query)], cold: false });
      if (notes.includes("embeddings-pending")) await sleep(VECTORS_MS);
      if (notes.includes("index-building") || notes.includes("embeddings-pending")) continue;
      const { total } = await this.#ask({ requests: [requestOf(agentId, "")], cold: false });
      if (total !== size) throw new Error(`The index holds ${total} of ${size} memories.`);
      return performance.now() - startedAt;
    }
  }

  /** Returns how long 60 searches of five words took, in milliseconds. `cold` evicts the index before each of them. */
  async searchMs(agentId: AgentId, { cold }: { readonly cold: boolean }): Promise<readonly number[]> {
    const requests = Array.from({ length: SEARCHES }, () => requestOf(agentId, randomWords(5)));
    const { ms } = await this.#ask({ requests, cold });
    return ms;
  }

  async #ask(call: BenchCall): Promise<BenchReply> {
    const response = await fetch(this.#url, { method: "POST", body: JSON.stringify(call) });
    if (!response.ok) throw new Error(await response.text());
    // The benchmark's own Worker.
    return (await response.json()) as BenchReply;
  }
}

const requestOf = (agentId: AgentId, query: string) => ({
  agentId,
  userId: SEARCHER,
  accountEmail: SEARCHER,
  query,
  limit: 5,
  offset: 0,
});
