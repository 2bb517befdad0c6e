import { conversationKey, type EndUserRef } from "../access/access-scope.ts";
import { type Message, messageItem, messageKey } from "../messages/model.ts";
import type { AccountPlan } from "../plans/account-plan.ts";
import { countEndUserMessage } from "../plans/end-user-usage.ts";
import { countMessages, type MessageUse, reserveMessage } from "../plans/model.ts";
import { returnSlots, slotsFrom, takeSlots } from "../plans/run-slots.ts";
import { monthOf } from "../shared/clock.ts";
import { utf8Length } from "../shared/text.ts";
import { MAX_TRANSACTION, type TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { isLive } from "../table/deletion.ts";
import { absent, all, type Condition, equals, present } from "../table/expressions.ts";
import { count } from "../table/fields.ts";
import { type Item, itemBytes } from "../table/marshal.ts";
import { beginRun, type RunIds, type TurnPlace } from "./model.ts";

/** The plan's limits that a new turn counts against. Null means unlimited. */
export type TurnLimits = Pick<
  AccountPlan["limits"],
  "messages_per_month" | "end_user_messages_per_month" | "concurrent_runs"
>;

/** An exhausted limit, and how much of it is used. */
export interface Exhausted {
  readonly limit: keyof TurnLimits;
  readonly used: number;
}

/** A turn that is about to begin. */
export interface Beginning {
  readonly place: TurnPlace;
  readonly runIds: RunIds;
  /** The user's message. */
  readonly message: Message;
  readonly limits: TurnLimits;
  /** See `TurnInput.clientRequest`. */
  readonly clientRequest?: string | undefined;
}

/** Whether the turn has begun. `gone` means that its conversation has been deleted or given to another agent. */
export type BeginOutcome =
  | { readonly kind: "begun" }
  | { readonly kind: "gone" }
  | { readonly kind: "exhausted"; readonly exhausted: Exhausted };

/** What all turns of a batch count together: the month's messages, and the concurrent runs if they are limited. */
const SHARED_WRITES = 2;
/** What one turn writes for itself, at most. */
const OWN_WRITES = 5;
const MAX_BATCH = Math.floor((MAX_TRANSACTION - SHARED_WRITES) / OWN_WRITES);
/** DynamoDB allows 4 MB for a transaction. Messages are most of it. */
export const MAX_BATCH_BYTES = 3_000_000;

/** A write of a batch: a count that all turns share, a count of one turn's end user, or one turn's own item. */
interface Write {
  readonly action: WriteAction;
  readonly counts: keyof TurnLimits | null;
  /** Absent for shared counts. */
  readonly beginning?: Beginning;
}

/** A write that was refused, with the existing item. */
interface FailedWrite extends Write {
  readonly item: Item | undefined;
}

/** What to do after a refused batch: these turns are decided, and the next batch may have so many turns. */
interface Verdict {
  readonly decided: ReadonlyMap<Beginning, BeginOutcome>;
  readonly size: number;
}

/**
 * Stores the beginnings of turns: the user's message, its count and the record of the run, all or none of them. Several turns of
 * an account that begin at the same time are stored in one transaction, because all of them change the account's counts, and
 * DynamoDB refuses a transaction if another one is changing the same item.
 */
export class TurnBeginnings {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /**
   * Begins these turns, which `nextBeginnings` has selected, and returns an outcome for each. Counts are exact: if a limit leaves room
   * for some of them only, these begin in the order of the batch, and the others are exhausted.
   */
  async begin(batch: readonly Beginning[]): Promise<readonly BeginOutcome[]> {
    const outcomes = new Map<Beginning, BeginOutcome>();
    let pending = batch;
    let size = pending.length;

    while (pending.length > 0) {
      const next = pending.slice(0, Math.min(size, largestSize(pending)));
      const failed = await this.#write(next);
      const { decided, size: nextSize } = failed.length > 0 ? await this.#judge(next, failed) : begun(next);

      for (const [beginning, outcome] of decided) outcomes.set(beginning, outcome);
      pending = pending.filter((beginning) => !outcomes.has(beginning));
      size = nextSize;
    }
    return batch.map((beginning) => outcomes.get(beginning) ?? { kind: "gone" });
  }

  /** Stores a batch, or returns the writes that were refused. */
  async #write(batch: readonly Beginning[]): Promise<readonly FailedWrite[]> {
    const writes = writesOf(batch);
    const refusal = await this.#table.transactOrRefusal(writes.map(({ action }) => action));
    return [...(refusal ?? [])].flatMap(([index, item]) => {
      const write = writes[index];
      return write ? [{ ...write, item }] : [];
    });
  }

  /**
   * Decides about one cause of a refusal. Each verdict decides about a turn, shrinks the batch or frees slots, so that a batch
   * always comes to an end.
   */
  async #judge(batch: readonly Beginning[], failed: readonly FailedWrite[]): Promise<Verdict> {
    const gone = failed.filter(({ counts }) => counts === null).flatMap(({ beginning = [] }) => beginning);
    // A run that is stored, or that recovery has ruled out, is reported like one whose conversation is gone.
    if (gone.length > 0) return { decided: mapTo(gone, { kind: "gone" }), size: batch.length };

    const messages = failed.find(({ counts }) => counts === "messages_per_month");
    if (messages) return shrunk(batch, "messages_per_month", count(messages.item ?? {}, "messages_used"));

    const ofEndUsers = failed.filter(({ counts }) => counts === "end_user_messages_per_month");
    if (ofEndUsers.length > 0)
      return { decided: new Map(ofEndUsers.flatMap(exhaustedEndUser)), size: batch.length };

    const slots = failed.find(({ counts }) => counts === "concurrent_runs");
    return this.#freeSlots(batch, slots?.item);
  }

  async #freeSlots(batch: readonly Beginning[], item: Item | undefined): Promise<Verdict> {
    const [first] = batch;
    if (!first) return begun([]);
    const { open, expired } = slotsFrom(item, first.runIds.startedAt);
    if (expired.length === 0) return shrunk(batch, "concurrent_runs", open.length);
    // Runs that were never ended must not keep their slots forever.
    await this.#table.transact([returnSlots(first.place.accountEmail, expired)]);
    return { decided: new Map(), size: batch.length };
  }
}

