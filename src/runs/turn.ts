import type { Architecture, TurnResult } from "../agents/architectures/architecture.ts";
import type { PromptInput } from "../agents/architectures/assemble.ts";
import { architectureNames, findArchitecture } from "../agents/architectures/registry.ts";
import type { Agent } from "../agents/model.ts";
import { requireCurrent } from "../end-users/standing.ts";
import type { OpenModel } from "../llm/model.ts";
import { ArchivalMemory } from "../memory/archival-memory.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import { takeCompactions } from "../memory/capacity-notes.ts";
import { CoreMemory } from "../memory/core-memory.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { Attachment } from "../messages/attachments.ts";
import { ConversationReader } from "../messages/conversation-reader.ts";
import type { Message } from "../messages/model.ts";
import { type AccountPlan, messagesLeft, requireMessage } from "../plans/account-plan.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import { requireActive } from "../users/account.ts";
import { personIn, spaceName } from "../users/space.ts";
import { afterTurn, type EndedTurn } from "./after-turn.ts";
import { AnswerProgress } from "./answer-progress.ts";
import { CompactionNotes } from "./compaction-notes.ts";
import type { AgentEvent, AnswerEvent } from "./events.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { endTurn, type TurnEnding } from "./turn-end.ts";
import { type Opening, requireModel } from "./turn-model.ts";
import type { AnsweredBy, TurnState } from "./turn-repository.ts";

