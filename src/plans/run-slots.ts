import { type AccountEmail, type RunId, runIdOf } from "../shared/id-types.ts";
import { HOUR_MS } from "../shared/clock.ts";
import { timeOf } from "../shared/ids.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, fewerThan } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/**
 * The key of the set of an account's open run ids. A set makes taking and returning a slot safe to repeat.
 * Accounts without a limit have none, or an empty one.
 */
export const runSlotsKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "TurnSlots",
});

/**
 * In milliseconds. No run takes longer: a run makes at most ten model calls of ten minutes each, and takes half a minute to be
 * saved. Older slots belong to lost runs.
 */
export const MAX_RUN_MS = 2 * HOUR_MS;

/**
 * Returns the write that takes slots for runs, on condition that at most `limit` are taken then. There must not be more runs than
 * the limit.
 */
export const takeSlots = (
  accountEmail: AccountEmail,
  runIds: readonly RunId[],
  limit: number,
  timestamp: string,
): WriteAction => ({
  update: runSlotsKey(accountEmail),
  changes: {
    add: { run_ids: new Set(runIds) },
    set: { updated_at: timestamp },
    setIfAbsent: kindOf(accountEmail),
  },
  if: any(absent("run_ids"), fewerThan("run_ids", limit - runIds.length + 1)),
});

/**
 * Returns the write that takes a slot for a run that goes on after it has waited. It was let in when it began, so it is not refused.
 * Safe to repeat.
 */
export const retakeSlot = (accountEmail: AccountEmail, runId: RunId, timestamp: string): WriteAction => ({
  update: runSlotsKey(accountEmail),
  changes: {
    add: { run_ids: new Set([runId]) },
    set: { updated_at: timestamp },
    setIfAbsent: kindOf(accountEmail),
  },
});

/** Returns the write that returns slots, if they are taken. Safe to repeat. */
export const returnSlots = (accountEmail: AccountEmail, runIds: readonly RunId[]): WriteAction => ({
  update: runSlotsKey(accountEmail),
  changes: { takeOut: { run_ids: new Set(runIds) }, setIfAbsent: kindOf(accountEmail) },
});

const kindOf = (accountEmail: AccountEmail) => ({ entity_type: "TurnSlots", user_email: accountEmail });

/**
 * Returns the runs that hold slots at `nowMs` (`open`), and the lost runs that have held theirs for too long
 * (`expired`).
 */
export function slotsFrom(item: Item | undefined, nowMs: number) {
  const taken = item?.["run_ids"];
  const runIds = taken instanceof Set ? [...taken].filter((id) => typeof id === "string").map(runIdOf) : [];
  const isExpired = (id: string) => timeOf(id) < nowMs - MAX_RUN_MS;
  return { open: runIds.filter((id) => !isExpired(id)), expired: runIds.filter(isExpired) };
}
