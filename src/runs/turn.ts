import type { Architecture, TurnResult } from "../architectures/architecture.ts";
import type { PromptInput } from "../architectures/assemble.ts";
import { architectureNames, findArchitecture } from "../architectures/registry.ts";
import type { Agent } from "../agents/model.ts";
import { requireCurrentEndUser } from "../access/end-user-status.ts";
import { HttpToolCalls } from "../http-tools/calls.ts";
import { KnowledgeReader } from "../knowledge/knowledge-reader.ts";
import type { AnswerFormat, OpenModel } from "../llm/model.ts";
import type { Window } from "../llm/prompt-budget.ts";
import { withoutSimilarNames } from "../llm/similar-models.ts";
import { ArchivalMemory } from "../memory/archival-memory.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import { takeCompactions } from "../memory/capacity-notes.ts";
import { changeRecorder, NO_RECORD } from "../memory/change-records.ts";
import { CoreMemory } from "../memory/core-memory.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { Attachment } from "../messages/attachments.ts";
import { ConversationReader } from "../messages/conversation-reader.ts";
import type { Message } from "../messages/model.ts";
import { type AccountPlan, withAgentLimit } from "../plans/account-plan.ts";
import { limitExceeded, messagesLeft, requireFewFailures, requireBelowLimit } from "../plans/refusals.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AgentId, type RunId, runIdOf } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import { requireActive } from "../access/account-status.ts";
import { memoryUserId, scopeName } from "../access/access-scope.ts";
import { afterTurn, type EndedTurn } from "./after-turn.ts";
import { AnswerProgress } from "./answer-progress.ts";
import { limitedModel, requireCloudflareTurns } from "./cloudflare-limit.ts";
import { CompactionNotes } from "./compaction-notes.ts";
import type { AgentEvent, AnswerEvent } from "../architectures/events.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { endTurn, type TurnEnding } from "./turn-end.ts";
import { type Opening, requireModel } from "./turn-model.ts";
import type { AnsweredBy, TurnState } from "./turn-repository.ts";
import { mayNoticeUsage, noticeUsage } from "./usage-notices.ts";

/** A message of a history that the client keeps. */
export interface GivenMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

export interface TurnInput extends TurnPlace {
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly showsReasoning: boolean;
  /** The form that the answer must have. Absent for text. */
  readonly format?: AnswerFormat | undefined;
  /** The history, oldest first, if the client keeps it. If absent, it is that of the conversation. */
  readonly givenHistory?: readonly GivenMessage[] | undefined;
  /** What the client says before the message, behind the history. Only this turn reads it. */
  readonly preceding?: readonly GivenMessage[] | undefined;
  /** If the message is an answer to a run, that run: no later one of the conversation may have been answered. */
  readonly follows?: RunId | undefined;
  /** What the client's protocol repeats of the request whenever it shows the run, as JSON. Stored with the run. */
  readonly clientRequest?: string | undefined;
  /** The user's IANA time zone, if the client has stated it. */
  readonly timeZone?: string | undefined;
}

/** Creates the ids and times of a run. They must stay the same if a part of the run is repeated. */
export function newRunIds(clock: Clock): RunIds {
  const startedAt = clock.now();
  return {
    runId: runIdOf(newId(startedAt)),
    userMessageId: newId(startedAt),
    answerId: newId(startedAt),
    startedAt,
    askedAt: clock.timestamp(),
    answeredAt: clock.timestamp(),
  };
}

/** Returns the empty answer of a run. */
export const emptyAnswer = (place: TurnPlace, runIds: RunIds): Message => ({
  id: runIds.answerId,
  conversationId: place.conversationId,
  createdBy: memoryUserId(place),
  role: "assistant",
  content: "",
  attachments: [],
  createdAt: runIds.answeredAt,
  status: "complete",
  toolCalls: [],
  usage: null,
  tokenRatio: null,
  runId: runIds.runId,
});

/** An accepted turn: its events, and the rest of the month's messages, if they are limited. */
export interface OpenedTurn {
  readonly events: AsyncGenerator<AgentEvent, void, void>;
  readonly messagesLeft: RateLimit | undefined;
}

/**
 * Begins a turn: one wave of reads, then the first model request in parallel with the write that stores and counts the
 * message. Throws `AppError` if the turn is refused, so a returned turn has been accepted. Its events end with exactly
 * one terminal event and never throw. Aborting the signal ends the turn early, as cancelled if the reason is
 * `RunCancelled`, and otherwise as failed. The answer so far is saved.
 */
