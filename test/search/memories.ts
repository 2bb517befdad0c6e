import { env } from "cloudflare:workers";
import { MemorySearches } from "../../src/search/memory-searches.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";
import type { Item } from "../../src/table/marshal.ts";
import { table } from "../support/app.ts";

const searches = new MemorySearches(env.SEARCH_INDEX, env.AWS_REGION);

/** A memory to plant; unless told it was inserted now, in the order of the list. */
export interface Planted {
  readonly id?: string;
  readonly content: string;
  readonly at?: number;
  readonly occurredAt?: string;
}

/** An agent's memory of a user, written to the table as the archive writes it, and searched through its index. */
export function testMemory(userId = `${crypto.randomUUID()}@example.com`) {
  const agentId = crypto.randomUUID();
  const pk = `Agent#${agentId}#User#${userId}`;
  let micros = 0;

  const itemOf = ({ id, content, at = Date.now(), occurredAt }: Planted): Item => {
    const time = formatTimestamp(at, micros++ % 1_000);
    const memoryId = id ?? crypto.randomUUID();
    return {
      pk,
      sk: `Archival#${time}#${memoryId}`,
      memory_id: memoryId,
      content,
      created_at: time,
      ...(occurredAt !== undefined && { occurred_at: occurredAt }),
    };
  };
  const tombstoneOf = (id: string, at: number): Item => ({
    pk,
    sk: `ArchivalGone#${formatTimestamp(at, micros++ % 1_000)}#${id}`,
    memory_id: id,
    ttl: Math.ceil(at / 1000) + 86_400,
  });

  return {
    agentId,
    userId,
    index: () => env.SEARCH_INDEX.getByName(`${agentId}/${userId}`),
    /** Gives the items as they stand in the table. */
    async plant(...memories: readonly (Planted | string)[]): Promise<readonly Item[]> {
      const items = memories.map((memory) =>
        itemOf(typeof memory === "string" ? { content: memory } : memory),
      );
      await table.batchWrite(items.map((item) => ({ put: item })));
      return items;
    },
    async remove({ sk, memory_id }: Item, at = Date.now()): Promise<void> {
      await table.batchWrite([
        { remove: { pk, sk: String(sk) } },
        { put: tombstoneOf(String(memory_id), at) },
      ]);
    },
    async edit({ sk, memory_id }: Item, content: string): Promise<Item> {
      const edited = itemOf({ id: String(memory_id), content });
      await table.batchWrite([{ remove: { pk, sk: String(sk) } }, { put: edited }]);
      return edited;
    },
    /** Traces of a deletion alone. */
    plantTombstone: (id: string, at: number) => table.batchWrite([{ put: tombstoneOf(id, at) }]),
    search: (query: string, limit = 10, offset = 0) =>
      searches.search({ agentId, userId, account: "nobody@example.com", query, limit, offset }),
    /** The contents that a search finds. */
    async find(query: string, limit = 10, offset = 0): Promise<readonly string[]> {
      const { hits } = await searches.search({
        agentId,
        userId,
        account: "nobody@example.com",
        query,
        limit,
        offset,
      });
      return hits.map(({ content }) => content);
    },
    forget: () => searches.forget(agentId, userId),
  };
}
