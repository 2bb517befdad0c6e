import type { AccessScope } from "./access-scope.ts";

/** The permissions that an API key can have. */
export const SCOPES = [
  "agents:read",
  "agents:write",
  "conversations:read",
  "conversations:write",
  "memory:read",
  "memory:write",
  "end-users:read",
  "end-users:write",
  "knowledge:read",
  "knowledge:write",
] as const;

export type Scope = (typeof SCOPES)[number];

/** Who sent a request, and what they may use. */
export interface Caller {
  /**
   * A signed-in person, a program with an API key, an end user of an agent, an end user who came through a publishable key, or an MCP
   * client that a person has connected.
   */
  readonly kind: "user" | "key" | "end-user" | "visitor" | "mcp-client";
  /** Unique among the callers of one kind: the e-mail address, or the id of the key, of the end user or of the connection. */
  readonly id: string;
  readonly scope: AccessScope;
  /** The permissions of an API key or of an MCP client; empty for the other kinds. */
  readonly scopes: readonly Scope[];
  /** The origins of the pages that an end user's token is valid for; empty for the other kinds. */
  readonly origins: readonly string[];
}

/** The caller that a credential identifies. */
export interface Identified {
  readonly caller: Caller;
  /** True for an expired end user's token: its origins still decide which pages may read the 401. */
  readonly hasExpired: boolean;
  /** Records the use of a credential. Run it in the background. */
  readonly note?: () => Promise<void>;
}