export async function openTurn(
  input: TurnInput,
  runIds: RunIds,
  deps: TurnDeps,
  signal: AbortSignal,
): Promise<OpenedTurn> {
  const plan = await prepare(input, runIds, deps);
  const { account } = plan;

  const abort = new AbortController();
  const answering = plan.run(AbortSignal.any([signal, abort.signal]));
  const first = answering.next();
  // Awaited only after the write below. Until then, a failure of the model must not count as unhandled.
  first.catch(() => undefined);

  try {
    const full = await deps.meterClient.begin(input, runIds, plan.userMessage, account.limits);
    // Concurrent turns have used up the limit since the counts were read.
    if (full) throw limitExceeded(account, full.limit, full.used, deps);
  } catch (error) {
    abort.abort(error);
    throw error;
  }

  const progress = new AnswerProgress(emptyAnswer(input, runIds));
  // Only an accepted turn may take the compactions. The model is already working meanwhile.
  const notes = new CompactionNotes(
    takeCompactions(deps.capacity, plan.ended.memory.owner, plan.compactions),
  );
  return {
    events: events(),
    messagesLeft: messagesLeft(account, account.messagesUsed + 1),
  };

  async function* events(): AsyncGenerator<AgentEvent, void, void> {
    yield status("Loading agent information...");
    yield status("Validating conversation...");
    yield { type: "message-saved", messageId: runIds.userMessageId };
    yield status("Loading provider configuration...");
    for (const text of plan.architecture.preparations) yield status(text);
    yield* notes.atBeginning();
    yield status("Connecting to AI model...");

    let ending: TurnEnding = { kind: "completed" };
    let historyTokens = 0;
    try {
      let result = await first;
      for (; !result.done; result = await answering.next()) {
        progress.add(result.value);
        yield result.value;
      }
      progress.complete(result.value);
      historyTokens = result.value.historyTokens;
    } catch (thrown) {
      ending = signal.aborted ? endingOf(signal.reason) : { kind: "failed", error: AppError.from(thrown) };
    }

    yield* notes.atEnd();
    const isAnswered = yield* endTurn(
      {
        place: input,
        runIds,
        progress,
        ending,
        answeredBy: answeredBy(plan.ended.model),
        hasSlot: account.limits.concurrent_runs !== null,
        wantedEvents: plan.ended.past.wantedEvents.types,
      },
      deps,
    );
    if (plan.ended.past.wantedEvents.types.length > 0) deps.follow(() => sendEvents());
    const answer = progress.message(progress.isCut ? "truncated" : "complete");
    if (!isAnswered) return;
    deps.follow(() => afterTurn({ ...plan.ended, answer, historyTokens }, deps));
    // The memory may have been compacted.
    if (plan.ended.record !== NO_RECORD) deps.follow(() => deps.webhookSender.nudge(input.accountEmail));
  }

  /** Has the events sent that the turn has recorded. Only accounts whose webhook endpoints want events come here. */
  async function sendEvents(): Promise<void> {
    const { wantedEvents } = plan.ended.past;
    try {
      if (mayNoticeUsage(wantedEvents, deps.clock.now()))
        await noticeUsage(input.accountEmail, wantedEvents, deps);
    } catch (error) {
      // The next turn tries again.
      console.warn({
        message: "The usage of an account was not noticed.",
        runId: runIds.runId,
        error: String(error),
      });
    }
    await deps.webhookSender.nudge(input.accountEmail);
  }
}

/** The abort reason of a run that its user has cancelled. */
export class RunCancelled extends Error {
  override readonly name = "RunCancelled";
}

const endingOf = (reason: unknown): TurnEnding =>
  reason instanceof RunCancelled ? { kind: "cancelled" } : { kind: "failed", error: AppError.from(reason) };

/** If the fallback has taken over, the model's id and provider are those of the fallback. */
const answeredBy = ({ provider, id: model }: OpenModel): AnsweredBy => ({ provider, model });

const status = (text: string): AgentEvent => ({ type: "status", text });

interface Plan {
  readonly account: AccountPlan;
  readonly architecture: Architecture;
  readonly run: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, TurnResult, void>;
  readonly userMessage: Message;
  /** Compactions after earlier answers that may still have to be reported. */
  readonly compactions: readonly Compaction[];
  /** The turn without its answer, for the follow-up work. */
  readonly ended: Omit<EndedTurn, "answer" | "historyTokens">;
}

