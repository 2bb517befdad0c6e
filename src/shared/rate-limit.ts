/** What somebody may still do of something that is limited. */
export interface RateLimit {
  /** The name of the limit: `messages`, `agents`. */
  readonly policy: string;
  readonly quota: number;
  readonly remaining: number;
  /** The time that the quota is for, and how long it takes until it is given anew; not there where waiting does not help. */
  readonly window?: { readonly seconds: number; readonly resetSeconds: number };
}

/**
 * A limit as headers: `RateLimit-Policy: "messages";q=100;w=2592000` and `RateLimit: "messages";r=97;t=86400`, the
 * structured fields of draft-ietf-httpapi-ratelimit-headers.
 */
export function rateLimitHeaders({ policy, quota, remaining, window }: RateLimit): Record<string, string> {
  return {
    "ratelimit-policy": `"${policy}";q=${quota}${window ? `;w=${window.seconds}` : ""}`,
    ratelimit: `"${policy}";r=${remaining}${window ? `;t=${window.resetSeconds}` : ""}`,
  };
}
