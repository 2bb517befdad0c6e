import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { type DeletionGuard, guardOf } from "../table/deletion.ts";
import { markedKey, type PartialDeletion } from "./model.ts";

/** Reads how far deletions have come. */
export class PartialDeletionRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /**
   * Returns the guard of a deletion that goes on. There is none once everything is gone, nor if something new has the same id, which must
   * not be deleted.
   */
  async find(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<DeletionGuard | undefined> {
    const key = markedKey(accountEmail, deletion);
    return guardOf(key, await this.#table.get(key));
  }

  /** Returns whether something is there, be it marked or not. */
  async isStored(accountEmail: AccountEmail, deletion: PartialDeletion): Promise<boolean> {
    return (await this.#table.get(markedKey(accountEmail, deletion))) !== undefined;
  }
}
