import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, equals } from "../table/expressions.ts";
import { text } from "../table/fields.ts";
import { type Memory, normalContent, normalKey } from "./archival-model.ts";
import type { MemoryOwner } from "./model.ts";

interface NearDuplicatesDeps {
  readonly table: TableClient;
  /** Returns a memory, or `undefined` if there is none. */
  readonly find: (owner: MemoryOwner, id: string) => Promise<Memory | undefined>;
}

/**
 * Finds memories that differ from another one only by spaces or a final full stop. Each has an item that holds its
 * normal content (`normalKey`) and is written in the transactions of `ArchivalRepository`.
 */
export class NearDuplicates {
  readonly #table: TableClient;
  readonly #find: NearDuplicatesDeps["find"];

  constructor({ table, find }: NearDuplicatesDeps) {
    this.#table = table;
    this.#find = find;
  }

  /**
   * Returns the memory that holds the normal content of `content`, if there is one. Removes a holder whose memory is gone
   * or has another content, which a writer without such items can leave behind.
   */
  async holder(owner: MemoryOwner, content: string): Promise<Memory | undefined> {
    const key = await normalKey(owner, content);
    const item = await this.#table.get(key);
    if (!item) return undefined;

    const id = text(item, "memory_id");
    const memory = await this.#find(owner, id);
    if (memory && normalContent(memory.content) === normalContent(content)) return memory;
    await this.#table.tryRemove(key, any(absent("pk"), equals("memory_id", id)));
    return undefined;
  }

  /**
   * Returns the writes that replace the normal content of an edited memory, or `taken` if another memory has the new
   * one. None if it stays the same.
   */
  async move(owner: MemoryOwner, from: Memory, to: Memory): Promise<readonly WriteAction[] | "taken"> {
    const [before, after] = await Promise.all([normalKey(owner, from.content), normalKey(owner, to.content)]);
    if (before.sk === after.sk) return [];

    const [known, removal] = await Promise.all([this.holder(owner, to.content), this.removal(owner, from)]);
    if (known && known.id !== to.id) return "taken";
    const isOwn = any(absent("pk"), equals("memory_id", to.id));
    return [{ put: { ...after, memory_id: to.id }, if: isOwn }, ...removal];
  }

  /** Returns the write that removes a memory's normal content; none if it holds none. */
  async removal(owner: MemoryOwner, { id, content }: Memory): Promise<readonly WriteAction[]> {
    const key = await normalKey(owner, content);
    const item = await this.#table.get(key);
    if (!item || text(item, "memory_id") !== id) return [];
    return [{ remove: key, if: any(absent("pk"), equals("memory_id", id)) }];
  }
}
