import type { DeletionGuard } from "../deletions/model.ts";
import type { Identified } from "../access/caller.ts";
import { type Clock, HOUR_MS } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import type { ListPage } from "../table/list.ts";
import type { Connection } from "./model.ts";
import type { ConnectionRepository } from "./repository.ts";
import { type ConnectionTokens, looksLikeConnectionToken } from "./tokens.ts";

interface ConnectionServiceDeps {
  readonly connections: ConnectionRepository;
  readonly tokens: ConnectionTokens;
  readonly clock: Clock;
}

/** Lists and ends the connections of MCP clients, and recognises their access tokens. */
export class ConnectionService {
  readonly #connections: ConnectionRepository;
  readonly #tokens: ConnectionTokens;
  readonly #clock: Clock;

  constructor({ connections, tokens, clock }: ConnectionServiceDeps) {
    this.#connections = connections;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  list(accountEmail: AccountEmail, limit: number, cursor: string | undefined): Promise<ListPage<Connection>> {
    return this.#connections.list(accountEmail, limit, cursor);
  }

  /** Ends a connection: its tokens are invalid at once. Does nothing if there is none. */
  end(accountEmail: AccountEmail, id: string): Promise<void> {
    return this.#connections.remove(accountEmail, id);
  }

  /** Ends all connections to an agent that is being deleted. */
  endOfAgent(accountEmail: AccountEmail, agentId: AgentId, guard: DeletionGuard): Promise<void> {
    return this.#connections.removeOfAgent(accountEmail, agentId, guard);
  }

  /** Returns whether a bearer token is meant to be an access token of an MCP client. */
  recognizes(bearer: string): boolean {
    return looksLikeConnectionToken(bearer);
  }

  /**
   * Returns the caller that an access token identifies. Throws `unauthenticated`, with one message for expired, revoked and unknown ones.
   * Every request looks the connection up in the table, so ending it is immediate.
   */
  async identify(bearer: string): Promise<Identified> {
    const token = await this.#tokens.read("access", bearer);
    const connection = token && (await this.#connections.find(token.accountEmail, token.connectionId));
    if (!connection || connection.generation === 0)
      throw new AppError("unauthenticated", "The access token is not valid or has expired.");

    const { id, accountEmail, agentId, scopes, lastUsedAt, generation, usedGeneration } = connection;
    const scope = { accountEmail, agentIds: [agentId] };
    const isNews =
      lastUsedAt === null ||
      this.#clock.now() - Date.parse(lastUsedAt) >= HOUR_MS ||
      usedGeneration < generation;
    return {
      caller: { kind: "mcp-client", id, scope, scopes, origins: [] },
      hasExpired: false,
      ...(isNews &&
        token.generation === generation && {
          note: () => this.#connections.touch(connection, this.#clock.timestamp()),
        }),
    };
  }
}
