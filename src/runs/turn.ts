import type { Architecture, TurnResult } from "../agents/architectures/architecture.ts";
import { architectureNames, findArchitecture } from "../agents/architectures/registry.ts";
import type { Agent } from "../agents/model.ts";
import { ArchivalMemory } from "../memory/archival-memory.ts";
import { CoreMemory } from "../memory/core-memory.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { Attachment } from "../messages/attachments.ts";
import { ConversationReader } from "../messages/conversation-reader.ts";
import type { Message } from "../messages/model.ts";
import { type Clock, monthOf } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { requireActive } from "../users/account.ts";
import { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent, AnswerEvent } from "./events.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { endTurn, type TurnEnding } from "./turn-end.ts";
import { requireModel } from "./turn-model.ts";

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
export const emptyAnswer = ({ owner, conversationId }: TurnPlace, seed: RunSeed): Message => ({
  id: seed.answerId,
  conversationId,
  createdBy: owner,
  role: "assistant",
  content: "",
  attachments: [],
  createdAt: seed.answeredAt,
  status: "complete",
  toolCalls: [],
  usage: null,
  runId: seed.runId,
});

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
): Promise<AsyncGenerator<AgentEvent, void, void>> {
  const plan = await prepare(input, seed, deps);

  const abort = new AbortController();
  const answering = plan.run(AbortSignal.any([signal, abort.signal]));
  const first = answering.next();
  // Awaited behind the write below; until then a failure of the model must not count as unhandled.
  first.catch(() => undefined);

  try {
    await deps.turns.begin(input, seed, plan.userMessage);
  } catch (error) {
    abort.abort(error);
    throw error;
  }

  const progress = new AnswerProgress(emptyAnswer(input, seed));
  return events();

  async function* events(): AsyncGenerator<AgentEvent, void, void> {
    yield status("Loading agent information...");
    yield status("Validating conversation...");
    yield { type: "message-saved", messageId: seed.userMessageId };
    yield status("Loading provider configuration...");
    for (const text of plan.architecture.preparations) yield status(text);
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

    yield* endTurn({ place: input, seed, progress, ending }, deps);
  }
}

/** The reason by which a run is told that its user wants it to end. */
export class RunCancelled extends Error {
  override readonly name = "RunCancelled";
}

const endingOf = (reason: unknown): TurnEnding =>
  reason instanceof RunCancelled ? { kind: "cancelled" } : { kind: "failed", error: AppError.from(reason) };

const status = (text: string): AgentEvent => ({ type: "status", text });

interface Plan {
  readonly architecture: Architecture;
  readonly run: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, TurnResult, void>;
  readonly userMessage: Message;
}

/** Reads everything and refuses what can't be answered. */
async function prepare(input: TurnInput, seed: RunSeed, deps: TurnDeps): Promise<Plan> {
  const { turns, memory, archive, memorySearch, messages, clock } = deps;
  const { owner, agentId, conversationId, content, attachments } = input;
  const state = await turns.load(input, monthOf(seed.startedAt));

  requireActive(state.user);
  if (!state.agent) throw notFound("Agent");
  // A conversation with another agent is as absent here as another user's.
  if (state.conversation?.agentId !== agentId) throw notFound("Conversation");
  const { agent } = state;
  const architecture = requireArchitecture(agent);
  const model = await requireModel(agent, state.providers, deps);

  const memoryOwner = { agentId, userId: owner };
  const blocks = state.blocks.length > 0 ? state.blocks : beginMemory();
  const turn = {
    agent,
    history: idleTooLong(state.history, agent, seed.startedAt) ? [] : state.history,
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
      { owner: memoryOwner, runId: seed.runId },
      (draft) => archive.insert(memoryOwner, owner, draft),
      memorySearch,
      clock,
    ),
    conversation: new ConversationReader(conversationId, messages),
    now: seed.startedAt,
  };

  return {
    architecture,
    run: (signal) => architecture.run(turn, signal),
    userMessage: {
      ...emptyAnswer(input, seed),
      id: seed.userMessageId,
      role: "user",
      content,
      attachments,
      createdAt: seed.askedAt,
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
