import type { RunId } from "../shared/id-types.ts";
import { AppError } from "../shared/errors.ts";
import type { Clock } from "../shared/clock.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { ActiveRun, type EventSource, loggedRun } from "./active-run.ts";
import { type GiveUpReason, giveUpTurn } from "./give-up.ts";
import type { CallDecision } from "./decisions.ts";
import type { IdempotencyKey } from "./idempotency-keys.ts";
import type { Regeneration, RunIds, TurnPlace } from "./model.ts";
import { type LoggedRun, type RunLog, SEQ_BLOCK } from "./run-log.ts";
import { RunCancelled } from "./answer-events.ts";
import { continueTurn } from "./continue-turn.ts";
import { openTurn, newRunIds, type TurnInput } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";

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