/** Reads everything that the turn needs. Throws `AppError` if the turn must be refused. */
async function prepare(input: TurnInput, runIds: RunIds, deps: TurnDeps): Promise<Plan> {
  const { turns, memory, archive, memorySearch, messageSearch, documentIndexes, messages, clock } = deps;
  const { accountEmail, agentId, conversationId, content, attachments } = input;
  const state = await turns.load(input, runIds.startedAt);

  if (input.endUser) requireCurrentEndUser(state.endUser, input);
  requireActive(state.user, input.issuedAt);
  const counting = { accountEmail, plan: state.plan, startedAt: runIds.startedAt };
  const { agent, architecture, model, window } = await requireAnswerer(state, agentId, {
    ...deps,
    limited: (opened) => limitedModel(input.endUser ? withoutSimilarNames(opened) : opened, counting, deps),
  });
  if (input.follows !== undefined) requireNewest(input.follows, state.history);
  const account = withAgentLimit(state.plan, agent.endUserMessagesPerMonth);
  requireBelowLimit(account, "messages_per_month", account.messagesUsed, deps);
  if (input.endUser) requireBelowLimit(account, "end_user_messages_per_month", state.endUserMessages, deps);
  requireBelowLimit(account, "concurrent_runs", account.openRuns, deps);
  requireFewFailures(account, state.endUserFailures, deps);
  requireCloudflareTurns(agent, account, deps);

  const memoryOwner = { agentId, userId: memoryUserId(input) };
  const blocks = state.blocks.length > 0 ? state.blocks : beginMemory();
  const record = changeRecorder(accountEmail, state.wantedEvents, clock);
  const knowledge = new KnowledgeReader({
    place: { accountEmail, kbIds: state.knowledgeBases, runId: runIds.runId },
    indexes: documentIndexes,
  });
  const turn = {
    agent,
    ...withPreceding(
      input.givenHistory
        ? { history: toMessages(input, input.givenHistory, runIds), summary: null }
        : pastOf(state, agent, runIds.startedAt),
      toMessages(input, input.preceding ?? [], runIds),
    ),
    message: { content, attachments },
    model,
    window,
    learnWindow,
    memory: new CoreMemory({
      owner: memoryOwner,
      blocks,
      save: (change) =>
        memory.saveContent(memoryOwner, accountEmail, {
          ...change,
          author: { by: "agent", runId: runIds.runId, sources: knowledge.sources },
          conversationId: input.conversationId,
          record,
        }),
      clock,
    }),
    archive: new ArchivalMemory({
      place: { owner: memoryOwner, accountEmail, runId: runIds.runId },
      insert: async (draft) => {
        const sourced = { ...draft, sources: knowledge.sources, record };
        const inserted = await archive.insert(memoryOwner, accountEmail, sourced, account.limits);
        if ("full" in inserted) throw limitExceeded(account, inserted.full, inserted.used, deps);
        return inserted;
      },
      find: (id, asOf) =>
        asOf === undefined ? archive.find(memoryOwner, id) : archive.findAt(memoryOwner, id, asOf),
      search: memorySearch,
      clock,
    }),
    knowledge,
    knowledgeBases: state.knowledgeBases.length,
    httpCalls: new HttpToolCalls({
      ...deps.httpTools,
      place: { accountEmail, agentId },
      tools: state.httpTools,
      follow: (work) => deps.follow(work),
    }),
    conversation: new ConversationReader({
      place: {
        ...memoryOwner,
        accountEmail: input.accountEmail,
        conversationsOf: scopeName(input),
        conversationId,
        runId: runIds.runId,
      },
      messages,
      search: messageSearch,
    }),
    now: runIds.startedAt,
    showsReasoning: input.showsReasoning,
    format: input.format,
    timeZone: input.timeZone,
  };

  const userMessage: Message = {
    ...emptyAnswer(input, runIds),
    id: runIds.userMessageId,
    role: "user",
    content,
    attachments,
    createdAt: runIds.askedAt,
  };
  return {
    account,
    architecture,
    run: (signal) => architecture.run(turn, signal),
    userMessage,
    compactions: architecture.keepsMemory
      ? state.warnings.flatMap((warning) => warning.compaction ?? [])
      : [],
    ended: {
      place: input,
      runIds,
      architecture,
      model,
      window,
      memory: turn.memory,
      past: state,
      record,
      userMessage,
      warnings: state.warnings.filter(({ compaction }) => !compaction),
    },
  };

  /** Stores what the model has said about its window. The turn does not wait for it. */
  function learnWindow(contextTokens: number): void {
    const learned = { provider: model.provider, model: model.id, contextTokens };
    deps.follow(async () => {
      try {
        await turns.learnWindow(input, learned, clock.now());
      } catch (error) {
        // The next turn overflows again, and tries again.
        console.warn({
          message: "The window of a model was not stored.",
          runId: runIds.runId,
          error: String(error),
        });
      }
    });
  }

  /** Returns the blocks of a new memory. The turn does not wait for their definitions to be stored. */
  function beginMemory(): readonly Block[] {
    const definitions = defaultDefinitions(clock.timestamp());
    memory.begin(memoryOwner, accountEmail, definitions).catch((error: unknown) => {
      // The next turn finds no definitions and tries again. Edits of this turn are stored separately.
      console.warn({
        message: "The definitions of a new memory were not stored.",
        runId: runIds.runId,
        error: String(error),
      });
    });
    return emptyBlocks(definitions);
  }
}

