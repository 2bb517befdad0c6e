import { DurableObject } from "cloudflare:workers";
import { createRunnerDeps, type RunnerDeps } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import { logProblem } from "../http/problem-document.ts";
import { systemClock } from "../shared/clock.ts";
import { refusalOf, type Reply } from "../shared/durable-reply.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import { frameWriterOf } from "../wires/frame-writers.ts";
import { NATIVE, type Wire } from "../wires/wire.ts";
import { partsIn, type RunPart } from "./client-pauses.ts";
import { DecisionRecorder } from "./decision-recorder.ts";
import type { CallDecision, DecisionRequest } from "./decisions.ts";
import { eventStream } from "./event-stream.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { Run } from "./model.ts";
import { RunRecovery } from "./recover-run.ts";
import { RunAcceptance, RunHost } from "./run-host.ts";
import { RunLog } from "./run-log.ts";
import { LEFT_TO_CLIENT, type RunAnswer, RunReader } from "./run-reader.ts";
import type { BegunRun, RegenerateInput, RunnerCall, SendInput, StreamedRun } from "./runner-model.ts";
import { RunnerSchedule } from "./runner-schedule.ts";
import type { RunWithCalls } from "./view.ts";

/**
 * The Durable Object of one conversation. It runs one message at a time, whether or not a client is connected. A shell
 * that connects `RunAcceptance`, `DecisionRecorder`, `RunHost`, `RunLog`, `IdempotencyKeys`, `RunRecovery`, `RunnerSchedule` and
 * `RunReader` to storage, alarm and callers.
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

  readonly #acceptance = new RunAcceptance({
    log: this.#log,
    keys: this.#keys,
    reader: this.#reader,
    recovery: this.#recovery,
    host: this.#host,
  });
  readonly #decisions = new DecisionRecorder({
    log: this.#log,
    reader: this.#reader,
    host: this.#host,
    continuations: async () => (await this.#deps()).continuations,
  });

  /**
   * Runs a message, or writes the last answer again, or finds the run of the idempotency key, and streams the run from the beginning.
   */
  send(call: RunnerCall, input: SendInput | RegenerateInput): Promise<Reply<StreamedRun>> {
    return this.#reply(call, async () => {
      const { runId, messagesLeft = null } = await this.#acceptance.accept(call, input);
      return { runId, frames: this.#framesOf(runId, 0, input.wire), messagesLeft };
    });
  }

  /** Begins what `send` does. */
  begin(call: RunnerCall, input: SendInput | RegenerateInput): Promise<Reply<BegunRun>> {
    return this.#reply(call, async () => {
      const { runId, messagesLeft = null } = await this.#acceptance.accept(call, input);
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
      this.#host.requireGoing(runId);
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

      const runId =
        wanted === "active" ? (this.#host.activeRunId ?? this.#host.waiting?.runIds.runId) : wanted;
      if (runId === undefined) {
        await this.#reader.requireConversation(call);
        return null;
      }
      const logged = this.#log.find(runId);
      if (!logged) throw await this.#reader.goneOrNotFound(call, runId);

      const after = typeof from === "number" ? from : partsIn(this.#log.all(runId))[from.part]?.seq;
      if (after === undefined) throw notFound("Run");
      const last = this.#host.lastSeqOf(logged);
      if (after > last) throw new AppError("malformed-request", "`after` is beyond the end of the run.");
      this.#host.requireGoing(runId);
      if (this.#host.activeRunId !== runId && after === last) return null;
      return this.#framesOf(runId, after, wire);
    });
  }

  /** Stops a run if it is active, and returns its new state. */
  cancel(call: RunnerCall, runId: RunId): Promise<Reply<Run>> {
    return this.#reply(call, async () => {
      await this.#reader.requireAgentInScope(call);
      if (this.#host.activeRunId === runId) await this.#host.stop();
      const waiting = this.#host.waiting;
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
      await this.#decisions.decide(call, runId, decisions);
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
      const { runId, after } = await this.#decisions.decideByCalls(call, decisions, request);
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
      ...(await this.#decisions.decideByCalls(call, decisions, request)),
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
        !this.#host.waiting &&
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
      const waiting = this.#host.waiting;
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

  async #deps(): Promise<RunnerDeps> {
    return createRunnerDeps(await portsFrom(this.env));
  }
}
