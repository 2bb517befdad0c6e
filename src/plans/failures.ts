import type { AccountEmail } from "../shared/id-types.ts";
import { HOUR_MS, hourOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/requests.ts";
import { memoryPartition, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { EndUserRef } from "../access/access-scope.ts";

/**
 * The maximum of runs per account and clock hour that end before they have said anything. Such runs cost no message, so
 * without this limit they would be free.
 */
export const MAX_FAILURES_PER_HOUR = 60;

/** The maximum of such runs per end user. It keeps one who cancels on purpose from blocking the whole account. */
export const MAX_END_USER_FAILURES_PER_HOUR = 10;

/** How long a count is kept. */
const LIFETIME_MS = 2 * HOUR_MS;

/** The key of the account's count in the hour (UTC) of `ms`. */
export const failuresKey = (accountEmail: AccountEmail, ms: number): Key => ({
  pk: userPartition(accountEmail),
  sk: `TurnFailures#${hourOf(ms)}`,
});

/** The key of one end user's count. It is in the partition of their memory, so that both are deleted together. */
export const endUserFailuresKey = ({ agentId, id }: EndUserRef, ms: number): Key => ({
  pk: memoryPartition(agentId, id),
  sk: `Usage#failures#${hourOf(ms)}`,
});

/**
 * Returns the writes that count a failed run for the account and, if it was an end user's, for the end user. Use them
 * in the transaction that returns the message, so that the run counts once.
 */
export function countFailure(
  accountEmail: AccountEmail,
  endUser: EndUserRef | null | undefined,
  endedAt: string,
): readonly WriteAction[] {
  const ms = Date.parse(endedAt);
  const ofAccount = changeOf(
    failuresKey(accountEmail, ms),
    { entity_type: "TurnFailures", user_email: accountEmail },
    endedAt,
  );
  if (!endUser) return [ofAccount];

  const owner = { entity_type: "EndUserUsage", agent_id: endUser.agentId, end_user_id: endUser.id };
  return [ofAccount, changeOf(endUserFailuresKey(endUser, ms), owner, endedAt)];
}

const changeOf = (key: Key, owner: Item, endedAt: string): WriteAction => ({
  update: key,
  changes: {
    add: { failures: 1 },
    set: { updated_at: endedAt },
    setIfAbsent: { ...owner, ttl: ttlAfter(Date.parse(endedAt), LIFETIME_MS) },
  },
});
