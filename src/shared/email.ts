/** Long enough for every address there is (RFC 5321 §4.5.3.1 allows 254 characters), and for a key. */
const MAX_CHARS = 254;

/**
 * The account that an e-mail address stands for: the address in lower case; nothing where no account can have it.
 * `#` separates the parts of keys, so an address with one belongs to nobody.
 */
export function accountOf(email: string | null | undefined): string | undefined {
  const account = email?.trim().toLowerCase() ?? "";
  return account.length <= MAX_CHARS && /^[^\s@#]+@[^\s@#]+$/u.test(account) ? account : undefined;
}
