import type { AccountEmail } from "../shared/id-types.ts";
import { userPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";

export const CLAIM_PREFIX = "StripeClaim#";

/** The key of the item that says which account has claimed a Stripe customer. The first account to write it wins. */
export const claimKey = (customerId: string): Key => ({
  pk: `${CLAIM_PREFIX}${customerId}`,
  sk: `${CLAIM_PREFIX}${customerId}`,
});

/**
 * The key of the copy of a claim in the account's partition, where the account, its export and its deletion find it.
 */
export const claimPointerKey = (accountEmail: AccountEmail, customerId: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${CLAIM_PREFIX}${customerId}`,
});
