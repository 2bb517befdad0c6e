import type { TableClient } from "../table/client.ts";
import { ConditionFailed } from "../table/errors.ts";
import { absentOrExpired, all, absent, equals } from "../table/expressions.ts";
import {
  type IdempotencyRecord,
  idempotencyFrom,
  idempotencyItem,
  idempotencyKeyOf,
  type KeyedRequest,
} from "./model.ts";

export class IdempotencyRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** Records that a request is being carried out; gives the record that is there already, or nothing if ours is. */
  async claim(request: KeyedRequest, entityId: string, now: number): Promise<IdempotencyRecord | undefined> {
    try {
      await this.#table.put(idempotencyItem(request, entityId, now), absentOrExpired(now));
      return undefined;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || !error.item) throw error;
      return idempotencyFrom(error.item);
    }
  }

  async find(request: KeyedRequest): Promise<IdempotencyRecord | undefined> {
    const item = await this.#table.get(idempotencyKeyOf(request));
    return item && idempotencyFrom(item);
  }

  /** Takes over a request whose carrier has died; false where somebody else has done so. */
  async takeOver(request: KeyedRequest, claimedAt: number, now: number): Promise<boolean> {
    try {
      const changes = { set: { claimed_at: now } };
      await this.#table.update(idempotencyKeyOf(request), changes, unansweredSince(claimedAt));
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Stores what the request was answered with. */
  async answer(request: KeyedRequest, status: number, body: string): Promise<void> {
    const mine = equals("body_hash", request.bodyHash);
    await this.#table.update(idempotencyKeyOf(request), { set: { status, answer: body } }, mine);
  }

  /** Forgets a request that was refused, unless somebody else has taken it over: the next one may be carried out. */
  async release(request: KeyedRequest, claimedAt: number): Promise<void> {
    await this.#unlessTakenOver(this.#table.remove(idempotencyKeyOf(request), unansweredSince(claimedAt)));
  }

  /** Lets the next repeat take the request over at once. */
  async handBack(request: KeyedRequest, claimedAt: number): Promise<void> {
    const changes = { set: { claimed_at: 0 } };
    await this.#unlessTakenOver(
      this.#table.update(idempotencyKeyOf(request), changes, unansweredSince(claimedAt)),
    );
  }

  async #unlessTakenOver(write: Promise<unknown>): Promise<void> {
    try {
      await write;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}

/** Holds while nobody else has claimed the request since, and it has no answer. */
const unansweredSince = (claimedAt: number) => all(equals("claimed_at", claimedAt), absent("status"));
