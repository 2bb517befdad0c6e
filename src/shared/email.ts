import { type AccountEmail, accountEmailOf } from "./id-types.ts";

/** The longest address that RFC 5321 §4.5.3.1 allows. */
const MAX_CHARS = 254;

/**
 * Returns the account of an e-mail address, which is the address in lower case, or `undefined` if no account can have it.
 * Addresses with `#` are refused, because `#` separates the parts of table keys.
 */
export function accountOf(email: string | null | undefined): AccountEmail | undefined {
  const account = email?.trim().toLowerCase() ?? "";
  return account.length <= MAX_CHARS && /^[^\s@#]+@[^\s@#]+$/u.test(account)
    ? accountEmailOf(account)
    : undefined;
}
