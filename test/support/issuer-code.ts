/** What a code of the tests' issuer says: the token that it is redeemed for, and what it was made for. Types only. */
export interface IssuerCode {
  readonly challenge: string;
  readonly redirectUri: string;
  /** Beside the usual ones, or instead of them; null leaves one out. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signedBy?: "ours" | "others" | "unknown-key" | "client-secret" | "nobody" | "no-token";
  /** Makes codes differ that say the same. */
  readonly salt: string;
}
