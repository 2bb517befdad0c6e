import type { Space } from "../users/space.ts";

/** What programs may be allowed to do. */
export const SCOPES = [
  "agents:read",
  "agents:write",
  "conversations:read",
  "conversations:write",
  "memory:read",
  "memory:write",
  "end-users:read",
  "end-users:write",
] as const;

export type Scope = (typeof SCOPES)[number];

/** Who sent a request, and whose conversations and memories are theirs. */
export interface Caller {
  /** A person who has signed in, a program with a key, or an end user of an agent. */
  readonly kind: "user" | "key" | "end-user";
  /** What tells the callers of one kind apart. */
  readonly id: string;
  readonly space: Space;
  /** What a program may do. */
  readonly scopes: readonly Scope[];
  /** The pages that an end user's token is for. */
  readonly origins: readonly string[];
}
