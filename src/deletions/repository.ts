import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted } from "../table/deletion.ts";
import { markedKey, type PartialDeletion } from "./model.ts";

/** Reads how far deletions have come. */
export class PartialDeletionRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /**
   * Returns whether something is marked as being deleted. It is not once it is gone, nor if something new has the same id, which
   * must not be deleted.
   */
  async isUnfinished(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<boolean> {
    const item = await this.#table.get(markedKey(accountEmail, deletion));
    return item !== undefined && isBeingDeleted(item);
  }

  /** Returns whether something is there, be it marked or not. */
  async isStored(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<boolean> {
    return (await this.#table.get(markedKey(accountEmail, deletion))) !== undefined;
  }
}
