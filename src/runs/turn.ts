import type { Architecture, TurnResult } from "../architectures/architecture.ts";
import type { PromptInput } from "../architectures/assemble.ts";
import { architectureNames, findArchitecture } from "../architectures/registry.ts";
import type { Agent } from "../agents/model.ts";
import { approvalModeOf } from "../agents/tool-approvals.ts";
import { requireCurrentEndUser } from "../access/end-user-status.ts";
import { HttpToolCalls } from "../http-tools/calls.ts";
import { KnowledgeReader } from "../knowledge/knowledge-reader.ts";
import type { AnswerFormat, OpenModel, ToolCall, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { Window } from "../llm/prompt-budget.ts";
import { withoutSimilarNames } from "../llm/similar-models.ts";
import { McpCalls } from "../mcp-servers/calls.ts";
import { ArchivalMemory } from "../memory/archival-memory.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import { takeCompactions } from "../memory/capacity-notes.ts";
import { changeRecorder, type RecordChange } from "../memory/change-records.ts";
import { CoreMemory } from "../memory/core-memory.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import { recordInRun } from "../memory/run-change-model.ts";
import type { Attachment } from "../messages/attachments.ts";
import { ConversationReader } from "../messages/conversation-reader.ts";
import type { GivenMessage, Message } from "../messages/model.ts";
import { type AccountPlan, withAgentLimit } from "../plans/account-plan.ts";
import { limitExceeded, messagesLeft, requireFewFailures, requireBelowLimit } from "../plans/refusals.ts";
import { type Clock, DAY_MS, timestampAfter } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AgentId, type RunId, runIdOf } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import { isTransient } from "../shared/transient-ids.ts";
import { requireActive } from "../access/account-status.ts";
import { memoryUserId, scopeName } from "../access/access-scope.ts";
import type { EndedTurn } from "./after-turn.ts";
import { answerEvents } from "./answer-events.ts";
import { AnswerProgress } from "./answer-progress.ts";
import { limitedModel, requireCloudflareTurns } from "./cloudflare-limit.ts";
import { CompactionNotes } from "./compaction-notes.ts";
import { type AgentEvent, type AnswerEvent, STATUS } from "../architectures/events.ts";
import type { TurnSoFar } from "../architectures/turn-so-far.ts";
import {
  approvedIn,
  beforeMessage,
  givenSoFar,
  pastBefore,
  requireNewest,
  requireOtherNames,
  toolsGoingOn,
  withPreceding,
} from "./past-turn.ts";
import type { Regeneration, RunIds, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { type Opening, requireModel } from "./turn-model.ts";
import type { TurnState } from "./turn-repository.ts";

/** Calls of a history that the client keeps, made since the last message, and the results of its tools. */
export interface GivenResponse {
  readonly content: string;
  readonly calls: readonly (ToolCall & { readonly output: string })[];
}

export interface TurnInput extends TurnPlace {
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly showsReasoning: boolean;
  /** The form that the answer must have. Absent for text. */
  readonly format?: AnswerFormat | undefined;
  /** Tools that the client runs. Absent if it has none. */
  readonly clientTools?: readonly ToolSpec[] | undefined;
  /** Which of them the model must call first. Absent if it may choose. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the client runs at most one of its tools per response of the model. */
  readonly oneClientCall?: boolean | undefined;
  /** The history, oldest first, if the client keeps it. If absent, it is that of the conversation. */
  readonly givenHistory?: readonly GivenMessage[] | undefined;
  /** What the client says before the message, behind the history. Only this turn reads it. */
  readonly preceding?: readonly GivenMessage[] | undefined;
  /** If the message is an answer to a run, that run: no later one of the conversation may have been answered. */
  readonly follows?: RunId | undefined;
  /** What the client's protocol repeats of the request whenever it shows the run, as JSON. Stored with the run. */
  readonly clientRequest?: string | undefined;
  /** What the agent has answered since the message, if the client keeps the history: the turn goes on behind it. */
  readonly givenResponses?: readonly GivenResponse[] | undefined;
  /** The user's IANA time zone, if the client has stated it. */
  readonly timeZone?: string | undefined;
}

/** Creates the ids and times of a run. They must stay the same if a part of the run is repeated. */
export function newRunIds(clock: Clock, regenerates?: Regeneration): RunIds {
  const startedAt = clock.now();
  const last = regenerates?.answer ?? regenerates?.question;
  return {
    runId: runIdOf(newId(startedAt)),
    userMessageId: regenerates?.question.id ?? newId(startedAt),
    answerId: newId(startedAt),
    startedAt,
    askedAt: clock.timestamp(),
    // An answer stands behind its question, even if the clock was ahead when the question was stored.
    answeredAt: last ? timestampAfter(last.createdAt, clock.timestamp()) : clock.timestamp(),
    ...(regenerates && { regenerates }),
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
    yield status(STATUS.loading);
    yield status(STATUS.validating);
    yield { type: "message-saved", messageId: runIds.userMessageId };
    yield status("Loading provider configuration...");
    for (const text of plan.architecture.preparations) yield status(text);
    yield* notes.atBeginning();
    yield status("Connecting to AI model...");

    yield* answerEvents({ input, runIds, plan, progress, notes, answering, first, signal }, deps);
  }
}

const status = (text: string): AgentEvent => ({ type: "status", text });

/** Everything that a turn has read before it begins. */
export interface Plan {
  readonly account: AccountPlan;
  readonly agent: Agent;
  /** When calls that wait are given up, in milliseconds since the epoch; null if the turn can't wait. */
  readonly waitsUntil: number | null;
  readonly architecture: Architecture;
  readonly run: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, TurnResult, void>;
  readonly mcpCalls: Pick<McpCalls, "finish">;
  readonly userMessage: Message;
  /** Compactions after earlier answers that may still have to be reported. */
  readonly compactions: readonly Compaction[];
  /** The turn without its answer, for the follow-up work. */
  readonly ended: Omit<EndedTurn, "answer" | "historyTokens">;
}

/**
 * Reads everything that the turn needs. Throws `AppError` if the turn must be refused. `soFar` is what a turn has done that goes on:
 * it was counted when it began, and its message is among those that are stored.
 */
export async function prepare(
  input: TurnInput,
  runIds: RunIds,
  deps: TurnDeps,
  soFar?: TurnSoFar,
): Promise<Plan> {
  const { turns, memory, archive, memorySearch, messageSearch, documentIndexes, messages, clock } = deps;
  const { accountEmail, agentId, conversationId } = input;
  const { regenerates } = runIds;
  const loaded = await turns.load(input, runIds.startedAt);
  const { state, content, attachments } = soFar ? beforeMessage(loaded, runIds) : { ...input, state: loaded };

  if (input.endUser) requireCurrentEndUser(state.endUser, input);
  requireActive(state.user, input.issuedAt);
  const counting = { accountEmail, plan: state.plan, startedAt: runIds.startedAt };
  const { agent, architecture, model, window } = await requireAnswerer(state, agentId, {
    ...deps,
    limited: (opened) => limitedModel(input.endUser ? withoutSimilarNames(opened) : opened, counting, deps),
  });
  if (input.follows !== undefined) requireNewest(input.follows, state.history);
  const account = withAgentLimit(state.plan, agent.endUserMessagesPerMonth);
  if (!soFar) requireBelowLimits(input, state, account, deps);
  requireCloudflareTurns(agent, account, deps);
  const past = regenerates && !soFar ? pastBefore(regenerates, state) : state;
  /** When the user sent the message. */
  const askedAt = regenerates?.question.createdAt ?? runIds.askedAt;

  const memoryOwner = { agentId, userId: memoryUserId(input) };
  const blocks = state.blocks.length > 0 ? state.blocks : beginMemory();
  const record = changeRecorder(accountEmail, state.wantedEvents, clock);
  const ofRun = recordInRun(runIds.runId, clock);
  const recordBoth: RecordChange = (owner, change) => [...record(owner, change), ...ofRun(owner, change)];
  const knowledge = new KnowledgeReader({
    place: { accountEmail, kbIds: state.knowledgeBases, runId: runIds.runId },
    indexes: documentIndexes,
    cited: soFar?.citations,
  });
  const earlierResults = soFar?.responses.reduce((sum, { calls }) => sum + calls.length, 0) ?? 0;
  const httpCalls = new HttpToolCalls({
    ...deps.httpTools,
    place: { accountEmail, agentId },
    tools: state.httpTools,
    earlierResults,
    follow: (work) => deps.follow(work),
  });
  const mcpCalls = new McpCalls({
    ...deps.mcp,
    place: { accountEmail, agentId },
    servers: state.mcpServers,
    httpTools: httpCalls.tools,
    earlierResults,
    follow: (work) => deps.follow(work),
  });
  const ownTools = [...state.httpTools, ...mcpCalls.tools];
  const offered = soFar ? toolsGoingOn(input, ownTools, soFar) : input;
  if (!soFar) requireOtherNames(input.clientTools, ownTools);
  const now = soFar ? clock.now() : runIds.startedAt;
  // Whoever sends the whole history with each message does not come back to a conversation.
  const waitsUntil = isTransient(conversationId) ? null : now + MAX_WAIT_MS;
  const approvedNow = soFar ? approvedIn(soFar) : [];
  const turn = {
    agent,
    ...withPreceding(
      input.givenHistory
        ? { history: toMessages(input, input.givenHistory, runIds), summary: null }
        : pastOf(past, agent, regenerates ? Date.parse(askedAt) : runIds.startedAt),
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
          record: recordBoth,
        }),
      clock,
    }),
    archive: new ArchivalMemory({
      place: { owner: memoryOwner, accountEmail, runId: runIds.runId },
      insert: async (draft) => {
        const sourced = { ...draft, sources: knowledge.sources, record: recordBoth };
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
    httpCalls,
    mcpCalls,
    conversation: new ConversationReader({
      place: {
        ...memoryOwner,
        accountEmail: input.accountEmail,
        conversationsOf: scopeName(input),
        conversationId,
        runId: runIds.runId,
        question: regenerates?.question,
      },
      messages,
      search: messageSearch,
    }),
    now,
    approvals: {
      asks: (tool: string) => {
        const mode = approvalModeOf(agent.toolApprovals, tool);
        return (
          mode === "always" || (mode === "first" && !state.isApproved(tool) && !approvedNow.includes(tool))
        );
      },
    },
    waitsUntil,
    soFar: soFar ?? givenSoFar(input),
    clientTools: offered.clientTools,
    toolChoice: offered.toolChoice,
    oneClientCall: input.oneClientCall,
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
    createdAt: askedAt,
  };
  return {
    account,
    agent,
    waitsUntil,
    architecture,
    run: (signal) => architecture.run(turn, signal),
    mcpCalls,
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
      past: { ...state, history: past.history },
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

/** How long calls wait for a decision, in milliseconds. */
const MAX_WAIT_MS = DAY_MS;

/** Throws `limit-exceeded` if a turn may not begin. */
function requireBelowLimits(
  { endUser }: TurnPlace,
  state: TurnState,
  account: AccountPlan,
  deps: TurnDeps,
): void {
  requireBelowLimit(account, "messages_per_month", account.messagesUsed, deps);
  if (endUser) requireBelowLimit(account, "end_user_messages_per_month", state.endUserMessages, deps);
  requireBelowLimit(account, "concurrent_runs", account.openRuns, deps);
  requireFewFailures(account, state.endUserFailures, deps);
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
  given.map(({ role, content, attachments, toolCalls = [] }, index) => ({
    ...emptyAnswer(place, runIds),
    toolCalls,
    id: `given-${index}`,
    role,
    content,
    attachments,
    createdAt: runIds.askedAt,
    runId: null,
  }));

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