export interface TurnInput extends TurnPlace {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** Decides everything of a run that must be the same however often a part of it is repeated. */
export function seedRun(clock: Clock): RunSeed {
  const startedAt = clock.now();
  return {
    runId: newId(startedAt),
    userMessageId: newId(startedAt),
    answerId: newId(startedAt),
    startedAt,
    askedAt: clock.timestamp(),
    answeredAt: clock.timestamp(),
  };
}

/** The answer of a run before anything was said. */
export const emptyAnswer = (place: TurnPlace, seed: RunSeed): Message => ({
  id: seed.answerId,
  conversationId: place.conversationId,
  createdBy: personIn(place),
  role: "assistant",
  content: "",
  attachments: [],
  createdAt: seed.answeredAt,
  status: "complete",
  toolCalls: [],
  usage: null,
  runId: seed.runId,
});

/** A turn that has been accepted: all that happens, and what is left of the month's messages where they are limited. */
export interface OpenedTurn {
  readonly events: AsyncGenerator<AgentEvent, void, void>;
  readonly messagesLeft: RateLimit | undefined;
}

/**
 * Begins a turn: one wave of reads, then the first model request together with the write that stores the message and
 * counts it. Throws `AppError` for every refusal, so a turn that opens has been accepted. Gives everything that
 * happens: it ends with exactly one terminal event, and never throws. Aborting the signal ends the turn early
 * (with `RunCancelled` as its reason: as cancelled); what was said until then is saved.
 */
export async function openTurn(
  input: TurnInput,
  seed: RunSeed,
  deps: TurnDeps,
  signal: AbortSignal,
): Promise<OpenedTurn> {
  const plan = await prepare(input, seed, deps);
  const { account } = plan;

  const abort = new AbortController();
  const answering = plan.run(AbortSignal.any([signal, abort.signal]));
  const first = answering.next();
  // Awaited behind the write below; until then a failure of the model must not count as unhandled.
  first.catch(() => undefined);

  try {
    const full = await deps.turns.begin(input, seed, plan.userMessage, account.limits.messages_per_month);
    // Others have been faster since the count was read.
    if (full) requireMessage(account, full.used, deps, seed.startedAt);
  } catch (error) {
    abort.abort(error);
    throw error;
  }

  const progress = new AnswerProgress(emptyAnswer(input, seed));
  // Only a turn that takes place tells of anything; the model is at work meanwhile.
  const notes = new CompactionNotes(
    takeCompactions(deps.capacity, plan.ended.memory.owner, plan.compactions),
  );
  return {
    events: events(),
    messagesLeft: messagesLeft(account, account.messagesUsed + 1, seed.startedAt),
  };

  async function* events(): AsyncGenerator<AgentEvent, void, void> {
    yield status("Loading agent information...");
    yield status("Validating conversation...");
    yield { type: "message-saved", messageId: seed.userMessageId };
    yield status("Loading provider configuration...");
    for (const text of plan.architecture.preparations) yield status(text);
    yield* notes.atBeginning();
    yield status("Connecting to AI model...");

    let ending: TurnEnding = { kind: "completed" };
    try {
      let result = await first;
      for (; !result.done; result = await answering.next()) {
        progress.add(result.value);
        yield result.value;
      }
      progress.usage = result.value.usage;
    } catch (thrown) {
      ending = signal.aborted ? endingOf(signal.reason) : { kind: "failed", error: AppError.from(thrown) };
    }

    yield* notes.atEnd();
    const isAnswered = yield* endTurn(
      { place: input, seed, progress, ending, answeredBy: answeredBy(plan.ended.model) },
      deps,
    );
    const answer = progress.message("complete");
    if (isAnswered) deps.follow(() => afterTurn({ ...plan.ended, answer }, deps));
  }
}

/** The reason by which a run is told that its user wants it to end. */
export class RunCancelled extends Error {
  override readonly name = "RunCancelled";
}

const endingOf = (reason: unknown): TurnEnding =>
  reason instanceof RunCancelled ? { kind: "cancelled" } : { kind: "failed", error: AppError.from(reason) };

/** A fallback that took over has answered. */
const answeredBy = ({ provider, id: model }: OpenModel): AnsweredBy => ({ provider, model });

const status = (text: string): AgentEvent => ({ type: "status", text });

interface Plan {
  readonly account: AccountPlan;
  readonly architecture: Architecture;
  readonly run: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, TurnResult, void>;
  readonly userMessage: Message;
  /** What happened behind earlier answers, and may still have to be told. */
  readonly compactions: readonly Compaction[];
  /** The turn as what follows its answer sees it. */
  readonly ended: Omit<EndedTurn, "answer">;
}

/** Reads everything and refuses what can't be answered. */
async function prepare(input: TurnInput, seed: RunSeed, deps: TurnDeps): Promise<Plan> {
  const { turns, memory, archive, memorySearch, messageSearch, messages, clock } = deps;
  const { owner, agentId, conversationId, content, attachments } = input;
  const state = await turns.load(input, seed.startedAt);

  if (input.endUser) requireCurrent(state.endUser, input);
  requireActive(state.user, input.issuedAt);
  const { agent, architecture, model } = await requireAnswerer(state, agentId, deps);
  requireMessage(state.plan, state.plan.messagesUsed, deps, seed.startedAt);

  const memoryOwner = { agentId, userId: personIn(input) };
  const blocks = state.blocks.length > 0 ? state.blocks : beginMemory();
  const turn = {
    agent,
    ...pastOf(state, agent, seed.startedAt),
    message: { content, attachments },
    model,
    memory: new CoreMemory(
      memoryOwner,
      blocks,
      (change) =>
        memory.saveContent(memoryOwner, owner, {
          ...change,
          author: { by: "agent", runId: seed.runId },
          conversationId: input.conversationId,
        }),
      clock,
    ),
    archive: new ArchivalMemory(
      { owner: memoryOwner, account: owner, runId: seed.runId },
      (draft) => archive.insert(memoryOwner, owner, draft),
      memorySearch,
      clock,
    ),
    conversation: new ConversationReader(
      { ...memoryOwner, conversationsOf: spaceName(input), conversationId, runId: seed.runId },
      messages,
      messageSearch,
    ),
    now: seed.startedAt,
  };

  const userMessage: Message = {
    ...emptyAnswer(input, seed),
    id: seed.userMessageId,
    role: "user",
    content,
    attachments,
    createdAt: seed.askedAt,
  };
  return {
    account: state.plan,
    architecture,
    run: (signal) => architecture.run(turn, signal),
    userMessage,
    compactions: architecture.keepsMemory
      ? state.warnings.flatMap((warning) => warning.compaction ?? [])
      : [],
    ended: {
      place: input,
      seed,
      architecture,
      model,
      memory: turn.memory,
      past: state,
      userMessage,
      warnings: state.warnings.filter(({ compaction }) => !compaction),
    },
  };

  /** The first turn of a memory does not wait for its definitions to be stored. */
  function beginMemory(): readonly Block[] {
    const definitions = defaultDefinitions(clock.timestamp());
    memory.begin(memoryOwner, owner, definitions).catch((error: unknown) => {
      // The next turn finds none and begins again; edits of this one are stored on their own.
      console.warn({
        message: "The definitions of a new memory were not stored.",
        runId: seed.runId,
        error: String(error),
      });
    });
    return emptyBlocks(definitions);
  }
}

/** Who answers, and with which model. Throws `AppError` where nobody can. */
export async function requireAnswerer(
  { agent, conversation, providers }: TurnState,
  agentId: string,
  deps: Opening,
) {
  if (!agent) throw notFound("Agent");
  // A conversation with another agent is as absent here as another user's.
  if (conversation?.agentId !== agentId) throw notFound("Conversation");
  const architecture = requireArchitecture(agent);
  return { agent, architecture, model: await requireModel(agent, providers, deps) };
}

/** What a turn begins with of what was said before: nothing, where the conversation has rested for too long. */
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

/** Whether the conversation has rested for longer than the agent's session, measured to the message before this one. */
function idleTooLong(history: readonly Message[], { sessionTimeoutMinutes }: Agent, now: number): boolean {
  const last = history.at(-1);
  if (!last || sessionTimeoutMinutes === 0) return false;
  return now - Date.parse(last.createdAt) > sessionTimeoutMinutes * 60_000;
}
