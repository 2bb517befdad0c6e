import { AppError } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { equals, present } from "../table/expressions.ts";
import { count } from "../table/fields.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import { type ListPage, listInOrder } from "../table/list.ts";
import { CHUNK_PREFIX, chunkKey, type LegacyChunk, legacyChunkFrom } from "./legacy-chunk-model.ts";
import { keyOfBase, type KnowledgeBaseRef } from "./model.ts";

/** The positions of writes in the transaction that removes a chunk. */
const CHUNK = 0;
/** How often a removal is attempted while others are removed. */
const ATTEMPTS = 8;

interface LegacyChunkRepositoryDeps {
  readonly table: TableClient;
  readonly cursors: Cursors;
}

/** Lists and removes the chunks that the legacy Python service has left. */
export class LegacyChunkRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: LegacyChunkRepositoryDeps) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Returns a page of the chunks of a base, in the order of their ids. */
  list(
    { kbId }: KnowledgeBaseRef,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<LegacyChunk>> {
    const request = {
      partition: knowledgeBasePartition(kbId),
      range: { beginsWith: CHUNK_PREFIX },
      cursorScope: `chunks of ${kbId}`,
      limit,
      cursor,
    };
    return listInOrder(this.#table, this.#cursors, request, legacyChunkFrom);
  }

  /**
   * Removes a chunk and takes it off the base's count. Returns false if there is no such chunk. Throws `conflict` if the count keeps
   * changing.
   */
  async remove(base: KnowledgeBaseRef, id: string): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const total = count((await this.#table.get(keyOfBase(base))) ?? {}, "total_chunks");
      const refusal = await this.#table.transactOrRefusal([
        { remove: chunkKey(base.kbId, id), if: present("pk") },
        {
          update: keyOfBase(base),
          changes: { set: { total_chunks: Math.max(0, total - 1) } },
          if: total > 0 ? equals("total_chunks", total) : present("pk"),
        },
      ]);
      if (!refusal) return true;
      if (refusal.has(CHUNK)) return false;
    }
    throw new AppError("conflict", "Chunks are being deleted concurrently. Please try again.", {
      retryable: true,
    });
  }
}
