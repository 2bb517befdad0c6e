import type { TableClient } from "../table/client.ts";
import { absentOrExpired, any, absent, equals } from "../table/expressions.ts";
import { count } from "../table/fields.ts";
import { PAUSE_SECONDS, pauseItem, pauseKey } from "./model.ts";

/** Stores which addresses have submitted something recently. */
export class ContactPauseRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Begins the pause of an address. Returns how many seconds it has to wait if it is in one, and 0 otherwise. */
  async begin(hash: string, nowMs: number): Promise<number> {
    const { applied, item } = await this.#table.putOrRefusal(pauseItem(hash, nowMs), absentOrExpired(nowMs));
    if (applied) return 0;
    const nowSeconds = Math.floor(nowMs / 1000);
    return Math.max(1, count(item ?? {}, "ttl", nowSeconds + PAUSE_SECONDS) - nowSeconds);
  }

  /** Ends the pause that began at `nowMs`, because nothing was delivered. */
  async end(hash: string, nowMs: number): Promise<void> {
    const isOurs = any(absent("pk"), equals("submitted_at", Math.floor(nowMs / 1000)));
    // If it is refused, another submission has begun a pause of its own.
    await this.#table.tryRemove(pauseKey(hash), isOurs);
  }
}
