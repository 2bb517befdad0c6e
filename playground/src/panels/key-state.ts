import type { ApiKey, NewApiKey } from "../../../client/src/index.ts";

/** Whether a key can be used. */
export type KeyState = "valid" | "revoked" | "expired";

/** Returns the state of a key at a time, in milliseconds since 1970. A revoked key is revoked even if it has expired as well. */
export function keyState({ revoked_at: revokedAt, expires_at: expiresAt }: ApiKey, now: number): KeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && Date.parse(expiresAt) <= now ? "expired" : "valid";
}

/** What a key may do. */
export type Scope = NewApiKey["scopes"][number];

/** What keys can be for, in words for people, and the scopes by which a key reads and changes it. */
export const SCOPE_ROWS: readonly {
  readonly label: string;
  readonly help: string;
  readonly read: Scope;
  readonly write: Scope;
}[] = [
  {
    label: "Conversations",
    help: "Messages and answers. To send messages, a key needs “change”.",
    read: "conversations:read",
    write: "conversations:write",
  },
  {
    label: "Memory",
    help: "Memory blocks and archival memories.",
    read: "memory:read",
    write: "memory:write",
  },
  { label: "Agents", help: "What agents are like.", read: "agents:read", write: "agents:write" },
  {
    label: "Knowledge",
    help: "Knowledge bases and searches in them.",
    read: "knowledge:read",
    write: "knowledge:write",
  },
  {
    label: "End users",
    help: "People who talk to your agents.",
    read: "end-users:read",
    write: "end-users:write",
  },
];

/** Returns the end of a day, in the time zone of the browser, as the service takes it; `undefined` if no day is chosen. */
export function endOfDay(day: string): string | undefined {
  const end = new Date(`${day}T23:59:59`);
  return Number.isNaN(end.getTime()) ? undefined : end.toISOString();
}
