import { type Agent, agentFrom, agentKey } from "../agents/model.ts";
import { type Conversation, conversationFrom, conversationKey } from "../conversations/model.ts";
import { type EndUser, endUserFrom, endUserKey } from "../end-users/model.ts";
import { type CapacityWarning, warningsFrom } from "../memory/capacity-model.ts";
import { type Block, blocksFrom, CORE_MEMORY_RANGE } from "../memory/model.ts";
import { type Message, messageFrom, messageItem, MESSAGE_PREFIX } from "../messages/model.ts";
import { type AccountPlan, accountPlanFrom, planRange, type PlanRules } from "../plans/account-plan.ts";
import { countMessage, forgoMessage, type MessageUse, returnMessage } from "../plans/model.ts";
import { countTokens } from "../plans/token-counts.ts";
import {
  isProviderSettings,
  PROVIDER_SETTINGS_PREFIX,
  type ProviderSettings,
  settingsFrom,
} from "../settings/model.ts";
import { type Summary, summaryFrom, summaryKey } from "../messages/summary-model.ts";
import { HISTORY_MESSAGES } from "../messages/window.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient, WriteAction } from "../table/client.ts";
import { isBeingDeleted, isLive } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent } from "../table/expressions.ts";
import { count, text } from "../table/fields.ts";
import { conversationPartition, memoryPartition, userPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { type User, userFrom, userKey } from "../users/model.ts";
import { personIn } from "../users/space.ts";
import { beginRun, endRun, type RunEnd, type RunSeed, type TurnPlace } from "./model.ts";

/** Where the writes that a beginning turn finds its place by stand, and the count of the month's messages. */
const PLACE_WRITES = [0, 1] as const;
const COUNT_WRITE = 4;
/** Where the event and the run stand among the actions that give a message back. */
const EVENT_WRITE = 0;
const RUN_WRITE = 2;

/** All that a turn reads. */
export interface TurnState {
  readonly user: User | undefined;
  /** None where the turn is the owner's own. */
  readonly endUser: EndUser | undefined;
  readonly agent: Agent | undefined;
  readonly conversation: Conversation | undefined;
  /** What the owner keeps for the providers of models. */
  readonly providers: readonly ProviderSettings[];
  /** What the owner may use; what end users say counts as the owner's. */
  readonly plan: AccountPlan;
  /** None where the memory was never begun. */
  readonly blocks: readonly Block[];
  readonly warnings: readonly CapacityWarning[];
  /** Oldest first. */
  readonly history: readonly Message[];
  /** Whether the conversation has messages that are older than these. */
  readonly hasOlder: boolean;
  /** What was said before the messages that are still read word for word. */
  readonly summary: Summary | null;
}

/** A model, and whose it is. */
export interface AnsweredBy {
  readonly provider: string;
  readonly model: string;
}

/** All that is written at a turn's end. Without a message, nothing was said, and the count is given back. */
export interface TurnEnd {
  readonly place: TurnPlace;
  readonly seed: RunSeed;
  readonly message: Message | null;
  readonly end: RunEnd;
  /** Which model answered; nothing where nobody knows. */
  readonly answeredBy?: AnsweredBy;
}

/** What a turn reads and writes, across the features that it brings together. */
export class TurnRepository {
  readonly #table: TableClient;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor(table: TableClient, rules: Pick<PlanRules, "isSuperuser">) {
    this.#table = table;
    this.#rules = rules;
  }

  /** Everything that a turn which begins at `nowMs` needs, in one wave of parallel reads. */
  async load(place: TurnPlace, nowMs: number): Promise<TurnState> {
    const { owner, agentId, conversationId } = place;
    const memory = { agentId, userId: personIn(place) };
    const [[agent, conversation, user, summary, endUser], accountItems, memoryItems, newest] =
      await Promise.all([
        this.#table.batchGet([
          agentKey(owner, agentId),
          conversationKey(place, conversationId),
          userKey(owner),
          summaryKey(conversationId),
          ...(place.endUser ? [endUserKey(place.endUser)] : []),
        ]),
        // Settings of providers, subscriptions and the usage of the months lie side by side.
        this.#table.query(userPartition(owner), {
          range: { between: [PROVIDER_SETTINGS_PREFIX, planRange(nowMs).between[1]] },
        }),
        this.#table.query(memoryPartition(agentId, memory.userId), { range: CORE_MEMORY_RANGE }),
        this.#table.queryPage(conversationPartition(conversationId), {
          range: { beginsWith: MESSAGE_PREFIX },
          newestFirst: true,
          limit: HISTORY_MESSAGES,
        }),
      ]);

    return {
      user: user && userFrom(user),
      endUser: living(endUser, endUserFrom),
      agent: living(agent, agentFrom),
      conversation: living(conversation, conversationFrom),
      providers: accountItems.filter(isProviderSettings).map((item) => settingsFrom(owner, item)),
      plan: accountPlanFrom(accountItems, nowMs, this.#rules.isSuperuser(owner)),
      blocks: blocksFrom(memory, memoryItems),
      warnings: warningsFrom(memory, memoryItems),
      history: newest.items.map(messageFrom).toReversed(),
      hasOlder: newest.next !== undefined,
      summary: summary ? summaryFrom(summary) : null,
    };
  }

  /**
   * Stores the user's message, counts it and records the run, together or not at all. Where `limit` messages are counted
   * already, it gives how many, and nothing is stored.
   */
  async begin(
    place: TurnPlace,
    seed: RunSeed,
    message: Message,
    limit: number | null,
  ): Promise<{ readonly used: number } | undefined> {
    try {
      await this.#table.transact([
        {
          // Touched at both ends of a turn: by the touch, searches see that something was said.
          update: conversationKey(place, place.conversationId),
          changes: { set: { updated_at: seed.askedAt } },
          if: isLive,
        },
        { check: agentKey(place.owner, place.agentId), if: isLive },
        { put: messageItem(message), if: absent("pk") },
        beginRun(place, seed),
        ...countMessage(useOf(place, seed, seed.askedAt), limit),
      ]);
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      const counted = error.failed.get(COUNT_WRITE);
      if (counted && !PLACE_WRITES.some((write) => error.failed.has(write)))
        return { used: count(counted, "messages_used") };
      // Both stood a moment ago when they were read: whichever it is has just been deleted.
      throw notFound("Conversation");
    }
  }

  /**
   * Makes sure that a turn that is not stored never will be: a write of its dead runner may still be on its way. False
   * where it has just arrived.
   */
  async preventBegin(place: TurnPlace, seed: RunSeed): Promise<boolean> {
    try {
      await this.#table.transact([forgoMessage(useOf(place, seed, seed.askedAt))]);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }

  /**
   * Stores how a turn ended. Repeating it is harmless, and so is a second end by somebody who took the run for dead:
   * the first one stands. Throws a 404 where the conversation or the agent has been deleted.
   */
  async end({ place, seed, message, end, answeredBy }: TurnEnd): Promise<void> {
    const { owner, agentId, conversationId } = place;
    const run = endRun(conversationId, seed.runId, end);
    if (!message) return this.#giveBack(useOf(place, seed, end.endedAt), run);

    try {
      await this.#table.transact([
        { put: messageItem(message), if: absent("pk") },
        run,
        {
          update: conversationKey(place, conversationId),
          changes: { set: { updated_at: end.endedAt } },
          if: isLive,
        },
        { check: agentKey(owner, agentId), if: isLive },
        ...(end.usage && answeredBy
          ? [countTokens({ email: owner, agentId, ...answeredBy, ...timesOf(seed, end) }, end.usage)]
          : []),
      ]);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      const stored = [...error.failed.values()].find(
        (item) => item && text(item, "message_id") === message.id,
      );
      if (stored) return;
      await this.#endUnsaved(conversationId, seed, end);
      throw notFound("Conversation");
    }
  }

  /** Ends the record of a run whose answer has no place any more; the conversation may stand, with another agent. */
  async #endUnsaved(conversationId: string, { runId }: RunSeed, end: RunEnd): Promise<void> {
    const failed = { ...end, state: "failed", messageId: null, errorCode: "not-found" } as const;
    try {
      await this.#table.transact([endRun(conversationId, runId, failed)]);
    } catch (error) {
      // Ended by somebody else, or gone with its conversation.
      if (!(error instanceof TransactionRefused)) throw error;
    }
  }

  /** Gives back the message that a run had counted; once, whatever repeats, and also when the run's record is gone. */
  async #giveBack(use: MessageUse, run: WriteAction): Promise<void> {
    try {
      await this.#table.transact([...returnMessage(use), run]);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      // Given back before, or the run has ended otherwise meanwhile, with an answer that counts.
      if (error.failed.has(EVENT_WRITE) || error.failed.get(RUN_WRITE)) return;
      await this.#giveBackAlone(use);
    }
  }

  async #giveBackAlone(use: MessageUse): Promise<void> {
    try {
      await this.#table.transact(returnMessage(use));
    } catch (error) {
      // Already given back.
      if (!(error instanceof TransactionRefused)) throw error;
    }
  }
}

const useOf = (place: TurnPlace, seed: RunSeed, timestamp: string): MessageUse => ({
  email: place.owner,
  runId: seed.runId,
  startedAt: seed.startedAt,
  timestamp,
});

const timesOf = ({ startedAt }: RunSeed, { endedAt: timestamp }: RunEnd) => ({ startedAt, timestamp });

const living = <T>(item: Item | undefined, from: (item: Item) => T): T | undefined =>
  item && !isBeingDeleted(item) ? from(item) : undefined;
