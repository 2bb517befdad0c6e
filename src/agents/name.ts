import type { AccountEmail } from "../shared/id-types.ts";
import { userPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";

/** In bytes. DynamoDB's sort keys hold 1,024, and an encoded character of a name takes up to nine. */
const MAX_SPELLED_NAME = 1_000;

/** Encodes a name for the sort key of its guard, so that names differing only in case or outer spaces collide. */
const spelled = (name: string): string => encodeURIComponent(name.toWellFormed().trim().toLowerCase());

/** Returns whether the encoded name fits into the sort key of its guard. */
export const isGuardable = (name: string): boolean => spelled(name).length <= MAX_SPELLED_NAME;

/**
 * The key of the guard item that reserves an agent's name, so that concurrent requests cannot create two agents of that
 * name.
 */
export const agentNameKey = (accountEmail: AccountEmail, name: string): Key => ({
  pk: userPartition(accountEmail),
  // Longer names date from before guards existed. No item has their key, but the key must be valid.
  sk: `AgentName#${spelled(name).slice(0, MAX_SPELLED_NAME)}`,
});

/** Returns whether two names count as the same, ignoring case and outer spaces. */
export const isSameName = (a: string, b: string): boolean =>
  a.trim().toLowerCase() === b.trim().toLowerCase();
