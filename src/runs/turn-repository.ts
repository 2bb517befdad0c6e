import { type Agent, agentFrom } from "../agents/model.ts";
import { type Conversation, conversationFrom } from "../conversations/model.ts";
import { type EndUser, endUserFrom } from "../end-users/model.ts";
import { type HttpTool, httpToolsFrom } from "../http-tools/model.ts";
import { type McpServer, mcpServersFrom } from "../mcp-servers/model.ts";
import { linkedKnowledgeBasesFrom, linkedKnowledgeBasesKey } from "../knowledge/link-model.ts";
import { type CapacityWarning, warningsFrom } from "../memory/capacity-model.ts";
import { type Block, blocksFrom, CORE_MEMORY_RANGE } from "../memory/model.ts";
import { type Message, messageFrom } from "../messages/model.ts";
import { type AccountPlan, accountPlanFrom, planRange, type PlanRules } from "../plans/account-plan.ts";
import { endUserUsageKey } from "../plans/end-user-usage.ts";
import { countFailure, endUserFailuresKey } from "../plans/failures.ts";
import { forgoMessage, type MessageUse, returnMessage } from "../plans/model.ts";
import { retakeSlot, returnSlots } from "../plans/run-slots.ts";
import { isProviderSettings, type ProviderSettings, settingsFrom } from "../settings/model.ts";
import { type Summary, summaryFrom, summaryKey } from "../messages/summary-model.ts";
import { HISTORY_MESSAGES } from "../messages/window.ts";
import { notFound } from "../shared/errors.ts";
import type { KnowledgeBaseId, RunId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import {
  recordEvent,
  type WantedEvents,
  wantedEventsIn,
  type WebhookEvent,
} from "../webhooks/event-model.ts";
import type { WriteAction } from "../table/requests.ts";
import { isBeingDeleted, isLive } from "../table/deletion.ts";
import { absentOrExpired, any, differs } from "../table/expressions.ts";
import { count, text } from "../table/fields.ts";
import {
  MESSAGE_PREFIX,
  userKey,
  agentKey,
  conversationPartition,
  memoryPartition,
  userPartition,
} from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { type User, userFrom } from "../users/model.ts";
import { endUserKey, conversationKey, memoryUserId } from "../access/access-scope.ts";
import { type AnsweredEnd, answerWrites, isAnswered, movedAnswerWrites } from "./end-writes.ts";
import {
  type LearnedWindow,
  learnedWindowAttributes,
  learnedWindowKey,
  learnedWindowsFrom,
} from "./learned-window.ts";
import {
  isAskedLast,
  SERVED_WINDOW_PREFIX,
  type ServedWindow,
  servedWindowAttributes,
  servedWindowKey,
  servedWindowsFrom,
} from "./served-window.ts";
import type { ClientPause } from "./client-pauses.ts";
import { approvedBefore, rememberApproved } from "./approved-tools.ts";
import { endRun, isDiscarded, pauseRun, type RunEnd, type RunIds, type TurnPlace } from "./model.ts";
import { runEventOf } from "./run-events.ts";
import { useOf } from "./turn-beginnings.ts";

/** Positions of the run's write and of the counting event's write in `#giveBack`. */
const RUN_WRITE = 0;
const EVENT_WRITE = 1;

/** Everything that a turn reads before it begins. */
export interface TurnState {
  readonly user: User | undefined;
  /** `undefined` if the turn is the owner's own. */
  readonly endUser: EndUser | undefined;
  readonly agent: Agent | undefined;
  readonly conversation: Conversation | undefined;
  /** The owner's settings for model providers. */
  readonly providers: readonly ProviderSettings[];
  /** What earlier turns have learned about the windows of the owner's models. */
  readonly learnedWindows: readonly LearnedWindow[];
  /** What the servers of the owner's models have stated about their windows. */
  readonly servedWindows: readonly ServedWindow[];
  /** The owner's plan and usage. Messages of end users count against the owner. */
  readonly plan: AccountPlan;
  /** The end user's messages this month; 0 for the owner, who has no separate count. */
  readonly endUserMessages: number;
  /** The end user's runs that failed without an answer this hour; 0 for the owner. */
  readonly endUserFailures: number;
  /** Empty if the memory has not been initialised. */
  readonly blocks: readonly Block[];
  readonly warnings: readonly CapacityWarning[];
  /** The knowledge bases that the agent may search. */
  readonly knowledgeBases: readonly KnowledgeBaseId[];
  /** The agent's HTTP tools. They are a part of its item, so an agent without them costs no further read. */
  readonly httpTools: readonly HttpTool[];
  /** The agent's MCP servers, with the tools that they have listed. They are a part of its item, too. */
  readonly mcpServers: readonly McpServer[];
  /** Whether a call of this tool was approved in the conversation before. */
  readonly isApproved: (tool: string) => boolean;
  /** Oldest first. */
  readonly history: readonly Message[];
  /** Whether the conversation has messages older than `history`. */
  readonly hasOlder: boolean;
  /** The summary of messages that are no longer read in full. */
  readonly summary: Summary | null;
  /** Which events the account's webhook endpoints want. */
  readonly wantedEvents: WantedEvents;
}

/** The model that answered, and its provider. */
export interface AnsweredBy {
  readonly provider: string;
  readonly model: string;
}

/** Everything that is written at the end of a turn. Without a message, there is no answer and the count is returned. */
export interface TurnEnd {
  readonly place: TurnPlace;
  readonly runIds: RunIds;
  readonly message: Message | null;
  readonly end: RunEnd;
  /** The model that answered, if it is known. */
  readonly answeredBy?: AnsweredBy;
  /** Whether the run took one of the account's slots for concurrent runs. Stored ends that predate slots lack it. */
  readonly hasSlot?: boolean;
  /** The types of events that the account's webhook endpoints want. Stored ends that predate webhooks lack them. */
  readonly wantedEvents?: readonly string[];
}

/** How a run pauses. */
interface Pausing {
  /** Whether it has one of the account's slots for concurrent runs. */
  readonly hasSlot: boolean;
  readonly events: readonly WebhookEvent[];
  /** Where the run has left calls to its client, this pause included. */
  readonly clientPauses: readonly ClientPause[];
}

/** How a run that has waited goes on. */
interface GoingOn {
  /** The tools of which calls were approved. */
  readonly approved: readonly string[];
  /** Whether the account's concurrent runs are limited. */
  readonly takesSlot: boolean;
  readonly timestamp: string;
}

interface TurnRepositoryDeps {
  readonly table: TableClient;
  readonly rules: Pick<PlanRules, "isSuperuser">;
}

/** The reads and writes of a turn, which span several features. */
export class TurnRepository {
  readonly #table: TableClient;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor({ table, rules }: TurnRepositoryDeps) {
    this.#table = table;
    this.#rules = rules;
  }

  /**
   * Reads everything that a turn beginning at `nowMs` (milliseconds since the epoch) needs, in one wave of parallel
   * reads.
   */
  async load(place: TurnPlace, nowMs: number): Promise<TurnState> {
    const { accountEmail, agentId, conversationId } = place;
    const memory = { agentId, userId: memoryUserId(place) };
    const [
      [agent, conversation, user, summary, linked, endUser, endUserUsage, endUserFailed],
      accountItems,
      memoryItems,
      newest,
    ] = await Promise.all([
      this.#table.batchGet([
        agentKey(accountEmail, agentId),
        conversationKey(place, conversationId),
        userKey(accountEmail),
        summaryKey(conversationId),
        linkedKnowledgeBasesKey(agentId),
        ...(place.endUser
          ? [
              endUserKey(place.endUser),
              endUserUsageKey(place.endUser, nowMs),
              endUserFailuresKey(place.endUser, nowMs),
            ]
          : []),
      ]),
      // Provider settings, served and learned windows, subscriptions, wanted events and monthly usage have adjacent sort keys, so
      // one query reads them all.
      this.#table.query(userPartition(accountEmail), {
        range: { between: [SERVED_WINDOW_PREFIX, planRange(nowMs).between[1]] },
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
      providers: accountItems.filter(isProviderSettings).map((item) => settingsFrom(accountEmail, item)),
      learnedWindows: learnedWindowsFrom(accountItems, nowMs),
      servedWindows: servedWindowsFrom(accountItems),
      plan: accountPlanFrom(accountItems, nowMs, this.#rules.isSuperuser(accountEmail)),
      endUserMessages: count(endUserUsage ?? {}, "messages_used"),
      endUserFailures: count(endUserFailed ?? {}, "failures"),
      blocks: blocksFrom(memory, memoryItems),
      warnings: warningsFrom(memory, memoryItems),
      history: newest.items.map(messageFrom).toReversed(),
      knowledgeBases: linkedKnowledgeBasesFrom(linked),
      httpTools: httpToolsFrom(agent ?? {}),
      mcpServers: mcpServersFrom(agent ?? {}),
      isApproved: approvedBefore(conversation ?? {}, agentId),
      hasOlder: newest.next !== undefined,
      summary: summary ? summaryFrom(summary) : null,
      wantedEvents: wantedEventsIn(accountItems),
    };
  }

  /** Stores the window of a model, unless the agent has been deleted or the same window is stored. */
  async learnWindow(
    { accountEmail, agentId }: Pick<TurnPlace, "accountEmail" | "agentId">,
    learned: LearnedWindow,
    nowMs: number,
  ): Promise<void> {
    const key = learnedWindowKey(accountEmail, learned);
    const isNew = any(absentOrExpired(nowMs), differs("context_tokens", learned.contextTokens));
    await this.#table.transactOrRefusal([
      { check: agentKey(accountEmail, agentId), if: isLive },
      { put: { ...key, ...learnedWindowAttributes(learned, nowMs) }, if: isNew },
    ]);
  }

  /**
   * Stores the window that a server serves a model with, or that it is being asked. Returns false if the agent has been
   * deleted, or if the server was asked again since `previousAskedAt`.
   */
  async saveServedWindow(
    { accountEmail, agentId }: Pick<TurnPlace, "accountEmail" | "agentId">,
    window: ServedWindow,
    previousAskedAt: number | undefined,
  ): Promise<boolean> {
    const key = servedWindowKey(accountEmail, window);
    return this.#table.tryTransact([
      { check: agentKey(accountEmail, agentId), if: isLive },
      {
        put: { ...key, ...servedWindowAttributes(window) },
        if: isAskedLast(previousAskedAt, window.askedAt),
      },
    ]);
  }

  /**
   * Notes that a run waits: its slot is free meanwhile, and the account's webhooks are told. Idempotent for the same events. Throws
   * `not-found` if the run does not exist any more, or has ended.
   */
  async pause(
    { accountEmail, conversationId }: TurnPlace,
    runId: RunId,
    { hasSlot, events, clientPauses }: Pausing,
  ): Promise<void> {
    const isPaused = await this.#table.tryTransact([
      pauseRun(conversationId, runId, "waiting", { hasSlot: false, clientPauses }),
      ...(hasSlot ? [returnSlots(accountEmail, [runId])] : []),
      ...events.map((event) => recordEvent(accountEmail, event)),
    ]);
    if (!isPaused) throw notFound("Run");
  }

  /**
   * Notes that a run that has waited goes on, and which tools were approved. Idempotent. Throws `not-found` if the run or its
   * conversation does not exist any more, or if the run has ended.
   */
  async goOn(place: TurnPlace, runId: RunId, { approved, takesSlot, timestamp }: GoingOn): Promise<void> {
    const goesOn = await this.#table.tryTransact([
      pauseRun(place.conversationId, runId, "running", { hasSlot: takesSlot }),
      ...(takesSlot ? [retakeSlot(place.accountEmail, runId, timestamp)] : []),
      ...(approved.length > 0 ? [rememberApproved(place, approved)] : []),
    ]);
    if (!goesOn) throw notFound("Run");
  }

  /**
   * Prevents a turn that is not stored from being stored later, because a write of its dead runner may still be under
   * way. Returns false if that write has just arrived.
   */
  async preventBegin(place: TurnPlace, runIds: RunIds): Promise<boolean> {
    return this.#table.tryTransact([forgoMessage(useOf(place, runIds, runIds.askedAt))]);
  }

  /**
   * Stores how turns of one account ended, which `nextEnds` has selected: in one transaction, or if that is refused, one after the
   * other, so that they do not meet at the account's counts. Returns an outcome for each, as `end` would have it.
   */
  async endAll(ends: readonly TurnEnd[]): Promise<readonly PromiseSettledResult<void>[]> {
    if (ends.length > 1 && (await this.#table.tryTransact(answerWrites(ends.filter(isAnswered)))))
      return ends.map(() => ({ status: "fulfilled", value: undefined }));

    const outcomes: PromiseSettledResult<void>[] = [];
    for (const end of ends) outcomes.push(...(await Promise.allSettled([this.end(end)])));
    return outcomes;
  }

  /**
   * Stores how a turn ended. Idempotent: if recovery has already ended the run, the first end is kept. Throws
   * `not-found` if the conversation or the agent has been deleted.
   */
  async end(turn: TurnEnd): Promise<void> {
    const { place, runIds, end, hasSlot = false } = turn;
    const slot = hasSlot ? [returnSlots(place.accountEmail, [runIds.runId])] : [];
    if (!isAnswered(turn)) {
      const run = endRun(place.conversationId, runIds.runId, end);
      // An interrupted run is not the caller's fault, so it does not count as a failure.
      const failure =
        end.state === "interrupted" ? [] : countFailure(place.accountEmail, place.endUser, end.endedAt);
      return this.#giveBack(useOf(place, runIds, end.endedAt), run, [
        ...failure,
        ...slot,
        ...eventWrites(turn),
      ]);
    }

    if (
      (await this.#storeAnswer(turn, answerWrites([turn]))) ||
      (await this.#storeAnswer(turn, movedAnswerWrites(turn)))
    )
      return;
    await this.#endUnsaved(turn, slot);
    throw notFound("Conversation");
  }

  /** Returns false if the writes were refused, unless they had been made before. */
  async #storeAnswer({ message, runIds }: AnsweredEnd, writes: readonly WriteAction[]): Promise<boolean> {
    const refusal = await this.#table.transactOrRefusal(writes);
    // Of a run whose answer is not kept, only its record shows that it has ended.
    const isMade = isDiscarded(runIds, message)
      ? (item: Item) => text(item, "run_id") === runIds.runId && text(item, "state") !== "running"
      : (item: Item) => text(item, "message_id") === message.id;
    return !refusal || [...refusal.values()].some((item) => item && isMade(item));
  }

  /** Ends the run if its answer can't be stored any more, because the conversation or the agent is gone. */
  async #endUnsaved(turn: TurnEnd, slot: readonly WriteAction[]): Promise<void> {
    const { conversationId } = turn.place;
    const failed = { ...turn.end, state: "failed", messageId: null, errorCode: "not-found" } as const;
    const isEnded = await this.#table.tryTransact([
      endRun(conversationId, turn.runIds.runId, failed),
      ...slot,
      ...eventWrites({ ...turn, end: failed }),
    ]);
    // Otherwise the run was ended elsewhere, or is gone with its conversation. In both cases, its slot must be returned.
    if (!isEnded && slot.length > 0) await this.#table.transact(slot);
  }

  /**
   * Returns the message that a run had counted, and makes the writes in `along`. Takes effect once even if it is
   * repeated, and works even if the run's record is gone.
   */
  async #giveBack(use: MessageUse, run: WriteAction, along: readonly WriteAction[]): Promise<void> {
    const refusal = await this.#table.transactOrRefusal([run, ...returnMessage(use), ...along]);
    // The message was returned before, or the run has since ended with an answer that counts.
    if (!refusal || refusal.has(EVENT_WRITE) || refusal.get(RUN_WRITE)) return;
    // If this is refused, the message has been returned concurrently.
    await this.#table.tryTransact([...returnMessage(use), ...along]);
  }
}

const living = <T>(item: Item | undefined, from: (item: Item) => T): T | undefined =>
  item && !isBeingDeleted(item) ? from(item) : undefined;

/** Returns the write that records the event of a run's end, if an endpoint wants it. */
function eventWrites(turn: TurnEnd): readonly WriteAction[] {
  const event = runEventOf(turn);
  return event ? [recordEvent(turn.place.accountEmail, event)] : [];
}
