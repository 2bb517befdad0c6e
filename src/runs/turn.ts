import type { Architecture, TurnResult } from "../agents/architectures/architecture.ts";
import { architectureNames, findArchitecture } from "../agents/architectures/registry.ts";
import type { Agent } from "../agents/model.ts";
import type { ChatModel, Models } from "../llm/model.ts";
import { providerError } from "../llm/errors.ts";
import { CoreMemory } from "../memory/core-memory.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { MemoryRepository } from "../memory/repository.ts";
import type { Attachment } from "../messages/attachments.ts";
import type { Message } from "../messages/model.ts";
import type { MessageUse } from "../plans/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { requireActive } from "../users/account.ts";
import { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent, AnswerEvent } from "./events.ts";
import type { TurnPlace, TurnRepository } from "./turn-repository.ts";

/** How long the save of an answer that was already shown is tried again, and how often. */
const SAVE_RETRY_MS = 30_000;
const SAVE_WAIT_MS = 500;

export interface TurnDeps {
  readonly turns: TurnRepository;
  readonly memory: MemoryRepository;
  readonly models: Models;
  readonly clock: Clock;
}

export interface TurnInput extends TurnPlace {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** A turn whose message is stored and counted, and whose model is already being asked. */
export interface OpenTurn {
  readonly runId: string;
  /** Everything that happens; ends with exactly one `completed` or `failed`, and never throws. */
  readonly events: AsyncGenerator<AgentEvent, void, void>;
}

/**
 * Begins a turn: one wave of reads, then the first model request together with the write that stores the message and
 * counts it. Throws `AppError` for every refusal, so a turn that opens has been accepted. Aborting the signal ends the
 * turn early; what was said until then is saved.
 */
export async function openTurn(input: TurnInput, deps: TurnDeps, signal: AbortSignal): Promise<OpenTurn> {
  const plan = await prepare(input, deps);
  const { run, userMessage, answer, use } = plan;

  const abort = new AbortController();
  const answering = run(AbortSignal.any([signal, abort.signal]));
  const first = answering.next();
  // Awaited behind the write below; until then a failure of the model must not count as unhandled.
  first.catch(() => undefined);

  try {
    await deps.turns.begin(input, userMessage, use);
  } catch (error) {
    abort.abort(error);
    throw error;
  }

  const progress = new AnswerProgress(answer);
  async function* events(): AsyncGenerator<AgentEvent, void, void> {
    yield status("Loading agent information...");
    yield status("Validating conversation...");
    yield { type: "message-saved", messageId: userMessage.id };
    yield status("Loading provider configuration...");
    for (const text of plan.architecture.preparations) yield status(text);
    yield status("Connecting to AI model...");

    let failure: AppError | undefined;
    try {
      let result = await first;
      for (; !result.done; result = await answering.next()) {
        progress.add(result.value);
        yield result.value;
      }
      progress.usage = result.value.usage;
      if (!progress.hasBegun) failure = providerError.empty();
    } catch (thrown) {
      failure = AppError.from(thrown);
    }

    if (failure) yield* endEarly(input, progress, failure, use, deps);
    else yield* endWell(input, progress, deps);
  }

  return { runId: use.runId, events: events() };

  function status(text: string): AgentEvent {
    return { type: "status", text };
  }
}

interface Plan {
  readonly architecture: Architecture;
  readonly run: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, TurnResult, void>;
  readonly userMessage: Message;
  /** The answer as it stands before anything was said; its id and time are fixed here, so saving it can be repeated. */
  readonly answer: Message;
  readonly use: MessageUse;
}

/** Reads everything and refuses what can't be answered. */
async function prepare(input: TurnInput, { turns, memory, models, clock }: TurnDeps): Promise<Plan> {
  const { owner, agentId, conversationId, content, attachments } = input;
  const startedAt = clock.now();
  const state = await turns.load(input);

  requireActive(state.user);
  if (!state.agent) throw notFound("Agent");
  // A conversation with another agent is as absent here as another user's.
  if (state.conversation?.agentId !== agentId) throw notFound("Conversation");
  const { agent } = state;
  const architecture = requireArchitecture(agent);
  const model = requireModel(agent, models);

  const runId = newId(startedAt);
  const common = { conversationId, createdBy: owner, toolCalls: [], usage: null, runId } as const;
  const createdAt = clock.timestamp();
  const userMessage: Message = {
    ...common,
    id: newId(startedAt),
    role: "user",
    content,
    attachments,
    createdAt,
    status: "complete",
  };
  const answer: Message = {
    ...common,
    id: newId(startedAt),
    role: "assistant",
    content: "",
    attachments: [],
    createdAt: clock.timestamp(),
    status: "complete",
  };

  const memoryOwner = { agentId, userId: owner };
  const blocks = state.blocks.length > 0 ? state.blocks : beginMemory();
  const coreMemory = new CoreMemory(
    memoryOwner,
    blocks,
    (change) => memory.saveContent(memoryOwner, owner, change),
    clock,
  );
  const turn = {
    agent,
    history: idleTooLong(state.history, agent, startedAt) ? [] : state.history,
    message: { content, attachments },
    model,
    memory: coreMemory,
    now: startedAt,
  };

  return {
    architecture,
    run: (signal) => architecture.run(turn, signal),
    userMessage,
    answer,
    use: { email: owner, runId, startedAt, timestamp: createdAt },
  };

  /** The first turn of a memory does not wait for its definitions to be stored. */
  function beginMemory(): readonly Block[] {
    const definitions = defaultDefinitions(clock.timestamp());
    memory.begin(memoryOwner, owner, definitions).catch((error: unknown) => {
      // The next turn finds none and begins again; edits of this one are stored on their own.
      console.warn({
        message: "The definitions of a new memory were not stored.",
        runId,
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

function requireModel(agent: Agent, models: Models): ChatModel {
  const model = models.open(agent.provider, agent.model);
  if (model) return model;

  throw new AppError(
    "provider-not-configured",
    `Provider '${agent.provider}' is not configured. Please configure it in Settings > Provider Configuration.`,
  );
}

/** Whether the conversation has rested for longer than the agent's session, measured to the message before this one. */
function idleTooLong(history: readonly Message[], { sessionTimeoutMinutes }: Agent, now: number): boolean {
  const last = history.at(-1);
  if (!last || sessionTimeoutMinutes === 0) return false;
  return now - Date.parse(last.createdAt) > sessionTimeoutMinutes * 60_000;
}

async function* endWell(
  place: TurnPlace,
  progress: AnswerProgress,
  deps: TurnDeps,
): AsyncGenerator<AgentEvent, void, void> {
  const message = progress.message("complete");
  const unsaved = await save(place, message, deps);
  if (unsaved) {
    yield failed(unsaved);
    return;
  }

  if (progress.usage) yield { type: "usage", usage: progress.usage };
  // Without words there is nothing to show under the id; clients offer to go on instead.
  if (progress.hasText) yield { type: "completed", content: "Response complete", messageId: message.id };
  else yield { type: "completed", content: "Response complete (tools only)", messageId: null };
}

/** Keeps what was said; a turn that had not begun to speak gives its count back. */
async function* endEarly(
  place: TurnPlace,
  progress: AnswerProgress,
  failure: AppError,
  use: MessageUse,
  deps: TurnDeps,
): AsyncGenerator<AgentEvent, void, void> {
  if (failure.status >= 500) logFailure(use.runId, failure);

  if (progress.hasBegun) {
    const unsaved = await save(place, progress.message("interrupted"), deps);
    if (unsaved) logFailure(use.runId, unsaved);
  } else {
    await deps.turns.giveBack({ ...use, timestamp: deps.clock.timestamp() }).catch((error: unknown) => {
      logFailure(use.runId, AppError.from(error));
    });
  }
  yield failed(failure);
}

/** Saves the answer, however long the database is away within reason; gives the error if it could not be saved. */
async function save(
  place: TurnPlace,
  message: Message,
  { turns, clock }: TurnDeps,
): Promise<AppError | undefined> {
  const deadline = clock.now() + SAVE_RETRY_MS;

  for (;;) {
    try {
      await turns.finish(place, message, clock.timestamp());
      return undefined;
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "not-found") return error;
      if (!error.retryable || clock.now() >= deadline)
        return new AppError(
          "persist-failed",
          "The answer could not be saved. Please copy what you need of it.",
          { cause: error },
        );
      await new Promise((resolve) => setTimeout(resolve, SAVE_WAIT_MS));
    }
  }
}

const failed = ({ code, message, retryable }: AppError): AgentEvent => ({
  type: "failed",
  code,
  message,
  retryable,
});

/** What a provider said may quote a key or the user, so only its kind is logged; our own mistakes are logged whole. */
function logFailure(runId: string, { code, cause }: AppError): void {
  const kind = cause instanceof Error ? cause.name : typeof cause;
  const isOurs = code === "internal" || code === "persist-failed" || code === "unavailable";
  console.error({ message: "A turn failed.", runId, code, cause: isOurs ? cause : kind });
}
