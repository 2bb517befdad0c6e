import type { AccountEmail } from "../shared/id-types.ts";
import { DAY_MS, dayOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, below } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";

/** Only the current day is read. */
const LIFETIME_MS = 2 * DAY_MS;

/**
 * The key of the count of an account's turns that models of Cloudflare have answered at the deployment's cost, on the
 * day (UTC) of `ms`. It is in the range of sort keys that a turn reads anyway.
 */
export const cloudflareTurnsKey = (accountEmail: AccountEmail, ms: number): Key => ({
  pk: userPartition(accountEmail),
  sk: `TurnsCloudflare#${dayOf(ms)}`,
});

/**
 * Returns the write that counts a turn on the day of `nowMs`, on condition that it stays within `limit`; null means no
 * limit.
 */
export const countCloudflareTurn = (
  accountEmail: AccountEmail,
  limit: number | null,
  nowMs: number,
): WriteAction => ({
  update: cloudflareTurnsKey(accountEmail, nowMs),
  changes: {
    add: { turns: 1 },
    setIfAbsent: {
      entity_type: "TurnsCloudflare",
      user_email: accountEmail,
      day: dayOf(nowMs),
      ttl: ttlAfter(nowMs, LIFETIME_MS),
    },
  },
  ...(limit !== null && { if: any(absent("turns"), below("turns", limit)) }),
});
