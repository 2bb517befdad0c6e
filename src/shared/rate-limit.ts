/** The state of a limit. */
export interface RateLimit {
  /** The name of the limit, such as `messages` or `agents`. */
  readonly policy: string;
  readonly quota: number;
  readonly remaining: number;
  /** The period of the quota and the time until it is renewed, in seconds. Absent if waiting does not help. */
  readonly window?: { readonly seconds: number; readonly resetSeconds: number };
}

/**
 * Returns a limit as headers: `RateLimit-Policy: "messages";q=100;w=2592000` and `RateLimit: "messages";r=97;t=86400`, the
 * structured fields of draft-ietf-httpapi-ratelimit-headers.
 */
export function rateLimitHeaders({ policy, quota, remaining, window }: RateLimit): Record<string, string> {
  return {
    "ratelimit-policy": `"${policy}";q=${quota}${window ? `;w=${window.seconds}` : ""}`,
    ratelimit: `"${policy}";r=${remaining}${window ? `;t=${window.resetSeconds}` : ""}`,
  };
}