/**
 * Selects the turns that may begin in one transaction. The first one always does; the others have the same month and limits, other
 * conversations and other end users, because a transaction must not change an item twice.
 */
export function nextBeginnings(waiting: readonly Beginning[]): readonly Beginning[] {
  const batch: Beginning[] = [];
  const items = new Set<string>();
  let bytes = 0;
  for (const beginning of waiting) {
    if (batch.length === MAX_BATCH) break;
    const own = ownItems(beginning);
    const size = itemBytes(messageItem(beginning.message)) + utf8Length(beginning.clientRequest ?? "");
    if (sharedCounts(beginning) !== sharedCounts(batch[0] ?? beginning)) continue;
    if (own.some((item) => items.has(item)) || (batch.length > 0 && bytes + size > MAX_BATCH_BYTES)) continue;

    batch.push(beginning);
    bytes += size;
    for (const item of own) items.add(item);
  }
  return batch;
}

/** Returns a name of the counts that a turn shares with others of its account. */
const sharedCounts = ({ runIds, limits }: Beginning): string =>
  [monthOf(runIds.startedAt), limits.messages_per_month, limits.concurrent_runs].join();

/** Returns names of the items that a turn shares with few others. */
const ownItems = ({ place: { conversationId, endUser } }: Beginning): readonly string[] => [
  `conversation ${conversationId}`,
  ...(endUser ? [`end user ${endUser.agentId} ${endUser.id}`] : []),
];

/** Returns how many of these turns may begin at once, even if nothing is used of their limits. */
const largestSize = ([first]: readonly Beginning[]): number =>
  Math.min(first?.limits.messages_per_month ?? MAX_BATCH, first?.limits.concurrent_runs ?? MAX_BATCH);

