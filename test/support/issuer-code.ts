/** The content of a code of the tests' issuer: the token that it is redeemed for, and the request that it is for. Types only. */
export interface IssuerCode {
  readonly challenge: string;
  readonly redirectUri: string;
  /** In addition to the usual ones, or instead of them; null omits one. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signedBy?: "ours" | "others" | "unknown-key" | "client-secret" | "nobody" | "no-token";
  /** Makes codes with the same content distinct. */
  readonly salt: string;
}
