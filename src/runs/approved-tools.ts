import { conversationKey } from "../access/access-scope.ts";
import type { WriteAction } from "../table/requests.ts";
import type { Item } from "../table/marshal.ts";
import type { AgentId } from "../shared/id-types.ts";
import type { TurnPlace } from "./model.ts";
import { isLiveOf } from "./turn-beginnings.ts";

/** The attribute of a conversation's item that names the tools of which a call was approved in it. */
const APPROVED = "approved_tools";

/** A conversation may be given to another agent, whose tools may have the same names. */
const nameOf = (agentId: AgentId, tool: string): string => `${agentId}/${tool}`;

/** Returns the write that remembers that calls of these tools were approved in a conversation. Safe to repeat. */
export const rememberApproved = (place: TurnPlace, tools: readonly string[]): WriteAction => ({
  update: conversationKey(place, place.conversationId),
  changes: { add: { [APPROVED]: new Set(tools.map((tool) => nameOf(place.agentId, tool))) } },
  if: isLiveOf(place),
});

/** Returns a function that tells whether a call of an agent's tool was approved in a conversation before. */
export function approvedBefore(conversation: Item, agentId: AgentId): (tool: string) => boolean {
  const names = conversation[APPROVED];
  return (tool) => names instanceof Set && (names as ReadonlySet<unknown>).has(nameOf(agentId, tool));
}
