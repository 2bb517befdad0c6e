import { type EndUserRef, isEndUserId } from "../access/access-scope.ts";
import { fromBase64Url, toBase64Url, utf8 } from "../shared/crypto.ts";
import { agentIdOf, type ConversationId, conversationIdOf, type RunId, runIdOf } from "../shared/id-types.ts";
import { isPlausibleId } from "../shared/ids.ts";
import { valueFrom } from "../shared/json.ts";

/** Where the run of a response is found. */
export interface ResponseRef {
  readonly conversationId: ConversationId;
  readonly runId: RunId;
  /** The end user whose conversation it is. If absent or null, it is the account's own. */
  readonly endUser?: EndUserRef | null | undefined;
  /** Which part of the run it is, if it is not the first: how often the run had left calls to its client before. */
  readonly part?: number | undefined;
}

const PREFIX = "resp_";
/** The ids of a run and a conversation have 36 characters each, that of an end user up to 128. No id of a response is longer. */
export const MAX_RESPONSE_ID_CHARS = 600;

/** A run has far fewer parts: each is at least one request to the model. */
const MAX_PART = 99;

/**
 * Returns the id of a response: a run, or a part of one. It says where the run is found, so that nothing has to be stored to find it. Security: it
 * proves nothing; whoever sends one must have access to the conversation.
 */
export function responseIdOf({ conversationId, runId, endUser, part = 0 }: ResponseRef): string {
  const owner = endUser ? [endUser.agentId, endUser.id] : [];
  const members = [runId, conversationId, ...owner, ...(part > 0 ? [part] : [])];
  return PREFIX + toBase64Url(utf8(JSON.stringify(members)));
}

/** Returns what an id of `responseIdOf` refers to, or `undefined` for any other text. Takes linear time. */
export function responseRefIn(id: string): ResponseRef | undefined {
  if (!id.startsWith(PREFIX) || id.length > MAX_RESPONSE_ID_CHARS) return undefined;
  const bytes = fromBase64Url(id.slice(PREFIX.length));
  const members = bytes && valueFrom(new TextDecoder().decode(bytes));
  if (!Array.isArray(members)) return undefined;
  const last: unknown = members.at(-1);
  const part = typeof last === "number" && Number.isInteger(last) && last > 0 && last <= MAX_PART ? last : 0;
  const ids = part > 0 ? members.slice(0, -1) : members;
  if (!ids.every((id) => typeof id === "string")) return undefined;

  const [runId, conversationId, agentId, endUserId] = ids;
  if (runId === undefined || conversationId === undefined) return undefined;
  if (![runId, conversationId, agentId ?? "a"].every(isPlausibleId)) return undefined;
  if (agentId !== undefined && (endUserId === undefined || !isEndUserId(endUserId))) return undefined;
  const ref: ResponseRef = {
    runId: runIdOf(runId),
    conversationId: conversationIdOf(conversationId),
    ...(agentId !== undefined &&
      endUserId !== undefined && { endUser: { agentId: agentIdOf(agentId), id: endUserId } }),
    ...(part > 0 && { part }),
  };
  // Several texts decode to the same ids. Only the canonical one is accepted.
  return responseIdOf(ref) === id ? ref : undefined;
}
