import type { AgentEvent } from "../architectures/events.ts";
import { openCallsIn, turnSoFar, type WaitingCall } from "../architectures/turn-so-far.ts";
import type { AgentId, ConversationId, RunId } from "../shared/id-types.ts";
import type { ConversationRepository } from "../conversations/repository.ts";
import type { EndUserRepository } from "../end-users/repository.ts";
import { requireActiveScope } from "../access/end-user-status.ts";
import type { Message } from "../messages/model.ts";
import type { MessageRepository } from "../messages/repository.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { isTransient } from "../shared/transient-ids.ts";
import type { UserRepository } from "../users/repository.ts";
import { memoryUserId, type AccessScope } from "../access/access-scope.ts";
import { type LastExchange, lastExchangeOf } from "./last-exchange.ts";
import { clientPausesIn } from "./client-pauses.ts";
import { type Run, type TurnPlace, whatIsKept } from "./model.ts";
import type { RunRepository } from "./repository.ts";
import type { RunLog } from "./run-log.ts";
import { progressOf } from "./run-progress.ts";
import type { RunWithCalls } from "./view.ts";

/** The conversation to read, and the caller's scope. */
interface ReadPlace {
  readonly scope: AccessScope;
  readonly conversationId: ConversationId;
}

/** The answer of a run that has ended or waits. */
export interface RunAnswer {
  readonly message: Message | null;
  readonly calls: readonly WaitingCall[];
  /** Whether the run goes on when the calls have been decided. */
  readonly isWaiting: boolean;
}

/** The answer of a part of a run that has left calls to its client: the calls are those of the pause with which it has ended. */
export const LEFT_TO_CLIENT: RunAnswer = { message: null, calls: [], isWaiting: true };

/** The states of runs by those in the log. */
const STATES = { opening: "running", running: "running", waiting: "waiting", decided: "running" } as const;

interface ReaderDeps {
  readonly users: Pick<UserRepository, "find">;
  readonly endUsers: Pick<EndUserRepository, "find" | "wasDeleted">;
  readonly conversations: Pick<ConversationRepository, "find" | "get">;
  readonly messages: Pick<MessageRepository, "find" | "list">;
  readonly runs: Pick<RunRepository, "find">;
}

interface RunReaderDeps {
  readonly log: Pick<RunLog, "all" | "endOf" | "find" | "unsaved">;
  readonly deps: () => Promise<ReaderDeps>;
}

/** Reads a conversation's runs from the table and the log, with access checks. */
export class RunReader {
  readonly #log: Pick<RunLog, "all" | "endOf" | "find" | "unsaved">;
  readonly #deps: () => Promise<ReaderDeps>;

  constructor({ log, deps }: RunReaderDeps) {
    this.#log = log;
    this.#deps = deps;
  }

  /** Throws if the account or the end user is no longer active. */
  async requireAccount(scope: AccessScope): Promise<void> {
    const { users, endUsers } = await this.#deps();
    await requireActiveScope(scope, users, endUsers);
  }

  /**
   * Throws `not-found` if the caller is limited to certain agents and the conversation is with another one. The
   * runner's name already ensures that the conversation is in the caller's scope, but does not contain the agent.
   */
  async requireAgentInScope({ scope, conversationId }: ReadPlace): Promise<void> {
    if (scope.agentIds) await this.requireConversation({ scope, conversationId });
  }

  /** Throws `not-found` if the caller has no such conversation, or none with the agent, if one is named. */
  async requireConversation({ scope, conversationId }: ReadPlace, agentId?: AgentId): Promise<void> {
    const { conversations } = await this.#deps();
    const conversation = await conversations.get(scope, conversationId);
    if (agentId !== undefined && conversation.agentId !== agentId) throw notFound("Conversation");
  }

  /** Returns whether the conversation of a turn exists and is not being deleted, whichever agent it is with. */
  async isLive(place: TurnPlace): Promise<boolean> {
    const { conversations } = await this.#deps();
    return (await conversations.find({ ...place, agentIds: null }, place.conversationId)) !== undefined;
  }

  /**
   * Returns the last message of a user with its answer, or `undefined` if the conversation does not end with them. Throws `not-found`
   * if the caller has no such conversation.
   */
  async lastExchange({ scope, conversationId }: ReadPlace): Promise<LastExchange | undefined> {
    const { conversations, messages } = await this.#deps();
    const [{ agentId }, newest] = await Promise.all([
      conversations.get(scope, conversationId),
      messages.list(conversationId, 2, undefined),
    ]);
    // The history of a transient conversation is kept by its client, and was a part of the request.
    return isTransient(conversationId) ? undefined : lastExchangeOf(agentId, newest.items);
  }

