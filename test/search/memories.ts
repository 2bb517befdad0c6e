import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";
import { env } from "cloudflare:workers";
import type { MemorySearchCriteria } from "../../src/search/model.ts";
import { SearchClient } from "../../src/search/search-client.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";
import type { Item } from "../../src/table/marshal.ts";
import { table } from "../support/app.ts";

const searches = new SearchClient({ namespace: env.SEARCH_INDEX, region: env.AWS_REGION });

/** A memory to plant; by default inserted now, in the order of the list. */
export interface Planted {
  readonly id?: string;
  readonly content: string;
  readonly at?: number;
  readonly occurredAt?: string;
}

/** An agent's memory of a user, written to the table as the archive writes it, and searched through its index. */
export function testMemory(userId = `${crypto.randomUUID()}@example.com`) {
  const agentId = agentIdOf(crypto.randomUUID());
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
  /** `removed` is the sort key of the deleted memory. */
  const tombstoneOf = (id: string, at: number, removed?: string): Item => ({
    pk,
    sk: `ArchivalGone#${formatTimestamp(at, micros++ % 1_000)}#${id}`,
    memory_id: id,
    ...(removed !== undefined && { archival_sk: removed }),
    ttl: Math.ceil(at / 1000) + 86_400,
  });

  return {
    agentId,
    userId,
    index: () => env.SEARCH_INDEX.getByName(`${agentId}/${userId}`),
    /** Returns the items in the table. */
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
        { put: tombstoneOf(String(memory_id), at, String(sk)) },
      ]);
    },
    async edit({ sk, memory_id }: Item, content: string): Promise<Item> {
      const edited = itemOf({ id: String(memory_id), content });
      await table.batchWrite([{ remove: { pk, sk: String(sk) } }, { put: edited }]);
      return edited;
    },
    /** Plants texts that memories had from `at` until `until`. Their memories are missing. */
    async plantSuperseded(
      texts: readonly { readonly content: string; readonly at: number; readonly until: number }[],
    ): Promise<void> {
      const items = texts.map(({ content, at, until }) => {
        const { memory_id, created_at } = itemOf({ content, at });
        const supersededAt = formatTimestamp(until);
        const sk = `ArchivalVersion#${supersededAt}#${String(memory_id)}`;
        const since = String(created_at);
        return {
          pk,
          sk,
          memory_id: String(memory_id),
          content,
          created_at: since,
          since,
          superseded_at: supersededAt,
        };
      });
      await table.batchWrite(items.map((item) => ({ put: item })));
    },
    /** Deletion markers only. */
    plantTombstone: (id: string, at: number) => table.batchWrite([{ put: tombstoneOf(id, at) }]),
    search: (query: string, limit = 10, offset = 0, more: Partial<MemorySearchCriteria> = {}) =>
      searches.search({
        agentId,
        userId,
        accountEmail: accountEmailOf("nobody@example.com"),
        query,
        limit,
        offset,
        ...more,
      }),
    /** The contents that a search finds. */
    async find(query: string, limit = 10, offset = 0): Promise<readonly string[]> {
      const { hits } = await searches.search({
        agentId,
        userId,
        accountEmail: accountEmailOf("nobody@example.com"),
        query,
        limit,
        offset,
      });
      return hits.map(({ content }) => content);
    },
    forget: () => searches.forget(agentId, userId),
  };
}
