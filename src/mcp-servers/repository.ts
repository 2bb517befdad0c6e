import type { ToolPlace } from "../http-tools/secrets.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted, isLive } from "../table/deletion.ts";
import { absent, all, equals } from "../table/expressions.ts";
import { optionalCount } from "../table/fields.ts";
import { agentKey } from "../table/keys.ts";
import { type McpServer, mcpServerItem, mcpServersFrom, SERVERS, SERVERS_REVISION } from "./model.ts";

/** The MCP servers of an agent at one time. A write is refused if they have been changed since. */
export interface ServersState {
  readonly servers: readonly McpServer[];
  readonly revision: number | undefined;
}

/** Stores the MCP servers of agents, as a part of the agent's item: a turn reads it anyway, and they are deleted with it. */
export class McpServerRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the servers of an agent. Throws `not-found` if the account has no such agent. */
  async state({ accountEmail, agentId }: ToolPlace): Promise<ServersState> {
    const item = await this.#table.get(agentKey(accountEmail, agentId));
    if (!item || isBeingDeleted(item)) throw notFound("Agent");
    return { servers: mcpServersFrom(item), revision: optionalCount(item, SERVERS_REVISION) };
  }

  /** Replaces the servers of an agent. Returns false if they have been changed since `revision`, or if the agent is gone. */
  save({ accountEmail, agentId }: ToolPlace, { servers, revision }: ServersState): Promise<boolean> {
    const isUnchanged =
      revision === undefined ? absent(SERVERS_REVISION) : equals(SERVERS_REVISION, revision);
    const changes = {
      set: { [SERVERS]: servers.map(mcpServerItem), [SERVERS_REVISION]: (revision ?? 0) + 1 },
    };
    return this.#table.tryUpdate(agentKey(accountEmail, agentId), changes, all(isLive, isUnchanged));
  }
}
