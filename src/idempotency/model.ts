import type { AccountEmail } from "../shared/id-types.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { count, optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** How long a key is remembered. */
const LIFETIME_MS = DAY_MS;

/** A request with an idempotency key. `keyHash` covers method, path, key and caller; `bodyHash` the body. */
export interface KeyedRequest {
  readonly accountEmail: AccountEmail;
  readonly keyHash: string;
  readonly bodyHash: string;
}

/** The stored state of a keyed request. */
export interface IdempotencyRecord {
  readonly bodyHash: string;
  /** The id of the entity that the request creates. A repeat after a crash uses the same id, so it creates no duplicate. */
  readonly entityId: string;
  /** When the latest execution of the request began, in milliseconds since the epoch. */
  readonly claimedAt: number;
  /** `undefined` while the request is in progress. */
  readonly answer: KeptAnswer | undefined;
}

/** The answer to a keyed request. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
  /** What the caller should know about a request that was accepted: the header `X-Warning`. */
  readonly warning: string | null;
}

export const idempotencyKeyOf = ({ accountEmail, keyHash }: KeyedRequest): Key => ({
  pk: userPartition(accountEmail),
  sk: `Idempotency#${keyHash}`,
});

/** The item of a request that is about to be executed. */
export const idempotencyItem = (request: KeyedRequest, entityId: string, now: number): Item => ({
  ...idempotencyKeyOf(request),
  entity_type: "Idempotency",
  body_hash: request.bodyHash,
  entity_id: entityId,
  claimed_at: now,
  ttl: ttlAfter(now, LIFETIME_MS),
});

export function idempotencyFrom(item: Item): IdempotencyRecord {
  const status = optionalCount(item, "status");
  return {
    bodyHash: text(item, "body_hash"),
    entityId: text(item, "entity_id"),
    claimedAt: count(item, "claimed_at"),
    answer:
      status === undefined
        ? undefined
        : { status, body: text(item, "answer"), warning: optionalText(item, "warning") },
  };
}