function writesOf(batch: readonly Beginning[]): readonly Write[] {
  const [first] = batch;
  if (!first) return [];
  const { messages_per_month, concurrent_runs } = first.limits;
  const { accountEmail } = first.place;
  const timestamp = batch.at(-1)?.runIds.askedAt ?? first.runIds.askedAt;
  const used = { accountEmail, startedAt: first.runIds.startedAt, timestamp };
  const runIds = batch.map((beginning) => beginning.runIds.runId);

  return [
    { action: countMessages(used, batch.length, messages_per_month), counts: "messages_per_month" },
    ...(concurrent_runs === null
      ? []
      : [
          {
            action: takeSlots(accountEmail, runIds, concurrent_runs, timestamp),
            counts: "concurrent_runs",
          } as const,
        ]),
    ...batch.flatMap(ownWrites),
  ];
}

function ownWrites(beginning: Beginning): readonly Write[] {
  const { place, runIds, message, limits, clientRequest } = beginning;
  const own = (action: WriteAction): Write => ({ action, counts: null, beginning });
  return [
    own({
      // Updated at both ends of a turn, so that the search index notices new messages.
      update: conversationKey(place, place.conversationId),
      changes: { set: { updated_at: runIds.askedAt } },
      // An agent's conversations are deleted before the agent, so that this includes the agent. A check of the agent would make it
      // another item that all turns of the account meet at.
      if: isLiveOf(place),
    }),
    ...(place.endUser ? [countOfEndUser(beginning, place.endUser)] : []),
    own(questionWrite(message, runIds)),
    own(beginRun(place, runIds, limits.concurrent_runs !== null, clientRequest)),
    own(reserveMessage(useOf(place, runIds, runIds.askedAt))),
  ];
}

/** Stores the message; one that is answered again is stored already, and must still be the last one, with its answer. */
function questionWrite(message: Message, { regenerates }: RunIds): WriteAction {
  if (!regenerates) return { put: messageItem(message), if: absent("pk") };
  const { createdAt, id } = regenerates.answer ?? regenerates.question;
  return { check: messageKey(message.conversationId, createdAt, id), if: present("pk") };
}

const countOfEndUser = (beginning: Beginning, endUser: EndUserRef): Write => ({
  action: countEndUserMessage(
    endUser,
    beginning.runIds.startedAt,
    beginning.runIds.askedAt,
    beginning.limits.end_user_messages_per_month,
  ),
  counts: "end_user_messages_per_month",
  beginning,
});

/** Returns the condition that a turn's conversation exists and still belongs to the turn's agent. */
export const isLiveOf = ({ agentId }: TurnPlace): Condition => all(isLive, equals("agent_id", agentId));

/** Returns the message that a run uses. */
export const useOf = (place: TurnPlace, runIds: RunIds, timestamp: string): MessageUse => ({
  accountEmail: place.accountEmail,
  endUser: place.endUser,
  runId: runIds.runId,
  startedAt: runIds.startedAt,
  timestamp,
});

const begun = (batch: readonly Beginning[]): Verdict => ({
  decided: mapTo(batch, { kind: "begun" }),
  size: MAX_BATCH,
});

/** All turns of the batch are exhausted if the limit is reached. Otherwise, as many as there is room for may try again. */
function shrunk(batch: readonly Beginning[], limit: keyof TurnLimits, used: number): Verdict {
  const room = (batch[0]?.limits[limit] ?? 0) - used;
  return room > 0
    ? { decided: new Map(), size: Math.min(room, batch.length - 1) }
    : { decided: mapTo(batch, { kind: "exhausted", exhausted: { limit, used } }), size: batch.length };
}

function exhaustedEndUser({ beginning, item }: FailedWrite): [Beginning, BeginOutcome][] {
  const used = count(item ?? {}, "messages_used");
  return beginning
    ? [[beginning, { kind: "exhausted", exhausted: { limit: "end_user_messages_per_month", used } }]]
    : [];
}

const mapTo = (beginnings: readonly Beginning[], outcome: BeginOutcome) =>
  new Map(beginnings.map((beginning) => [beginning, outcome]));
