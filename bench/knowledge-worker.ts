import { DurableObject } from "cloudflare:workers";
import { PassageIndex } from "../src/search/passage-index.ts";
import type { IndexedPage } from "../src/search/passage-model.ts";
import { parseQuery } from "../src/search/query.ts";
import { rankAll } from "../src/search/results.ts";
import { EVERYTHING } from "../src/search/word-ranking.ts";
import type { PageId } from "../src/shared/id-types.ts";

interface BenchEnv {
  readonly PASSAGES: DurableObjectNamespace<Passages>;
}

/** What the benchmark asks for; each call is timed by itself. */
export type BenchCall =
  | { readonly kind: "fill"; readonly base: string; readonly pages: readonly IndexedPage[] }
  | { readonly kind: "search"; readonly base: string; readonly queries: readonly string[] }
  | { readonly kind: "remove"; readonly base: string; readonly pages: readonly PageId[] }
  /** Does nothing, so often: what calling the object takes by itself. */
  | { readonly kind: "idle"; readonly base: string; readonly times: number };

/** How long each call took in milliseconds, and the state of the index afterwards. */
export interface BenchReply {
  readonly ms: readonly number[];
  readonly passages: number;
  readonly bytes: number;
}

/** The index of one knowledge base, without the table. */
export class Passages extends DurableObject<BenchEnv> {
  readonly #index = new PassageIndex({ storage: this.ctx.storage, passagesVersion: 1 });

  fill(pages: readonly IndexedPage[]): void {
    this.#index.apply(pages, [], 1);
  }

  /** Does what a search of one knowledge base does. */
  search(text: string): number {
    const queries = [parseQuery(text)];
    const { ranked } = rankAll(this.#index, [{ query: queries[0] ?? parseQuery("") }], 5, EVERYTHING);
    const hits = this.#index.hitsAt(ranked);
    this.#index.evidence(queries);
    return hits.length;
  }

  idle(): number {
    return 0;
  }

  remove(pageId: PageId): void {
    this.#index.apply([], [pageId], 1);
  }

  state(): Pick<BenchReply, "passages" | "bytes"> {
    return { passages: this.#index.stored, bytes: this.ctx.storage.sql.databaseSize };
  }
}

// Timed in here, because the development server's own proxies take longer than a search.
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("ready");
    const call = await request.json<BenchCall>();
    const index = env.PASSAGES.getByName(call.base);
    const ms: number[] = [];
    const timed = async (work: Promise<unknown>) => {
      const startedAt = performance.now();
      await work;
      ms.push(performance.now() - startedAt);
    };

    if (call.kind === "fill") await timed(index.fill(call.pages));
    else if (call.kind === "search") for (const query of call.queries) await timed(index.search(query));
    else if (call.kind === "remove") for (const pageId of call.pages) await timed(index.remove(pageId));
    else for (let n = 0; n < call.times; n++) await timed(index.idle());
    return Response.json({ ms, ...(await index.state()) } satisfies BenchReply);
  },
} satisfies ExportedHandler<BenchEnv>;
