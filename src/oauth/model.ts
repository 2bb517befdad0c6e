import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { type AccountEmail, type AgentId, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import type { Scope } from "../access/caller.ts";
import { count, optionalText, text, texts } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** What a person can let an MCP client do, in the order in which it is shown. */
export const CONNECTION_SCOPES = [
  "conversations:write",
  "memory:read",
  "memory:write",
] as const satisfies readonly Scope[];

export type ConnectionScope = (typeof CONNECTION_SCOPES)[number];

/** How many clients an account can have connected. Far more than people use; each takes less than a kilobyte. */
export const MAX_CONNECTIONS = 100;

/** How long a code can be redeemed, in seconds. RFC 6749, section 4.1.2, allows ten minutes; programs need a moment. */
const CODE_SECONDS = 60;

/** How long a connection lasts that gets no new access token. */
const IDLE_MS = 60 * DAY_MS;

/** An MCP client that a person has let use one agent. No token or code of it is stored, not even as a hash. */
export interface Connection {
  readonly id: string;
  readonly accountEmail: AccountEmail;
  readonly agentId: AgentId;
  /** SHA-256 of the client's id, hexadecimal. */
  readonly clientHash: string;
  /** What the client calls itself. */
  readonly clientName: string;
  /** Where the person was led back to: a host, or a program's own scheme such as `cursor:`. */
  readonly redirectHost: string;
  readonly scopes: readonly ConnectionScope[];
  /** The number of the valid refresh token: 0 until the code is redeemed, then 1 and so on. */
  readonly generation: number;
  /** The newest generation whose access token was used. */
  readonly usedGeneration: number;
  /** When the valid refresh token was issued first, in milliseconds since the epoch. */
  readonly rotatedAt: number;
  readonly createdAt: string;
  /** Accurate to the hour. */
  readonly lastUsedAt: string | null;
  /** When it ends unless the client gets a new access token before, in seconds since the epoch. */
  readonly ttl: number;
}

const PREFIX = "McpConnection#";

export const CONNECTION_RANGE = { beginsWith: PREFIX } as const;

export const connectionKey = (accountEmail: AccountEmail, id: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${PREFIX}${id}`,
});

/**
 * Returns when a connection ends that gets no access token after `rotatedAt` (in milliseconds since the epoch), in seconds since the epoch. One
 * whose code is not redeemed (generation 0) ends with the code.
 */
export const endAfter = (generation: number, rotatedAt: number): number =>
  ttlAfter(rotatedAt, generation === 0 ? CODE_SECONDS * 1000 : IDLE_MS);

export const connectionItem = (connection: Connection): Item => ({
  ...connectionKey(connection.accountEmail, connection.id),
  entity_type: "McpConnection",
  connection_id: connection.id,
  user_email: connection.accountEmail,
  agent_id: connection.agentId,
  client_hash: connection.clientHash,
  client_name: connection.clientName,
  redirect_host: connection.redirectHost,
  scopes: connection.scopes,
  generation: connection.generation,
  used_generation: connection.usedGeneration,
  rotated_at: connection.rotatedAt,
  created_at: connection.createdAt,
  ttl: connection.ttl,
});

export const connectionFrom = (item: Item): Connection => ({
  id: text(item, "connection_id"),
  accountEmail: accountEmailOf(text(item, "user_email")),
  agentId: agentIdOf(text(item, "agent_id")),
  clientHash: text(item, "client_hash"),
  clientName: text(item, "client_name"),
  redirectHost: text(item, "redirect_host"),
  scopes: CONNECTION_SCOPES.filter((scope) => texts(item, "scopes").includes(scope)),
  generation: count(item, "generation"),
  usedGeneration: count(item, "used_generation"),
  rotatedAt: count(item, "rotated_at"),
  createdAt: text(item, "created_at"),
  lastUsedAt: optionalText(item, "last_used_at"),
  ttl: count(item, "ttl"),
});
