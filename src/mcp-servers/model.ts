import { utf8 } from "../shared/crypto.ts";
import { type Json, objectFrom, objectAt, objectsAt, textAt, valueFrom } from "../shared/json.ts";
import { count, flag, maps, optionalCount, optionalText, text, texts } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import type { ParameterHeader } from "./parameter-headers.ts";

/** How many servers an agent may have. */
export const MAX_SERVERS = 6;
/** How many tools of servers an agent's model is offered. Each of them is a part of every prompt. */
const MAX_OFFERED = 64;
/**
 * How much all servers of an agent may take besides their tokens, in bytes: they are stored with the agent, whose item is limited to
 * 400 KB.
 */
export const MAX_ALL_BYTES = 64 * 1024;
/** In seconds. How long a call of a tool may take. */
export const TIMEOUT = { initial: 20, most: 60 } as const;
/** The longest name of a tool for a model: the shortest limit of all providers. */
const MAX_NAME_CHARS = 64;

export const AUTH_KINDS = ["none", "bearer", "oauth"] as const;
/** How a server is authenticated to: not at all, with a token that the owner enters, or with OAuth. */
type AuthKind = (typeof AUTH_KINDS)[number];

/**
 * The two forms of the protocol. `stateless` is the revision 2026-07-28, in which each request stands for itself; `sessions` are the
 * revisions before, which begin with `initialize`.
 */
export type Protocol = "stateless" | "sessions";

/** What the owner of an agent says about a server. */
export interface McpServerSettings {
  /** The beginning of the names of its tools, unique in its agent. */
  readonly name: string;
  readonly url: string;
  readonly auth: AuthKind;
  /** The names of the tools that the agent may use; null for all of them. */
  readonly allowedTools: readonly string[] | null;
  readonly timeoutSeconds: number;
  /** Whether the model is offered the tools. */
  readonly enabled: boolean;
}

/** A tool as the server has described it, simplified to what every provider of models understands. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of type object. */
  readonly parameters: Json;
  /** The arguments that the server also wants as headers; absent for none. */
  readonly headers?: readonly ParameterHeader[];
}

/** A tool that can't be offered. `reason` is a sentence for the owner. */
export interface RefusedTool {
  readonly name: string;
  readonly reason: string;
}

/** What a server offered when it was last asked. */
export interface Listing {
  readonly protocol: Protocol;
  /** The tools that the agent may use. */
  readonly tools: readonly ListedTool[];
  /** The names of the tools that are not among `allowedTools`. */
  readonly others: readonly string[];
  readonly refused: readonly RefusedTool[];
  readonly listedAt: string;
}

/** The part of a server's authorization that is no secret: the client that this service has registered, and where. */
export interface Grant {
  /** The metadata of the authorization server (RFC 8414), as far as it is needed. */
  readonly authorizationServer: Json;
  readonly clientId: string;
  /** How the client authenticates at the token endpoint. */
  readonly clientAuth: string;
  /** The resource that tokens are asked for (RFC 8707). */
  readonly resource: string;
  readonly scope: string | null;
  /** When the access token expires, in milliseconds since the epoch; null if that is not known. */
  readonly expiresAt: number | null;
}

/** An authorization that its owner has not completed. What it replaces stays valid until then. */
interface PendingAuthorization {
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly grant: Grant;
}

/** `new`: not asked yet. `unauthorized`: the owner has to authorize this service, or to enter another token. */
export const STATES = ["new", "ready", "unauthorized", "failed"] as const;
type ServerState = (typeof STATES)[number];

