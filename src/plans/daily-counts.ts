import type { AccountEmail } from "../shared/id-types.ts";
import { DAY_MS, dayOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, below } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";

/** What a deployment pays for, counted by account and day (UTC). */
export interface DailyCount {
  /** The type of the item, with which its sort key begins. */
  readonly entityType: string;
  /** The attribute that holds the number. */
  readonly attribute: string;
}

/** Texts that the deployment's embeddings server has embedded. */
export const EMBEDDED_TEXTS: DailyCount = { entityType: "UsageEmbeddings", attribute: "texts" };

/** Searches whose results the deployment's reranking server has ordered. */
export const RERANKED_SEARCHES: DailyCount = { entityType: "UsageRerankings", attribute: "searches" };

/** The same lifetime as that of usage events. */
const LIFETIME_MS = 40 * DAY_MS;

/**
 * Returns the write that counts `more` on the day of `nowMs`, on condition that the day's number stays within `limit`; null
 * means no limit.
 */
export function countOfDay(
  { entityType, attribute }: DailyCount,
  accountEmail: AccountEmail,
  more: number,
  limit: number | null,
  nowMs: number,
): WriteAction {
  const day = dayOf(nowMs);
  const key: Key = { pk: userPartition(accountEmail), sk: `${entityType}#${day}` };
  const isBelowLimit = limit === null ? undefined : below(attribute, limit - more + 1);
  return {
    update: key,
    changes: {
      add: { [attribute]: more },
      setIfAbsent: {
        entity_type: entityType,
        user_email: accountEmail,
        day,
        ttl: ttlAfter(nowMs, LIFETIME_MS),
      },
    },
    ...(isBelowLimit && {
      if: limit !== null && more <= limit ? any(absent(attribute), isBelowLimit) : isBelowLimit,
    }),
  };
}
