import type { AgentId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { absentOrExpired } from "../table/expressions.ts";
import { agentKey } from "../table/keys.ts";
import { type McpCallKey, type McpCallRun, mcpCallFrom, mcpCallItem, mcpCallKey } from "./model.ts";

/** Remembers for a day which run a client's request began, so that another request can cancel it from any isolate. */
export class McpCallRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Stores the run of a request. The first one stays if a client uses the id of a request twice. Nothing is stored for a deleted agent. */
  async save(call: McpCallKey, agentId: AgentId, run: McpCallRun, now: number): Promise<void> {
    await this.#table.tryTransact([
      { check: agentKey(call.accountEmail, agentId), if: isLive },
      { put: mcpCallItem(call, run, now), if: absentOrExpired(now) },
    ]);
  }

  /** Returns the run that a request began, or `undefined` if none is known. */
  async find(call: McpCallKey): Promise<McpCallRun | undefined> {
    const item = await this.#table.get(mcpCallKey(call));
    return item && mcpCallFrom(item);
  }
}
