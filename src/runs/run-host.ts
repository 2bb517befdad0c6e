import type { Message, MessagePlace } from "../messages/model.ts";
import type { RunId } from "../shared/id-types.ts";
import { AppError } from "../shared/errors.ts";
import type { Clock } from "../shared/clock.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { ActiveRun, type EventSource, loggedRun } from "./active-run.ts";
import { type GiveUpReason, giveUpTurn } from "./give-up.ts";
import { type CallDecision, requireOpenPart, requireResults } from "./decisions.ts";
import type { IdempotencyKey, IdempotencyKeys } from "./idempotency-keys.ts";
import { type LastExchange, requireLast } from "./last-exchange.ts";
import type { Regeneration, RunIds, TurnPlace } from "./model.ts";
import type { RunRecovery } from "./recover-run.ts";
import { type LoggedRun, type RunLog, SEQ_BLOCK } from "./run-log.ts";
import { RunCancelled } from "./answer-events.ts";
import type { RunReader } from "./run-reader.ts";
import type { ClientMessage, RegenerateInput, RunnerCall, SendInput } from "./runner-model.ts";
import { continueTurn } from "./continue-turn.ts";
import { openTurn, newRunIds, type TurnInput } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";

/** The `Retry-After` of a busy conversation, in seconds. */
const BUSY_RETRY_SECONDS = 2;

interface RunHostDeps {
  readonly log: RunLog;
  readonly turnDeps: () => Promise<Omit<TurnDeps, "keepUnsaved" | "follow">>;
  readonly clock: Clock;
  /** Keeps the object alive while a run is active. */
  readonly keepAlive: () => Promise<void>;
  /** Called after a run or its follow-up work has ended. */
  readonly ended: () => Promise<void>;
  readonly waitUntil: (work: Promise<void>) => void;
}

/** An accepted run. `messagesLeft` is the rest of the month's messages, if they are limited. */
export interface AcceptedRun {
  readonly runId: RunId;
  readonly messagesLeft: RateLimit | undefined;
}

/** Hosts the one active run of a conversation, and the follow-up work of earlier answers. */
export class RunHost {
  readonly #log: RunLog;
  readonly #turnDeps: () => Promise<Omit<TurnDeps, "keepUnsaved" | "follow">>;
  readonly #clock: Clock;
  readonly #keepAlive: () => Promise<void>;
  readonly #ended: () => Promise<void>;
  readonly #waitUntil: (work: Promise<void>) => void;
  #active: ActiveRun | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** The follow-up work of all answers so far, one after the other. No caller waits for it. */
  #following: Promise<void> = Promise.resolve();
  #followUps = 0;

  constructor({ log, turnDeps, clock, keepAlive, ended, waitUntil }: RunHostDeps) {
    this.#log = log;
    this.#turnDeps = turnDeps;
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#ended = ended;
    this.#waitUntil = waitUntil;
  }

  get activeRunId(): RunId | undefined {
    return this.#active?.runId;
  }

  /** Whether a run is active, or follow-up work is in progress. */
  get isBusy(): boolean {
    return this.#active !== undefined || this.#followUps > 0;
  }

  /** The run that waits, if there is one. */
  get waiting(): LoggedRun | undefined {
    return this.#log.waiting()[0];
  }

  /** Returns the highest event number that a client can have seen of a run. */
  lastSeqOf({ runIds: { runId }, lastSeq }: LoggedRun): number {
    if (lastSeq !== null) return lastSeq;
    return this.#active?.runId === runId ? this.#active.lastSeq : this.#log.lastSeqOf(runId);
  }

