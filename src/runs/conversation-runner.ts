import type { AgentId, ConversationId, RunId } from "../shared/id-types.ts";
import { DurableObject } from "cloudflare:workers";
import { createRunnerDeps, type RunnerDeps } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import { logProblem } from "../http/problem-document.ts";
import type { AnswerFormat, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { Attachment } from "../messages/attachments.ts";
import type { GivenMessage, Message, MessagePlace } from "../messages/model.ts";
import { systemClock } from "../shared/clock.ts";
import { refusalOf, type Reply } from "../shared/durable-reply.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import type { AccessScope } from "../access/access-scope.ts";
import { eventStream } from "./event-stream.ts";
import { type IdempotencyKey, IdempotencyKeys } from "./idempotency-keys.ts";
import { type LastExchange, requireLast, type WantedExchange } from "./last-exchange.ts";
import type { Run } from "./model.ts";
import { RunRecovery } from "./recover-run.ts";
import { type AcceptedRun, RunHost } from "./run-host.ts";
import { type LoggedRun, RunLog } from "./run-log.ts";
import { partsIn, type RunPart } from "./client-pauses.ts";
import {
  type CallDecision,
  type DecisionRequest,
  isAsked,
  partBehind,
  recordDecisions,
  requireDecidable,
  requireOpenPart,
  requireResults,
  runOfCalls,
} from "./decisions.ts";
import { LEFT_TO_CLIENT, type RunAnswer, RunReader } from "./run-reader.ts";
import { RunnerSchedule } from "./runner-schedule.ts";
import type { GivenResponse } from "./turn.ts";
import type { RunWithCalls } from "./view.ts";
import { frameWriterOf } from "../wires/frame-writers.ts";
import { NATIVE, type Wire } from "../wires/wire.ts";

/** The `Retry-After` of a busy conversation, in seconds. */
const BUSY_RETRY_SECONDS = 2;

/** Identifies the conversation and the request that is served. */
export interface RunnerCall {
  readonly scope: AccessScope;
  readonly conversationId: ConversationId;
  readonly requestId: string;
}

/** How a run is to take place, whatever it answers. */
interface RunInput {
  /** The user's IANA time zone, if the client has stated it. */
  readonly timeZone?: string | undefined;
  /** Whether the caller wants to see what the model thinks. */
  readonly showsReasoning: boolean;
  /** The format of the frames that `send` returns; the native one by default. */
  readonly wire?: Wire;
  /** Tools that the client runs. Absent if it has none. */
  readonly clientTools?: readonly ToolSpec[] | undefined;
  readonly key: IdempotencyKey | null;
}

/** The last answer of a conversation, to be written again. */
export interface RegenerateInput extends RunInput {
  readonly regenerates: Pick<WantedExchange, "messageId">;
  /** The user's message, if its client can't tell whether it is stored. If it is not, it is run like a new one. */
  readonly message?: ClientMessage;
}

/** A message that may be stored. */
interface ClientMessage {
  /** The id that its client has given it; that of the stored message, if the client has read the conversation. */
  readonly clientId: string;
  readonly input: SendInput;
}

/** A message to run. */
export interface SendInput extends RunInput {
  readonly agentId: AgentId;
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** The history, oldest first, if the client keeps it. If absent, it is that of the conversation. */
  readonly givenHistory?: readonly GivenMessage[] | undefined;
  /** What the client says before the message, behind the history. Only this turn reads it. */
  readonly preceding?: readonly GivenMessage[] | undefined;
  /** The part of a run that the message follows. Throws `conflict` if a later one of the conversation has been answered. */
  readonly follows?: RunPart | undefined;
  /** What the client's protocol repeats of the request whenever it shows the run, as JSON. */
  readonly clientRequest?: string | undefined;
  /** The form that the answer must have. Absent for text. */
  readonly format?: AnswerFormat | undefined;
  /** What the agent has answered since the message, if the client keeps the history. */
  readonly givenResponses?: readonly GivenResponse[] | undefined;
  /** Which of the client's tools the model must call first. Absent if it may choose. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the client runs at most one of its tools per response of the model. */
  readonly oneClientCall?: boolean | undefined;
  /** Results of calls that the conversation's last run has left to the client. The run ends with them before the message is run. */
  readonly results?: readonly CallDecision[] | undefined;
}

/** A run as a stream: its SSE frames from the first one on. */
export interface StreamedRun {
  readonly runId: RunId;
  readonly frames: ReadableStream<Uint8Array>;
  readonly messagesLeft: RateLimit | null;
}

/** A run that has begun. `messagesLeft` is null if messages are unlimited, or if the run had begun before. */
export interface BegunRun {
  readonly runId: RunId;
  readonly messagesLeft: RateLimit | null;
  /** The number of the event behind which a run goes on that has waited. Absent if it has begun. */
  readonly after?: number;
  /** The part of the run that begins there; see `RunPart`. Absent if the run has begun. */
  readonly part?: number;
}

/**
 * The Durable Object of one conversation. It runs one message at a time, whether or not a client is connected. A shell
 * that connects `RunHost`, `RunLog`, `IdempotencyKeys`, `RunRecovery`, `RunnerSchedule` and `RunReader` to storage,
 * alarm and callers.
 */
export class ConversationRunner extends DurableObject<Env> {
  readonly #log = new RunLog({ storage: this.ctx.storage.sql });
  readonly #keys = new IdempotencyKeys({ log: this.#log, now: systemClock.now });
  readonly #reader = new RunReader({ log: this.#log, deps: () => this.#deps() });
  readonly #schedule = new RunnerSchedule({
    storage: this.ctx.storage,
    log: this.#log,
    // A run whose calls are decided goes on at the next heartbeat, if it could not before.
    isBusy: () => this.#host.isBusy || this.#log.waiting().some(({ state }) => state === "decided"),
    now: systemClock.now,
  });
  readonly #recovery = new RunRecovery({
    log: this.#log,
    deps: () => this.#deps(),
    isActive: (runId) => this.#host.activeRunId === runId,
    recovered: () => this.#schedule.update(),
    now: systemClock.now,
  });
  readonly #host: RunHost = new RunHost({
    log: this.#log,
    turnDeps: async () => (await this.#deps()).turnDeps,
    clock: systemClock,
    keepAlive: () => this.#schedule.keepAlive(),
    ended: () => this.#schedule.update(),
    waitUntil: (work) => this.ctx.waitUntil(work),
  });

  /** Resolves when the decisions of the requests so far are recorded or refused. */
  #deciding: Promise<unknown> = Promise.resolve();

  /**
   * Runs a message, or writes the last answer again, or finds the run of the idempotency key, and streams the run from the beginning.
   */
  send(call: RunnerCall, input: SendInput | RegenerateInput): Promise<Reply<StreamedRun>> {
    return this.#reply(call, async () => {
      const { runId, messagesLeft = null } = await this.#accept(call, input);
      return { runId, frames: this.#framesOf(runId, 0, input.wire), messagesLeft };
    });
  }

  /** Begins what `send` does. */
  begin(call: RunnerCall, input: SendInput | RegenerateInput): Promise<Reply<BegunRun>> {
    return this.#reply(call, async () => {
      const { runId, messagesLeft = null } = await this.#accept(call, input);
      return { runId, messagesLeft };
    });
  }

  /**
   * Replies with the answer of a run when it has ended or waits, and with the run's error if it failed. Its text is that behind the
   * event number `from`. If `from` is a part of the run that ends with calls for the client, replies with `LEFT_TO_CLIENT` as soon as it
   * has ended, whatever the run has done since.
   */
  answer(call: RunnerCall, runId: RunId, from: number | Pick<RunPart, "part">): Promise<Reply<RunAnswer>> {
    const isLeft = () => typeof from === "object" && partsIn(this.#log.all(runId)).length > from.part + 1;
    return this.#reply(call, async () => {
      if (this.#host.activeRunId === runId) await this.#host.opened();
      if (!isLeft()) await this.#host.endOf(runId);
      if (isLeft()) return LEFT_TO_CLIENT;
      this.#requireGoing(runId);
      return this.#reader.answer(call, runId, typeof from === "object" ? 0 : from);
    });
  }

  /**
   * Streams the frames of a run after the event number `from`, or of a part of it. Replies with null if there are none and none will come.
   * `wanted` is a run id, or `active`, which includes a run that waits. Frames of other wires than the native one build on those before,
   * so `from` must be 0, a part, or the number of an event at which the run has waited.
   */
  events(
    call: RunnerCall,
    wanted: RunId | "active",
    from: number | Pick<RunPart, "part">,
    wire?: Wire,
  ): Promise<Reply<ReadableStream<Uint8Array> | null>> {
    return this.#reply(call, async () => {
      await this.#reader.requireAgentInScope(call);
      if (wanted === this.#host.activeRunId || wanted === "active") await this.#host.opened();

      const runId = wanted === "active" ? (this.#host.activeRunId ?? this.#waiting?.runIds.runId) : wanted;
      if (runId === undefined) {
        await this.#reader.requireConversation(call);
        return null;
      }
      const logged = this.#log.find(runId);
      if (!logged) throw await this.#goneOrNotFound(call, runId);

      const after = typeof from === "number" ? from : partsIn(this.#log.all(runId))[from.part]?.seq;
      if (after === undefined) throw notFound("Run");
      const last = this.#lastNumber(logged);
      if (after > last) throw new AppError("malformed-request", "`after` is beyond the end of the run.");
      this.#requireGoing(runId);
      if (this.#host.activeRunId !== runId && after === last) return null;
      return this.#framesOf(runId, after, wire);
    });
  }

  /** Stops a run if it is active, and returns its new state. */
  cancel(call: RunnerCall, runId: RunId): Promise<Reply<Run>> {
    return this.#reply(call, async () => {
      await this.#reader.requireAgentInScope(call);
      if (this.#host.activeRunId === runId) await this.#host.stop();
      const waiting = this.#waiting;
      if (waiting?.runIds.runId === runId) {
        await this.#reader.requireConversation(call);
        await this.#host.giveUp(waiting, "cancelled");
      }
      return this.#reader.run(call, runId);
    });
  }

  getRun(call: RunnerCall, runId: RunId): Promise<Reply<RunWithCalls>> {
    return this.#reply(call, () => this.#reader.details(call, runId));
  }

  /**
   * Decides about calls of a run that waits. When all its calls are decided, the run goes on. Each call is decided once: repeating a
   * decision changes nothing, another one is a `conflict`. Replies with the run's new state.
   */
  decide(call: RunnerCall, runId: RunId, decisions: readonly CallDecision[]): Promise<Reply<RunWithCalls>> {
    return this.#reply(call, async () => {
      await Promise.all([
        this.#reader.requireAccount(call.scope),
        this.#reader.requireAgentInScope(call),
        this.#reader.run(call, runId),
      ]);
      if (!this.#log.find(runId)) throw await this.#goneOrNotFound(call, runId);
      await this.#untilPaused(runId, decisions);
      recordDecisions(this.#log, runId, decisions);
      this.#host.goOn();
      return this.#reader.details(call, runId);
    });
  }

  /**
   * Decides about calls of the run that writes the answer `answerId`, or without it of the run that waits in the conversation, and
   * streams what follows. Throws like `decide`, and `conflict` if no run waits for these calls.
   */
  sendDecisions(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    wire?: Wire,
    request?: DecisionRequest,
  ): Promise<Reply<StreamedRun>> {
    return this.#reply(call, async () => {
      const { runId, after } = await this.#decideAnywhere(call, decisions, request);
      return { runId, frames: this.#framesOf(runId, after, wire), messagesLeft: null };
    });
  }

  /** Like `sendDecisions`, for callers that want the answer as a whole, from `answer`. */
  beginDecisions(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    request?: DecisionRequest,
  ): Promise<Reply<BegunRun>> {
    return this.#reply(call, async () => ({
      ...(await this.#decideAnywhere(call, decisions, request)),
      messagesLeft: null,
    }));
  }

  /**
   * Stops the active run and removes everything that is stored, because the conversation is being deleted. Has no effect if it is not: a
   * call that comes late must not end the runs of a new conversation with the same id. Replies with true if nothing was on its way: no
   * run, no follow-up work and no answer that is not saved yet.
   */
  async forget(): Promise<Reply<boolean>> {
    try {
      const isIdle =
        !this.#host.isBusy &&
        !this.#waiting &&
        this.#log.unfinished().length === 0 &&
        this.#log.unsaved().length === 0;
      // Race: listed before the table is asked. Runs that begin later may be those of a new conversation.
      const runs = this.#log.runs();
      const ids = runs.map(({ runIds }) => runIds.runId);
      const [run] = runs;
      if (run && (await this.#reader.isLive(run.place))) return { answer: true };

      if (ids.some((id) => id === this.#host.activeRunId)) await this.#host.stop();
      const waiting = this.#log.waiting().find(({ runIds }) => ids.includes(runIds.runId));
      if (waiting) await this.#host.giveUp(waiting, "cancelled");
      // Return the counted messages of unsaved and dead runs first. Afterwards, the log no longer knows them.
      await this.#recovery.recoverRuns();
      await this.#recovery.saveUnsaved();
      this.#log.drop(...ids);
      await this.#schedule.update();
      return { answer: isIdle };
    } catch (thrown) {
      return this.#refuse(thrown, { requestId: "" });
    }
  }

  override async alarm(): Promise<void> {
    this.#schedule.rang();
    try {
      await this.#recovery.recoverRuns();
      await this.#recovery.saveUnsaved();
      const waiting = this.#waiting;
      if (waiting && waiting.expiresAt <= systemClock.now()) await this.#host.giveUp(waiting, "expired");
      this.#host.goOn();
    } catch (error) {
      console.warn({ message: "A run could not be recovered yet.", error: String(error) });
    }
    await this.#schedule.update();
  }

  async #reply<Answer>(call: RunnerCall, work: () => Promise<Answer>): Promise<Reply<Answer>> {
    try {
      await this.#recovery.recoverRuns();
      this.#host.goOn();
      return { answer: await work() };
    } catch (thrown) {
      return this.#refuse(thrown, call);
    }
  }

  async #refuse(thrown: unknown, { requestId }: Pick<RunnerCall, "requestId">) {
    const error = AppError.from(thrown);
    // Anti-DoS: a 404 must leave no storage behind, or anyone could create objects by guessing ids.
    if (error.code === "not-found") await this.#schedule.update();
    logProblem(error, { requestId });
    return { error: refusalOf(error) };
  }

  /** Begins a run, or finds the run of the message's idempotency key. */
  async #accept(call: RunnerCall, input: SendInput | RegenerateInput): Promise<AcceptedRun> {
    const { key } = input;
    // A new run checks the account and access itself. Any other reply needs the check here.
    if (this.#host.activeRunId !== undefined || this.#waiting || this.#keys.isUsed(key))
      await Promise.all([this.#reader.requireAccount(call.scope), this.#reader.requireAgentInScope(call)]);
    // The new turn reads the last answer. One that is not saved yet may be the last one, or take the place of the last one.
    if ("regenerates" in input || this.#log.unsaved().some(({ runIds }) => runIds.regenerates))
      await this.#recovery.saveUnsaved();
    const last = "regenerates" in input ? await this.#reader.lastExchange(call) : undefined;
    if ("regenerates" in input && input.message && !this.#isStored(input.message, last?.question))
      return this.#accept(call, input.message.input);
    // A run that is still opening may be refused. Then its key is forgotten, and this request counts as the first.
    while (this.#keys.isOpening(key)) {
      await this.#host.opened();
      await this.#recovery.recoverRuns();
    }

    // Race: no await between this check of the key and the new run becoming active, or two requests could both begin.
    const known = this.#keys.runOf(key);
    if (known !== undefined) return { runId: known, messagesLeft: undefined };
    const active = this.#host.activeRunId;
    if (active !== undefined) throw busy(active);
    const waiting = this.#waiting;
    if ("regenerates" in input) {
      // The run that waits may still complete its answer. Whoever wants another one cancels it first.
      if (waiting) throw busy(waiting.runIds.runId);
      return this.#regenerate(call, input, last);
    }
    const { agentId, key: _key, wire: _wire, results = [], follows, ...message } = input;
    if (follows && results.length === 0) requireOpenPart(this.#log, follows);
    if (waiting) {
      // The conversation may have been given to another agent since.
      await this.#reader.requireConversation(call, agentId);
      const isAnswered = requireResults(this.#log, results, follows) === waiting.runIds.runId;
      await this.#host.giveUp(waiting, "message", isAnswered ? results : []);
      // Another request may have begun a run meanwhile.
      return this.#accept(call, input);
    }
    requireResults(this.#log, results, follows);
    const place = { ...call.scope, agentId, conversationId: call.conversationId };
    return this.#host.begin(place, { ...message, follows: follows?.runId }, key);
  }

  /** Begins to write the last answer again. The turn itself notices if it is no longer the last one. */
  #regenerate(
    { scope, conversationId }: RunnerCall,
    { regenerates: { messageId }, message, key, timeZone, showsReasoning, clientTools }: RegenerateInput,
    last: LastExchange | undefined,
  ): Promise<AcceptedRun> {
    const wanted = { messageId, questionId: this.#questionOf(message?.input.key ?? null) };
    const attempt = messageId === undefined ? undefined : this.#log.findByAnswer(messageId)?.runIds;
    const { agentId, question, answer } = requireLast(last, wanted, attempt);
    const { content, attachments } = question;
    return this.#host.begin(
      { ...scope, agentId, conversationId },
      { content, attachments, timeZone, showsReasoning, clientTools },
      key,
      { question: placeOf(question), answer: answer && placeOf(answer) },
    );
  }

  /** Returns the id under which the message of a key is stored, if the key is known. */
  #questionOf(key: IdempotencyKey | null): string | undefined {
    const runId = this.#keys.runOf(key);
    return runId && this.#log.find(runId)?.runIds.userMessageId;
  }

  /**
   * Whether a message of a client is stored, `last` being the last one that is. Keys are known for a day; after that, its text has to
   * tell. As long as the key of the last message is known, it is another message, whatever its text.
   */
  #isStored({ clientId, input: { key, content } }: ClientMessage, last: Message | undefined): boolean {
    if (this.#keys.isUsed(key)) return true;
    if (last === undefined) return false;
    return last.id === clientId || (last.content === content && !this.#keys.isOfRun(last.runId));
  }

  /** The run that waits, if there is one. */
  get #waiting(): LoggedRun | undefined {
    return this.#log.waiting()[0];
  }

  async #decideAnywhere(
    call: RunnerCall,
    decisions: readonly CallDecision[],
    { answerId, continuation }: DecisionRequest = {},
  ): Promise<{ readonly runId: RunId; readonly after: number; readonly part: number }> {
    await Promise.all([
      this.#reader.requireAccount(call.scope),
      this.#reader.requireAgentInScope(call),
      this.#reader.requireConversation(call, continuation?.agentId),
    ]);
    const named = answerId === undefined ? undefined : this.#log.findByAnswer(answerId);
    const runId = named?.runIds.runId ?? runOfCalls(this.#log, decisions);
    await this.#untilPaused(runId, decisions);
    // Race: another request must not replace what is stored of the one whose decisions are recorded.
    const deciding = this.#deciding.then(async () => {
      const begins = partBehind(this.#log, runId, decisions, continuation?.follows);
      const { fresh: results } = requireDecidable(this.#log, runId, decisions);
      if (continuation && results.length > 0) {
        const { continuations } = await this.#deps();
        const { conversationId } = call;
        const { clientRequest } = continuation;
        await continuations.save({ conversationId, runId, part: begins.part, clientRequest, results });
      }
      recordDecisions(this.#log, runId, decisions, continuation?.options);
      return begins;
    });
    // The request that has failed reports its error itself.
    this.#deciding = deciding.catch(() => undefined);
    const { after, part } = await deciding;
    this.#host.goOn();
    await this.#host.opened();
    this.#requireGoing(runId);
    return { runId, after, part };
  }

  /** Resolves when a run waits that has asked about these calls. It has asked shortly before. */
  async #untilPaused(runId: RunId, decisions: readonly CallDecision[]): Promise<void> {
    if (this.#host.activeRunId === runId && isAsked(this.#log, runId, decisions))
      await this.#host.endOf(runId);
  }

  /** Throws `unavailable` if all calls of the run are decided and it could not go on yet. */
  #requireGoing(runId: RunId): void {
    if (this.#host.activeRunId !== runId && this.#log.find(runId)?.state === "decided")
      throw new AppError("unavailable", "The run could not go on yet. It will as soon as possible.");
  }

  /** Returns the frames of a run in the log, in the format of a wire. */
  #framesOf(runId: RunId, after: number, wire: Wire = NATIVE): ReadableStream<Uint8Array> {
    const logged = this.#log.find(runId);
    if (!logged) throw notFound("Run");
    const { place, runIds } = logged;
    const parts = wire.kind === "responses" ? partsIn(this.#log.all(runId)) : [];
    const at = parts.findIndex(({ seq }) => seq === after);
    const write = frameWriterOf(wire, {
      ...runIds,
      conversationId: place.conversationId,
      beginning: parts[at],
    });
    const until = at < 0 ? undefined : parts[at + 1]?.seq;
    return eventStream({ source: this.#host.eventsOf(runId), after, until, write });
  }

  /** Returns the highest event number that a client can have seen. */
  #lastNumber({ runIds, lastSeq }: LoggedRun): number {
    const { runId } = runIds;
    if (lastSeq !== null) return lastSeq;
    return this.#host.activeRunId === runId ? this.#host.lastSeqOf(runId) : this.#log.lastSeqOf(runId);
  }

  /** Returns `gone` for a run whose log has expired. Throws `not-found` if the caller has no such run. */
  async #goneOrNotFound(call: RunnerCall, runId: RunId): Promise<AppError> {
    await this.#reader.run(call, runId);
    return new AppError(
      "gone",
      "The events of this run have expired: they are kept for one day. Its messages are still available.",
    );
  }

  async #deps(): Promise<RunnerDeps> {
    return createRunnerDeps(await portsFrom(this.env));
  }
}

const placeOf = ({ id, createdAt }: Message): MessagePlace => ({ id, createdAt });

const busy = (runId: RunId): AppError =>
  new AppError("conversation-busy", "The agent is still answering in this conversation.", {
    extensions: { run_id: runId },
    retryAfter: BUSY_RETRY_SECONDS,
  });
