import { SearchClient } from "../../src/search/search-client.ts";
import type { MemorySearchRequest } from "../../src/search/model.ts";
import { SearchIndex as RealIndex } from "../../src/search/search-index.ts";

/** The index, with a way to end the object and keep what is on its disk, as an eviction does. */
export class SearchIndex extends RealIndex {
  evict(): void {
    this.ctx.abort("evicted");
  }
}

/** What the benchmark asks for: these searches one after the other, each in an evicted index where `cold` is set. */
export interface BenchCall {
  readonly requests: readonly MemorySearchRequest[];
  readonly cold: boolean;
}

/** How long each search took, in milliseconds, and what the last one said. */
export interface BenchReply {
  readonly ms: readonly number[];
  readonly total: number;
  readonly notes: readonly string[];
}

// Timed in here, because the development server's own proxies take longer than a search.
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("ready");
    const { requests, cold } = await request.json<BenchCall>();
    // This Worker's index, not the real one.
    const indexes = env.SEARCH_INDEX as DurableObjectNamespace<SearchIndex>;
    const searches = new SearchClient({ namespace: env.SEARCH_INDEX, region: env.AWS_REGION });
    const ms: number[] = [];
    let last = { total: 0, notes: [] as readonly string[] };

    for (const search of requests) {
      const index = indexes.getByName(`${search.agentId}/${search.userId}`);
      if (cold) await index.evict().catch(() => undefined);
      const startedAt = performance.now();
      last = await searches.search(search);
      ms.push(performance.now() - startedAt);
    }
    return Response.json({ ms, total: last.total, notes: last.notes } satisfies BenchReply);
  },
} satisfies ExportedHandler<Env>;
