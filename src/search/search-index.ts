import { DurableObject } from "cloudflare:workers";
import { portsFrom } from "../deps.ts";
import { AppError } from "../shared/errors.ts";
import { memoryPartition } from "../table/keys.ts";
import { IndexKeeper } from "./index-keeper.ts";
import type { MemorySearchAnswer, MemorySearchRequest } from "./model.ts";
import { parseQuery } from "./query.ts";
import type { SearchCall, SearchReply } from "./search-protocol.ts";
import { TextIndex } from "./text-index.ts";

/** How soon a build goes on: at once, or later where the table did not answer. */
const NEXT_STEP_MS = 1;
const RETRY_MS = 10_000;

interface OpenIndex {
  readonly index: TextIndex;
  readonly keeper: IndexKeeper;
}

/**
 * The search index of one agent's memory of one user. Nothing lasts here that the table does not have: an index that is
 * lost is read anew. A shell around `TextIndex` and `IndexKeeper`, which know nothing of Durable Objects but the storage.
 */
export class SearchIndex extends DurableObject<Env> {
  #open: OpenIndex | undefined;

  override async fetch(request: Request): Promise<Response> {
    // The Worker and the runners, and nobody else, ask in this shape.
    const call = await request.json<SearchCall>();
    try {
      if (call.kind === "forget") return await this.#forget();
      return Response.json({ answer: await this.#search(call.request) } satisfies SearchReply);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.status >= 500)
        console.error({ message: error.message, code: error.code, cause: error.cause ?? error });
      const { code, message, retryAfter = null } = error;
      return Response.json({ error: { code, message, retryAfter } } satisfies SearchReply);
    }
  }

  /** Goes on with building. */
  override async alarm(): Promise<void> {
    const partition = await this.ctx.storage.get<string>("partition");
    if (partition === undefined) return;

    const { keeper } = await this.#opened(partition);
    try {
      await keeper.catchUp();
      if (keeper.isBuilding) await this.ctx.storage.setAlarm(Date.now() + NEXT_STEP_MS);
    } catch (error) {
      console.warn({ message: "Building a search index has to wait.", error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
  }

  async #search(request: MemorySearchRequest): Promise<MemorySearchAnswer> {
    const partition = memoryPartition(request.agentId, request.userId);
    const { index, keeper } = await this.#opened(partition);
    await keeper.catchUp();

    const { hits, total, stored } = index.search(parseQuery(request.query), request.limit, request.offset);
    const notes = [
      ...(keeper.isBuilding ? ["index-building"] : []),
      ...(total > 0 ? [] : [stored === 0 ? "nothing-stored" : "nothing-matched"]),
    ];
    if (keeper.isBuilding) await this.#buildOn(partition);
    return { hits, total, notes };
  }

  /** Leaves what is left of the building to the alarm. */
  async #buildOn(partition: string): Promise<void> {
    await this.ctx.storage.put("partition", partition);
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + NEXT_STEP_MS);
  }

  async #forget(): Promise<Response> {
    await this.#open?.keeper.rest();
    // Nobody may open an index that is about to lose its tables.
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.#open = undefined;
    });
    return new Response(null, { status: 204 });
  }

  async #opened(partition: string): Promise<OpenIndex> {
    if (this.#open) return this.#open;

    const { table, clock } = await portsFrom(this.env);
    // Another request may have been quicker.
    if (!this.#open) {
      const index = new TextIndex(this.ctx.storage);
      this.#open = { index, keeper: new IndexKeeper(index, table, partition, clock.now) };
    }
    return this.#open;
  }
}