/**
 * Returns the agent, its architecture and its opened model. Throws `not-found` if the agent or the conversation does
 * not exist, `conflict` for an unknown architecture, and what `requireModel` throws.
 */
export async function requireAnswerer(state: TurnState, agentId: AgentId, deps: Opening) {
  const { agent, conversation, history } = state;
  if (!agent) throw notFound("Agent");
  // A conversation with another agent must look as if it did not exist, like another user's.
  if (conversation?.agentId !== agentId) throw notFound("Conversation");
  const architecture = requireArchitecture(agent);
  const model = await requireModel(agent, state, deps);
  return { agent, architecture, model, window: windowOf(model, agent, history) };
}

/** Returns the model's window, with the correction of the last answer that has one. */
const windowOf = (
  { contextTokens }: OpenModel,
  { maxOutputTokens }: Agent,
  history: readonly Message[],
): Window => ({
  contextTokens,
  maxOutputTokens,
  tokenRatio: history.findLast(({ tokenRatio }) => tokenRatio !== null)?.tokenRatio ?? 1,
});

/** Returns a given history in the form of stored messages. It is read in this turn only, and never stored. */
const toMessages = (place: TurnPlace, given: readonly GivenMessage[], runIds: RunIds): readonly Message[] =>
  given.map(({ role, content, attachments }, index) => ({
    ...emptyAnswer(place, runIds),
    id: `given-${index}`,
    role,
    content,
    attachments,
    createdAt: runIds.askedAt,
    runId: null,
  }));

const withPreceding = (
  { history, summary }: Pick<PromptInput, "history" | "summary">,
  preceding: readonly Message[],
): Pick<PromptInput, "history" | "summary"> => ({ history: [...history, ...preceding], summary });

/**
 * Throws `conflict` if a later run than this one has been answered. Runs that have failed or were cancelled do not count, so that a
 * client can try again without knowing them. The history was read by the conversation's only active run, so no message can come
 * between this check and the turn.
 */
function requireNewest(runId: RunId, history: readonly Message[]): void {
  const newest = history.findLastIndex((message) => message.runId === runId);
  const isAnswer = ({ role, status }: Message) => role === "assistant" && status !== "interrupted";
  if (newest >= 0 && !history.slice(newest + 1).some(isAnswer)) return;
  throw new AppError(
    "conflict",
    "The conversation has gone on since that answer. Continue from its newest one.",
  );
}

/** Returns the history and summary for a turn. Both are empty if the conversation has been idle for too long. */
export const pastOf = (
  { history, summary }: Pick<TurnState, "history" | "summary">,
  agent: Agent,
  now: number,
): Pick<PromptInput, "history" | "summary"> =>
  idleTooLong(history, agent, now) ? { history: [], summary: null } : { history, summary };

function requireArchitecture(agent: Agent): Architecture {
  const architecture = findArchitecture(agent.architecture);
  if (architecture) return architecture;

  const supported = architectureNames.join(", ");
  throw new AppError("conflict", `Unknown architecture: '${agent.architecture}'. Supported: ${supported}`);
}

/** Whether the time since the last message exceeds the agent's session timeout. A timeout of 0 means never. */
function idleTooLong(history: readonly Message[], { sessionTimeoutMinutes }: Agent, now: number): boolean {
  const last = history.at(-1);
  if (!last || sessionTimeoutMinutes === 0) return false;
  return now - Date.parse(last.createdAt) > sessionTimeoutMinutes * 60_000;
}