  /** Returns the current state of a run. Throws `not-found` if the caller has no such run in this conversation. */
  async run(place: ReadPlace, runId: RunId): Promise<Run> {
    const { runs } = await this.#deps();
    // While a conversation is being deleted, it and its runs no longer exist for callers.
    const [, run] = await Promise.all([
      this.requireConversation(place),
      runs.find(place.conversationId, runId),
    ]);
    if (run?.createdBy !== memoryUserId(place.scope)) throw notFound("Run");

    // The end may not be saved in the table yet.
    const unsaved = this.#log.unsaved().find(({ runIds }) => runIds.runId === runId);
    if (unsaved) return { ...run, ...unsaved.end };
    const logged = this.#log.find(runId);
    return logged && logged.state !== "ended" ? { ...run, state: STATES[logged.state] } : run;
  }

  /** Returns `gone` for a run whose log has expired. Throws `not-found` if the caller has no such run. */
  async goneOrNotFound(place: ReadPlace, runId: RunId): Promise<AppError> {
    await this.run(place, runId);
    return new AppError(
      "gone",
      "The events of this run have expired: they are kept for one day. Its messages are still available.",
    );
  }

  /**
   * Like `run`, with the calls that the run waits for, and the answer so far if a part of it is whole. As long as there is a log, the
   * client pauses are whole, too: the table has no room for long arguments.
   */
  async details(place: ReadPlace, runId: RunId): Promise<RunWithCalls> {
    const run = await this.run(place, runId);
    const isOpen = run.state === "waiting" || run.state === "running";
    const logged = run.clientPauses.length > 0 ? this.#log.find(runId) : undefined;
    const events = logged || run.state === "waiting" ? this.#eventsOf(runId) : [];
    const usage = run.state === "completed" ? run.usage : undefined;
    return {
      run: logged ? { ...run, clientPauses: clientPausesIn(events, usage) } : run,
      calls: run.state === "waiting" ? openCallsIn(events) : [],
      answer:
        logged && isOpen
          ? { id: logged.runIds.answerId, text: this.#textUpTo(runId, Number.POSITIVE_INFINITY) }
          : null,
    };
  }

  /**
   * Returns the answer of a run that has ended or waits, with the text behind the event number `after`. Its message is null if it has no
   * text. `calls` are those that are left to the caller: to be decided, or to be run. If the run failed, throws its error; `gone` if its answer was replaced since.
   */
  async answer({ conversationId }: ReadPlace, runId: RunId, after: number): Promise<RunAnswer> {
    const logged = this.#log.find(runId);
    const known = this.#textUpTo(runId, after).length;
    const rest = (message: Message): Message => ({ ...message, content: message.content.slice(known) });
    if (logged?.state === "waiting") {
      const events = this.#eventsOf(runId);
      const progress = progressOf(logged.place, logged.runIds, events);
      progress.usage = turnSoFar(events)?.paused.usage ?? null;
      return { message: rest(progress.message("complete")), calls: openCallsIn(events), isWaiting: true };
    }
    const end = this.#log.endOf(runId);
    if (!logged || !end)
      throw new AppError("unavailable", `The answer was interrupted. ${whatIsKept(logged?.runIds ?? {})}`);
    if (end.type === "failed")
      throw new AppError(end.code, end.message, { retryable: end.retryable, extensions: { run_id: runId } });

    const { messages } = await this.#deps();
    const message = await messages.find(conversationId, logged.runIds.answeredAt, logged.runIds.answerId);
    // The answer of a completed run is stored, even if it is without text and the event has no id of it.
    if (!message && (end.type === "completed" || (end.type === "cancelled" && end.messageId !== null)))
      throw new AppError("gone", "This answer has been written again since. Read the messages again.", {
        extensions: { run_id: runId },
      });
    return {
      message: message ? rest(message) : null,
      calls: openCallsIn(this.#eventsOf(runId)),
      isWaiting: false,
    };
  }

  #textUpTo(runId: RunId, seq: number): string {
    if (seq === 0) return "";
    const texts = [...this.#log.all(runId)].flatMap(({ seq: number, event }) =>
      number <= seq && event.type === "text" ? [event.text] : [],
    );
    return texts.join("");
  }

  #eventsOf(runId: RunId): readonly AgentEvent[] {
    return [...this.#log.all(runId)].map(({ event }) => event);
  }
}
