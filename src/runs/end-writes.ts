import { conversationKey } from "../access/access-scope.ts";
import { type Message, messageItem, messageKey } from "../messages/model.ts";
import { returnSlots } from "../plans/run-slots.ts";
import { countTokens, tokensKey, type TokenSource } from "../plans/token-counts.ts";
import type { TokenUsage } from "../llm/model.ts";
import { MAX_TRANSACTION } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { isLive } from "../table/deletion.ts";
import { absent, present } from "../table/expressions.ts";
import { agentKey } from "../table/keys.ts";
import { itemBytes } from "../table/marshal.ts";
import { recordEvent } from "../webhooks/event-model.ts";
import { endRun, isDiscarded, type RunIds } from "./model.ts";
import { runEventOf } from "./run-events.ts";
import { isLiveOf, MAX_BATCH_BYTES } from "./turn-beginnings.ts";
import type { TurnEnd } from "./turn-repository.ts";

/** The end of a turn that has been answered. */
export type AnsweredEnd = TurnEnd & { readonly message: Message };

/**
 * The writes of one answered end, at most: its message, run, conversation and tokens, its event if an endpoint wants it, and the removal
 * of the answer that it replaces, if it does.
 */
const OWN_WRITES = 4;
const EVENT_WRITES = 1;
const REMOVAL_WRITES = 1;
/** All ends share the write of the slots. */
const MAX_OWN_WRITES = MAX_TRANSACTION - 1;

/**
 * Returns the writes that store the answers of turns of one account, and count them. They are refused if a conversation has been
 * deleted, or given to another agent.
 */
export function answerWrites(ends: readonly AnsweredEnd[]): readonly WriteAction[] {
  const slots = ends.filter(({ hasSlot }) => hasSlot).map(({ runIds }) => runIds.runId);
  const [first] = ends;
  return [
    ...ends.flatMap(({ place, runIds, message, end }): WriteAction[] => [
      ...messageWrites(message, runIds),
      endRun(place.conversationId, runIds.runId, end),
      {
        update: conversationKey(place, place.conversationId),
        changes: {
          set: { updated_at: end.endedAt },
          ...(place.endUser && { add: { message_count: 1 } }),
        },
        // An agent's conversations are deleted before the agent, so that this includes the agent.
        if: isLiveOf(place),
      },
    ]),
    ...tokenWrites(ends),
    ...ends.flatMap((end) => {
      const event = runEventOf(end);
      return event ? [recordEvent(end.place.accountEmail, event)] : [];
    }),
    ...(first && slots.length > 0 ? [returnSlots(first.place.accountEmail, slots)] : []),
  ];
}

/** Stores an answer and removes the one that it replaces, which must still be there: two answers never replace the same one. */
function messageWrites(message: Message, runIds: RunIds): readonly WriteAction[] {
  if (isDiscarded(runIds, message)) return [];
  const former = runIds.regenerates?.answer;
  return [
    { put: messageItem(message), if: absent("pk") },
    ...(former
      ? [{ remove: messageKey(message.conversationId, former.createdAt, former.id), if: present("pk") }]
      : []),
  ];
}

/** Like `answerWrites`, for a turn whose conversation was given to another agent meanwhile. Its own agent must still exist. */
export function movedAnswerWrites(end: AnsweredEnd): readonly WriteAction[] {
  const { place } = end;
  const { pk } = conversationKey(place, place.conversationId);
  return [
    ...answerWrites([end]).map((action) =>
      "update" in action && action.update.pk === pk ? { ...action, if: isLive } : action,
    ),
    { check: agentKey(place.accountEmail, place.agentId), if: isLive },
  ];
}

/** Returns a write for each item that counts tokens. */
function tokenWrites(ends: readonly AnsweredEnd[]): readonly WriteAction[] {
  const counts = new Map<string, { readonly source: TokenSource; readonly usages: TokenUsage[] }>();
  for (const { place, runIds, end, answeredBy } of ends) {
    if (!end.usage || !answeredBy) continue;
    const source: TokenSource = {
      accountEmail: place.accountEmail,
      agentId: place.agentId,
      ...answeredBy,
      startedAt: runIds.startedAt,
      timestamp: end.endedAt,
    };
    const name = tokensKey(source).sk;
    const known = counts.get(name) ?? { source, usages: [] };
    counts.set(name, { ...known, usages: [...known.usages, end.usage] });
  }
  return [...counts.values()].map(({ source, usages }) => countTokens(source, usages));
}

/**
 * Selects the ends that may be stored in one transaction: the first one, and if it has an answer, others with answers in other
 * conversations.
 */
export function nextEnds(waiting: readonly TurnEnd[]): readonly TurnEnd[] {
  const [first] = waiting;
  if (!first || !isAnswered(first)) return waiting.slice(0, 1);

  const batch: TurnEnd[] = [];
  const conversations = new Set<string>();
  let bytes = 0;
  let writes = 0;
  for (const end of waiting) {
    const { conversationId } = end.place;
    const own =
      OWN_WRITES +
      (runEventOf(end) ? EVENT_WRITES : 0) +
      (end.runIds.regenerates?.answer ? REMOVAL_WRITES : 0);
    if (writes + own > MAX_OWN_WRITES) break;
    if (!isAnswered(end) || conversations.has(conversationId)) continue;
    const size = itemBytes(messageItem(end.message));
    if (batch.length > 0 && bytes + size > MAX_BATCH_BYTES) continue;

    batch.push(end);
    bytes += size;
    writes += own;
    conversations.add(conversationId);
  }
  return batch;
}

export const isAnswered = (end: TurnEnd): end is AnsweredEnd => end.message !== null;
