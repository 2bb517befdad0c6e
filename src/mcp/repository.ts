import type { AgentId, ConversationId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { absent, absentOrExpired, all, type Condition, equals, present } from "../table/expressions.ts";
import { agentKey } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import {
  type McpCallKey,
  type McpCallRun,
  type McpCallState,
  mcpCallFrom,
  mcpCallItem,
  mcpCallKey,
  mcpRunAttributes,
} from "./model.ts";

const NOTHING: McpCallState = { conversationId: undefined, run: undefined, isCancelled: false };

/**
 * Remembers for a day what a client's requests have begun, so that another request can cancel it from any isolate, and a repeat finds it.
 * Nothing is stored for a deleted agent.
 */
export class McpCallRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Stores the conversation that a request begins, unless an earlier attempt has. Returns the one that is stored then. */
  async claim(
    call: McpCallKey,
    agentId: AgentId,
    conversationId: ConversationId,
    now: number,
  ): Promise<ConversationId> {
    const set = { conversation_id: conversationId };
    return (
      (await this.#set(call, agentId, set, now, absent("conversation_id"))).conversationId ?? conversationId
    );
  }

  /** Forgets the conversation of a request that was refused before it had begun a run, so that a repeat begins another one. */
  async release(call: McpCallKey, conversationId: ConversationId): Promise<void> {
    const condition = all(equals("conversation_id", conversationId), absent("run_id"));
    await this.#table.tryUpdate(mcpCallKey(call), { remove: ["conversation_id"] }, condition);
  }

  /** Stores the run of a request. The first one stays if a client uses the id of a request twice. Returns what is known then. */
  save(call: McpCallKey, agentId: AgentId, run: McpCallRun, now: number): Promise<McpCallState> {
    return this.#set(call, agentId, mcpRunAttributes(run), now, absent("run_id"));
  }

  /**
   * Stores that a request is cancelled, which may not have begun a run yet. Returns what is known then. This and `save` write before they
   * read, so at least one of them sees both.
   */
  cancel(call: McpCallKey, agentId: AgentId, now: number): Promise<McpCallState> {
    return this.#set(call, agentId, { cancelled: true }, now, present("pk"));
  }

  /** Stores attributes in a new item, or in the known one on a condition. Returns what is known then. */
  async #set(
    call: McpCallKey,
    agentId: AgentId,
    set: Item,
    now: number,
    condition: Condition,
  ): Promise<McpCallState> {
    const agent = { check: agentKey(call.accountEmail, agentId), if: isLive };
    const item = mcpCallItem(call, set, now);
    if (await this.#table.tryTransact([agent, { put: item, if: absentOrExpired(now) }]))
      return mcpCallFrom(item);

    await this.#table.tryTransact([
      agent,
      { update: mcpCallKey(call), changes: { set }, if: all(present("pk"), condition) },
    ]);
    const known = await this.#table.get(mcpCallKey(call));
    return known ? mcpCallFrom(known) : NOTHING;
  }
}