/** An MCP server whose tools an agent may use. */
export interface McpServer extends McpServerSettings {
  readonly id: string;
  readonly state: ServerState;
  /** Why the last attempt to list the tools failed, as a sentence for the owner; null if it did not. */
  readonly error: string | null;
  /** When the tools were last asked for, in milliseconds since the epoch; 0 if never. */
  readonly checkedAt: number;
  /** Null until the server has listed its tools. */
  readonly listing: Listing | null;
  readonly grant: Grant | null;
  /** The authorization that the owner has begun; null if there is none. */
  readonly pending: PendingAuthorization | null;
  /** The scopes that the server has asked for in addition to those of the token, separated by spaces; null for none. */
  readonly wantedScope: string | null;
  /** Until when one request renews the tokens, in milliseconds since the epoch; 0 if none does. */
  readonly renewingUntil: number;
  /** The secrets, encrypted; null if there are none. */
  readonly sealedSecrets: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** The attributes of an agent's item that hold its servers. */
export const SERVERS = "mcp_servers";
/** Counts the changes of the servers, so that concurrent ones are noticed. */
export const SERVERS_REVISION = "mcp_servers_revision";

/** A server that has never been asked, with the state that every new server has. */
export const neverAsked = {
  state: "new",
  error: null,
  checkedAt: 0,
  listing: null,
  grant: null,
  pending: null,
  wantedScope: null,
  renewingUntil: 0,
} as const satisfies Partial<McpServer>;

/** Converts a server to an element of the stored list. JSON of any shape is stored as text. */
export const mcpServerItem = (server: McpServer): Item => ({
  server_id: server.id,
  name: server.name,
  url: server.url,
  auth: server.auth,
  allowed_tools: server.allowedTools,
  timeout_seconds: server.timeoutSeconds,
  enabled: server.enabled,
  state: server.state,
  error: server.error,
  checked_at: server.checkedAt,
  listing: server.listing && JSON.stringify(server.listing),
  oauth_grant: server.grant && JSON.stringify(server.grant),
  pending: server.pending && JSON.stringify(server.pending),
  wanted_scope: server.wantedScope,
  renewing_until: server.renewingUntil,
  sealed_secrets: server.sealedSecrets,
  created_at: server.createdAt,
  updated_at: server.updatedAt,
});

/** Reads the servers of an agent's item, in the order in which they were added. */
export const mcpServersFrom = (agent: Item): readonly McpServer[] => maps(agent, SERVERS).map(mcpServerFrom);

function mcpServerFrom(item: Item): McpServer {
  return {
    id: text(item, "server_id"),
    name: text(item, "name"),
    url: text(item, "url"),
    auth: AUTH_KINDS.find((kind) => kind === text(item, "auth")) ?? "none",
    allowedTools: Array.isArray(item["allowed_tools"]) ? texts(item, "allowed_tools") : null,
    timeoutSeconds: Math.min(count(item, "timeout_seconds", TIMEOUT.initial), TIMEOUT.most),
    enabled: flag(item, "enabled"),
    state: STATES.find((state) => state === text(item, "state")) ?? "new",
    error: optionalText(item, "error"),
    checkedAt: count(item, "checked_at"),
    listing: listingFrom(text(item, "listing")),
    grant: (valueFrom(text(item, "oauth_grant")) as Grant | undefined) ?? null,
    // The casts state what `mcpServerItem` has written.
    pending: (valueFrom(text(item, "pending")) as PendingAuthorization | undefined) ?? null,
    wantedScope: optionalText(item, "wanted_scope"),
    renewingUntil: optionalCount(item, "renewing_until") ?? 0,
    sealedSecrets: optionalText(item, "sealed_secrets"),
    createdAt: text(item, "created_at"),
    updatedAt: optionalText(item, "updated_at"),
  };
}

function listingFrom(stored: string): Listing | null {
  const json = objectFrom(stored);
  if (!json) return null;
  const others = json["others"];
  return {
    protocol: json["protocol"] === "stateless" ? "stateless" : "sessions",
    tools: objectsAt(json, "tools").map((tool) => ({
      name: textAt(tool, "name"),
      description: textAt(tool, "description"),
      parameters: objectAt(tool, "parameters"),
      headers: objectsAt(tool, "headers").map((header) => ({
        name: textAt(header, "name"),
        path: Array.isArray(header["path"]) ? header["path"].map(String) : [],
      })),
    })),
    others: Array.isArray(others) ? others.map(String) : [],
    refused: objectsAt(json, "refused").map((tool) => ({
      name: textAt(tool, "name"),
      reason: textAt(tool, "reason"),
    })),
    listedAt: textAt(json, "listedAt"),
  };
}

/**
 * Returns how much the servers of an agent take in its item, in bytes of JSON, which is close to what the table counts. Without registrations
 * and tokens, which have limits of their own: their owner must be able to change a server whose tokens have become longer.
 */
export const sizeOfServers = (servers: readonly McpServer[]): number =>
  utf8(
    JSON.stringify(
      servers.map((server) =>
        mcpServerItem({ ...server, grant: null, pending: null, wantedScope: null, sealedSecrets: null }),
      ),
    ),
  ).byteLength;

/** A tool of a server as an agent's model is offered it. */
export interface McpTool {
  /** The name for the model: that of the server, two underscores and that of the tool. */
  readonly name: string;
  readonly server: McpServer;
  readonly tool: ListedTool;
}

/**
 * Returns the tools of a server that the agent may use, under the names that models get. They are distinct, even where a name had to be
 * changed. Security: a tool that is not allowed any longer stays listed until the server answers again.
 */
export function namedTools(server: McpServer): readonly McpTool[] {
  const { allowedTools, listing } = server;
  const taken = new Set<string>();
  const allowed = (listing?.tools ?? []).filter(({ name }) => allowedTools?.includes(name) ?? true);
  return allowed.map((tool) => {
    const whole = `${server.name}__${tool.name.replaceAll(/\W/gu, "_")}`;
    let name = whole.slice(0, MAX_NAME_CHARS);
    for (let number = 2; taken.has(name.toLowerCase()); number++)
      name = `${whole.slice(0, MAX_NAME_CHARS - 4)}_${number}`;
    taken.add(name.toLowerCase());
    return { name, server, tool };
  });
}

/** Returns the tools that an agent's model is offered besides its HTTP tools, which come first if a name occurs twice. */
export function offeredTools(
  servers: readonly McpServer[],
  httpTools: readonly { readonly name: string }[],
): readonly McpTool[] {
  const taken = new Set(httpTools.map(({ name }) => name.toLowerCase()));
  return servers
    .filter(({ enabled }) => enabled)
    .flatMap(namedTools)
    .filter(({ name }) => !taken.has(name.toLowerCase()))
    .slice(0, MAX_OFFERED);
}

/** Where authorization servers send browsers back to. They have it from the registration, so it must never change. */
export const CALLBACK_PATH = "/mcp-servers/callback";
