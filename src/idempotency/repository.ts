import type { TableClient } from "../table/client.ts";
import { ConditionFailed } from "../table/errors.ts";
import { absentOrExpired, all, absent, equals } from "../table/expressions.ts";
import {
  type IdempotencyRecord,
  idempotencyFrom,
  idempotencyItem,
  idempotencyKeyOf,
  type KeptAnswer,
  type KeyedRequest,
} from "./model.ts";

export class IdempotencyRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Records that a request is in progress. Returns `undefined` on success, or the existing record if there is one. */
  async claim(request: KeyedRequest, entityId: string, now: number): Promise<IdempotencyRecord | undefined> {
    const record = idempotencyItem(request, entityId, now);
    const { applied, item } = await this.#table.putOrRefusal(record, absentOrExpired(now));
    if (applied) return undefined;
    if (!item) throw new ConditionFailed(item);
    return idempotencyFrom(item);
  }

  async find(request: KeyedRequest): Promise<IdempotencyRecord | undefined> {
    const item = await this.#table.get(idempotencyKeyOf(request));
    return item && idempotencyFrom(item);
  }

  /** Takes over a request whose execution has died. Returns false if another request was faster. */
  async takeOver(request: KeyedRequest, claimedAt: number, now: number): Promise<boolean> {
    const changes = { set: { claimed_at: now } };
    return this.#table.tryUpdate(idempotencyKeyOf(request), changes, unansweredSince(claimedAt));
  }

  /** Stores the answer to a request. */
  async answer(request: KeyedRequest, { status, body, warning }: KeptAnswer): Promise<void> {
    const mine = equals("body_hash", request.bodyHash);
    const set = { status, answer: body, ...(warning !== null && { warning }) };
    await this.#table.update(idempotencyKeyOf(request), { set }, mine);
  }

  /** Deletes the record of a refused request, unless another request has taken it over. Its key is then free again. */
  async release(request: KeyedRequest, claimedAt: number): Promise<void> {
    await this.#table.tryRemove(idempotencyKeyOf(request), unansweredSince(claimedAt));
  }

  /** Lets the next repeat take the request over immediately, unless another request has taken it over. */
  async endClaim(request: KeyedRequest, claimedAt: number): Promise<void> {
    const changes = { set: { claimed_at: 0 } };
    await this.#table.tryUpdate(idempotencyKeyOf(request), changes, unansweredSince(claimedAt));
  }
}

/** Holds if the request has no answer and has not been claimed again since `claimedAt`. */
const unansweredSince = (claimedAt: number) => all(equals("claimed_at", claimedAt), absent("status"));
