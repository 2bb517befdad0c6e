import type { ToolPlace } from "../http-tools/secrets.ts";
import { sleep } from "../shared/async.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { McpServer } from "./model.ts";
import type { McpServerRepository, ServersState } from "./repository.ts";

/** How often a change is attempted while the agent's servers are changed concurrently. */
const ATTEMPTS = 16;
/** The longest random pause between attempts, in milliseconds, which spreads concurrent requests out. */
const MAX_PAUSE_MS = 50;

/** What a change returns, and the servers that it wants to be stored. Without `servers`, nothing is to be changed. */
export interface Change<T> {
  readonly result: T;
  readonly servers?: readonly McpServer[] | undefined;
}

/**
 * Attempts a change with fresh servers until they have not been changed meanwhile. Throws `not-found` if there is no such agent, and
 * `unavailable` if they keep changing.
 */
export async function changeServers<T>(
  repository: McpServerRepository,
  place: ToolPlace,
  change: (state: ServersState) => Promise<Change<T>> | Change<T>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = await repository.state(place);
    const { result, servers } = await change(state);
    if (!servers || (await repository.save(place, { servers, revision: state.revision }))) return result;
    await sleep(Math.random() * MAX_PAUSE_MS);
  }
  throw new AppError(
    "unavailable",
    "The agent's MCP servers are being changed concurrently. Please try again.",
    {
      retryAfter: 1,
    },
  );
}

/** Returns the servers with one of them replaced. */
export const withServer = ({ servers }: ServersState, server: McpServer): readonly McpServer[] =>
  servers.map((other) => (other.id === server.id ? server : other));

/** Returns one server. Throws `not-found` if there is none with this id. */
export function requireServer({ servers }: ServersState, serverId: string): McpServer {
  const server = servers.find(({ id }) => id === serverId);
  if (!server) throw notFound("MCP server");
  return server;
}