  /** Throws `unavailable` if all calls of the run are decided and it could not go on yet. */
  requireGoing(runId: RunId): void {
    if (this.#active?.runId !== runId && this.#log.find(runId)?.state === "decided")
      throw new AppError("unavailable", "The run could not go on yet. It will as soon as possible.");
  }

  /** Returns the events of an active run, or of one that has ended or waits. */
  eventsOf(runId: RunId): EventSource {
    return this.#active?.runId === runId ? this.#active : loggedRun(runId, this.#log);
  }

  /** Resolves when the active run has been accepted or refused. Never rejects. */
  opened(): Promise<void> {
    return this.#opening.catch(() => undefined);
  }

  /** Resolves when a run has ended or waits. */
  async endOf(runId: RunId): Promise<void> {
    if (this.#active?.runId === runId) await this.#active.ended;
  }

  /** Cancels the active run, accepted or not, and waits until it has ended. It may have begun to wait instead. */
  async stop(): Promise<void> {
    const run = this.#active;
    run?.stop(new RunCancelled());
    await this.opened();
    await run?.ended;
  }

  /**
   * Begins a run. It becomes the active run at once. Resolves when it is accepted; throws the refusal otherwise. With `regenerates`,
   * the message is a stored one.
   */
  async begin(
    place: TurnPlace,
    message: Omit<TurnInput, keyof TurnPlace>,
    key: IdempotencyKey | null,
    regenerates?: Regeneration,
  ): Promise<AcceptedRun> {
    const runIds = newRunIds(this.#clock, regenerates);
    const run = new ActiveRun({ runId: runIds.runId, log: this.#log, now: this.#clock.now });
    this.#active = run;
    this.#log.open(place, runIds, SEQ_BLOCK, key);
    const opened = this.#open(run, { ...place, ...message }, runIds);
    this.#opening = opened.then(() => undefined);

    try {
      // Only concurrent requests await `#opening`. Without a handler, a refusal would count as unhandled.
      this.#opening.catch(() => undefined);
      const [messagesLeft] = await Promise.all([opened, this.#keepAlive()]);
      return { runId: runIds.runId, messagesLeft };
    } catch (error) {
      this.#active = undefined;
      // After a server error, it is unknown whether the run was stored. It stays in the log and is recovered.
      if (AppError.from(error).status < 500) this.#log.drop(runIds.runId);
      throw error;
    }
  }

  /**
   * Continues runs all of whose calls are decided, unless one is active. A run that can't go on for the time being stays as it is, and
   * is continued later. Never throws.
   */
  goOn(): void {
    const next = this.#log.waiting().find(({ state }) => state === "decided");
    if (!next || this.#active) return;

    const run = this.#activate(next);
    const going = this.#goOn(run, next);
    this.#opening = going;
    this.#waitUntil(going);
  }

  async #goOn(run: ActiveRun, logged: LoggedRun): Promise<void> {
    try {
      await this.#keepAlive();
      const events = [...this.#log.all(run.runId)].map(({ event }) => event);
      const following = await continueTurn(logged, events, await this.#depsOf(run), run.signal);
      // From here on, its tools may run, which must not be repeated.
      this.#log.goOn(run.runId);
      this.#play(run, following);
    } catch (error) {
      if (this.#active === run) this.#active = undefined;
      console.warn({ message: "A run could not go on yet.", runId: run.runId, error: String(error) });
      await this.#ended();
    }
  }

  /**
   * Ends a run that waits, and resolves when it has ended. `results` are those that the client brings after all. Has no effect on a run
   * that does not wait any more. Throws if the account's webhooks can't be read; then the run goes on waiting.
   */
  async giveUp(
    { place, runIds: { runId } }: LoggedRun,
    reason: GiveUpReason,
    results: readonly CallDecision[] = [],
  ): Promise<void> {
    const { webhooks } = await this.#turnDeps();
    const { types: wantedEvents } = await webhooks.wanted(place.accountEmail);
    await this.#keepAlive();

    // Race: no await between this check and the run becoming active, or it could be decided and given up at the same time.
    const logged = this.#log.waiting().find(({ runIds }) => runIds.runId === runId);
    if (!logged || this.#active) return;
    const run = this.#activate(logged);
    const events = [...this.#log.all(runId)].map(({ event }) => event);
    this.#log.goOn(runId);
    this.#play(run, this.#givingUp(run, logged, events, { reason, wantedEvents, results }));
    await run.ended;
  }

  async *#givingUp(
    run: ActiveRun,
    logged: LoggedRun,
    events: readonly AgentEvent[],
    how: Parameters<typeof giveUpTurn>[2],
  ): AsyncGenerator<AgentEvent, void, void> {
    yield* giveUpTurn(logged, events, how, await this.#depsOf(run));
  }

  /** Makes a run that waits the active one. */
  #activate({ runIds: { runId }, reserved }: LoggedRun): ActiveRun {
    const from = { lastSeq: this.#log.lastSeqOf(runId), reserved };
    const run = new ActiveRun({ runId, log: this.#log, now: this.#clock.now, from });
    this.#active = run;
    return run;
  }

  async #open(run: ActiveRun, input: TurnInput, runIds: RunIds): Promise<RateLimit | undefined> {
    const { events, messagesLeft } = await openTurn(input, runIds, await this.#depsOf(run), run.signal);

    this.#log.accept(runIds.runId);
    this.#play(run, events);
    return messagesLeft;
  }

  async #depsOf(run: ActiveRun): Promise<TurnDeps> {
    return {
      ...(await this.#turnDeps()),
      keepUnsaved: this.#log.keepUnsaved.bind(this.#log),
      follow: (work: () => Promise<void>) => this.#follow(run, work),
    };
  }

  #play(run: ActiveRun, events: AsyncIterable<AgentEvent>): void {
    const playing = run.play(events).catch((error: unknown) => {
      // Turns do not throw, so the log has failed. The run counts as dead and will be recovered.
      console.error({ message: "A run could not be logged.", runId: run.runId, error });
    });
    this.#waitUntil(playing.then(() => this.#leave(run)));
  }

  /** Runs the follow-up work of an answer, after the run's end and after earlier follow-up work. */
  #follow(run: ActiveRun, work: () => Promise<void>): void {
    this.#followUps++;
    this.#following = Promise.all([this.#following, run.ended])
      .then(work)
      .finally(() => {
        this.#followUps--;
      });
    this.#waitUntil(this.#following.then(this.#ended));
  }

  async #leave(run: ActiveRun): Promise<void> {
    if (this.#active === run) this.#active = undefined;
    // Its calls may have been decided as soon as their events were out.
    this.goOn();
    await this.#ended();
  }
}

interface RunAcceptanceDeps {
  readonly log: RunLog;
  readonly keys: IdempotencyKeys;
  readonly reader: RunReader;
  readonly recovery: RunRecovery;
  readonly host: RunHost;
}

/** Decides whether a message begins a run, belongs to one that has begun, or is refused. */
export class RunAcceptance {
  readonly #log: RunLog;
  readonly #keys: IdempotencyKeys;
  readonly #reader: RunReader;
  readonly #recovery: RunRecovery;
  readonly #host: RunHost;

  constructor({ log, keys, reader, recovery, host }: RunAcceptanceDeps) {
    this.#log = log;
    this.#keys = keys;
    this.#reader = reader;
    this.#recovery = recovery;
    this.#host = host;
  }

  /**
   * Begins a run, or finds the run of the message's idempotency key. A run that waits ends before the message is run, with the results
   * that the message brings. Throws `conversation-busy` if another run is active, or if one waits and an answer is to be written again;
   * `idempotency-mismatch` if the key was used with another request; what `requireOpenPart`, `requireResults` and `requireLast` throw;
   * `not-found` if the conversation is not the caller's or is with another agent; and what `RunHost.begin` throws.
   */
  async accept(call: RunnerCall, input: SendInput | RegenerateInput): Promise<AcceptedRun> {
    const { key } = input;
    // A new run checks the account and access itself. Any other reply needs the check here.
    if (this.#host.activeRunId !== undefined || this.#host.waiting || this.#keys.isUsed(key))
      await Promise.all([this.#reader.requireAccount(call.scope), this.#reader.requireAgentInScope(call)]);
    // The new turn reads the last answer. One that is not saved yet may be the last one, or take the place of the last one.
    if ("regenerates" in input || this.#log.unsaved().some(({ runIds }) => runIds.regenerates))
      await this.#recovery.saveUnsaved();
    const last = "regenerates" in input ? await this.#reader.lastExchange(call) : undefined;
    if ("regenerates" in input && input.message && !this.#isStored(input.message, last?.question))
      return this.accept(call, input.message.input);
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
    const waiting = this.#host.waiting;
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
      return this.accept(call, input);
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
}

const placeOf = ({ id, createdAt }: Message): MessagePlace => ({ id, createdAt });

const busy = (runId: RunId): AppError =>
  new AppError("conversation-busy", "The agent is still answering in this conversation.", {
    extensions: { run_id: runId },
    retryAfter: BUSY_RETRY_SECONDS,
  });
