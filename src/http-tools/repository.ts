import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { isBeingDeleted, isLive } from "../table/deletion.ts";
import { absent, all, equals } from "../table/expressions.ts";
import { optionalCount } from "../table/fields.ts";
import { agentKey } from "../table/keys.ts";
import { type HttpTool, httpToolItem, httpToolsFrom, TOOLS, TOOLS_REVISION } from "./model.ts";
import type { ToolPlace } from "./secrets.ts";

/** The tools of an agent at one time. A write is refused if they have been changed since. */
export interface ToolState {
  readonly tools: readonly HttpTool[];
  readonly revision: number | undefined;
}

/** Stores the HTTP tools of agents, as a part of the agent's item: a turn reads it anyway, and they are deleted with it. */
export class HttpToolRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the tools of an agent. Throws `not-found` if the account has no such agent. */
  async state({ accountEmail, agentId }: ToolPlace): Promise<ToolState> {
    const item = await this.#table.get(agentKey(accountEmail, agentId));
    if (!item || isBeingDeleted(item)) throw notFound("Agent");
    return { tools: httpToolsFrom(item), revision: optionalCount(item, TOOLS_REVISION) };
  }

  /** Replaces the tools of an agent. Returns false if they have been changed since `revision`, or if the agent is gone. */
  save({ accountEmail, agentId }: ToolPlace, { tools, revision }: ToolState): Promise<boolean> {
    const isUnchanged = revision === undefined ? absent(TOOLS_REVISION) : equals(TOOLS_REVISION, revision);
    const changes = { set: { [TOOLS]: tools.map(httpToolItem), [TOOLS_REVISION]: (revision ?? 0) + 1 } };
    return this.#table.tryUpdate(agentKey(accountEmail, agentId), changes, all(isLive, isUnchanged));
  }
}
