import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { count, optionalCount, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** How long a key stands for its request. */
const LIFETIME_MS = DAY_MS;

/** A request that carries an idempotency key: whose it is, and a hash of route and key together. */
export interface KeyedRequest {
  readonly owner: string;
  readonly keyHash: string;
  readonly bodyHash: string;
}

/** What is known of a keyed request. */
export interface IdempotencyRecord {
  readonly bodyHash: string;
  /** The id of what the request makes: a repeat after a crash makes the same thing, not another. */
  readonly entityId: string;
  /** When somebody last began to carry the request out, in milliseconds since the epoch. */
  readonly claimedAt: number;
  /** Nothing while the request is being carried out. */
  readonly answer: { readonly status: number; readonly body: string } | undefined;
}

export const idempotencyKeyOf = ({ owner, keyHash }: KeyedRequest): Key => ({
  pk: userPartition(owner),
  sk: `Idempotency#${keyHash}`,
});

/** The record of a request that is about to be carried out. */
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
    answer: status === undefined ? undefined : { status, body: text(item, "answer") },
  };
}
