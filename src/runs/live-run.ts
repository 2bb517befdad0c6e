import { isTerminal, type AgentEvent } from "./events.ts";
import { paceText } from "./pacing.ts";
import type { NumberedEvent, RunLog } from "./run-log.ts";

/** Numbers are reserved in blocks, so that a crash can't make one of them mean two events. */
export const SEQ_BLOCK = 256;
/** How long text may wait to be logged together with what follows; other events are logged at once. */
const FLUSH_MS = 250;

/** What a follower reads from: the events of a run, as far as they have come. */
export interface EventSource {
  /** Events behind a number, in order; none where there are none yet. */
  read(after: number): readonly NumberedEvent[];
  /** Settles when there may be more. */
  changed(): Promise<void>;
  /** Whether there will be no more than there are. */
  readonly isOver: boolean;
}

/** A run that is taking place here: numbers its events, logs them, and lets any number of followers read them. */
export class LiveRun implements EventSource {
  readonly runId: string;
  readonly #log: RunLog;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #events: NumberedEvent[] = [];
  #reserved = SEQ_BLOCK;
  #logged = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = Promise.withResolvers<void>();
  #isOver = false;
  /** Why the log does not take this run any more. */
  #failure: unknown;
  /** Settles when the terminal event is in the log; before that while the run is only opening. */
  ended: Promise<void> = Promise.resolve();

  /** The log knows the run, with the first block of numbers reserved. */
  constructor(runId: string, log: RunLog, now: () => number) {
    this.runId = runId;
    this.#log = log;
    this.#now = now;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The number of the newest event. */
  get lastSeq(): number {
    return this.#events.length;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tells the run to end, for a reason that its ending depends on. */
  stop(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Lets the run take place to its end: `events` ends with a terminal event. Fails if the log does. */
  play(events: AsyncIterable<AgentEvent>): Promise<void> {
    const playing = this.#play(events);
    this.ended = playing.catch(() => undefined);
    return playing;
  }

  read(after: number): readonly NumberedEvent[] {
    // Followers are cut off as by a crash: they come back for the end that the run is settled with.
    if (this.#failure !== undefined) throw this.#failure;
    // Numbers of a run that lives begin with 1 and have no gap.
    return this.#events.slice(after);
  }

  changed(): Promise<void> {
    return this.#waiting.promise;
  }

  async #play(events: AsyncIterable<AgentEvent>): Promise<void> {
    try {
      for await (const event of paceText(events)) this.#add(event);
    } catch (error) {
      clearTimeout(this.#timer);
      this.stop(error);
      this.#failure = error;
      this.#wake();
      throw error;
    }
  }

  #add(event: AgentEvent): void {
    const seq = this.#events.length + 1;
    if (seq > this.#reserved) {
      this.#reserved += SEQ_BLOCK;
      this.#log.reserve(this.runId, this.#reserved);
    }
    this.#events.push({ seq, event });

    if (event.type !== "text") this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    if (isTerminal(event)) {
      this.#log.end(this.runId, seq, this.#now());
      this.#isOver = true;
    }
    this.#wake();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#log.append(this.runId, this.#events.slice(this.#logged));
    this.#logged = this.#events.length;
  }

  #wake(): void {
    const { resolve } = this.#waiting;
    this.#waiting = Promise.withResolvers<void>();
    resolve();
  }
}

/** A run that is over, read from its log. */
export const endedRun = (runId: string, log: RunLog): EventSource => ({
  read: (after) => log.read(runId, after),
  changed: () => Promise.resolve(),
  isOver: true,
});
