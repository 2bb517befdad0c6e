import type { Item, Key } from "../table/marshal.ts";

/** The kinds of submissions, as the legacy Python service named them. */
export const CONTACT_TYPES = ["feedback", "support", "bug-report", "feature-request"] as const;

/** A message to the people who run the service. */
export interface Submission {
  readonly type: (typeof CONTACT_TYPES)[number];
  readonly subject: string;
  /** The address to answer to. */
  readonly email: string;
  readonly description: string;
}

/** How long an address waits between two submissions. */
export const PAUSE_SECONDS = 300;

/** The key of the item that exists while an address has to wait. `hash` identifies the address. */
export const pauseKey = (hash: string): Key => ({
  pk: `RATE_LIMIT#CONTACT#${hash}`,
  sk: "RATE_LIMIT#CONTACT",
});

/** The item that makes an address wait from `nowMs` on. */
export const pauseItem = (hash: string, nowMs: number): Item => ({
  ...pauseKey(hash),
  ip_hash: hash,
  submitted_at: Math.floor(nowMs / 1000),
  ttl: Math.floor(nowMs / 1000) + PAUSE_SECONDS,
});
