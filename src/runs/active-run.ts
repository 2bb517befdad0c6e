import type { RunId } from "../shared/id-types.ts";
import { isTerminal, type AgentEvent } from "../architectures/events.ts";
import { paceText } from "./pacing.ts";
import type { NumberedEvent, RunLog } from "./run-log.ts";

/** Event numbers are reserved in blocks before use. After a crash, no number can be given to a second event. */
export const SEQ_BLOCK = 256;
/** How long an event of `PATIENT` may wait to be logged together with later ones. */
const FLUSH_MS = 250;
/**
 * Events that a crash may take with it: words, and steps that the end of the run makes obsolete. All others are logged at once,
 * together with what came before them, because they report something that has happened. Each write of the log costs CPU.
 */
const PATIENT: ReadonlySet<AgentEvent["type"]> = new Set([
  "text",
  "reasoning",
  "status",
  "message-saved",
  "usage",
]);

/** The events of a run so far, for followers to read. */
export interface EventSource {
  /** Returns events after a number, in order, or an empty list if there are none yet. Throws if the log has failed. */
  read(after: number): readonly NumberedEvent[];
  /** Resolves when there may be more events. */
  changed(): Promise<void>;
  /** Whether the run has ended, so no more events will come. */
  readonly isOver: boolean;
}

/** The parts of the log that an active run needs. */
type WrittenLog = Pick<RunLog, "append" | "reserve" | "end">;

interface ActiveRunDeps {
  readonly runId: RunId;
  readonly log: WrittenLog;
  readonly now: () => number;
}

/** A run in progress in this object. Numbers its events, logs them, and lets any number of followers read them. */
export class ActiveRun implements EventSource {
  readonly runId: RunId;
  readonly #log: WrittenLog;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #events: NumberedEvent[] = [];
  #reserved = SEQ_BLOCK;
  #logged = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = Promise.withResolvers<void>();
  #isOver = false;
  /** Why the log failed, if it has. */
  #failure: unknown;
  /**
   * Resolves when the run has ended: its terminal event is logged, or the log has failed. Resolved until `play` begins.
   */
  ended: Promise<void> = Promise.resolve();

  /** The run must be in `log` already, with the first block of numbers reserved. */
  constructor({ runId, log, now }: ActiveRunDeps) {
    this.runId = runId;
    this.#log = log;
    this.#now = now;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The number of the newest event, or 0 if there is none. */
  get lastSeq(): number {
    return this.#events.length;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborts the run. The reason determines how it ends; see `openTurn`. */
  stop(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Consumes `events`, whose last one is a terminal event. Rejects if the log fails. */
  play(events: AsyncIterable<AgentEvent>): Promise<void> {
    const playing = this.#play(events);
    this.ended = playing.catch(() => undefined);
    return playing;
  }

  read(after: number): readonly NumberedEvent[] {
    // Followers are disconnected as in a crash. They reconnect for the end that recovery writes.
    if (this.#failure !== undefined) throw this.#failure;
    // The numbers of an active run begin with 1 and have no gaps.
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

    if (PATIENT.has(event.type)) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    else this.#flush();
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

/** Returns the events of a run that has ended, read from its log. */
export const endedRun = (runId: RunId, log: RunLog): EventSource => ({
  read: (after) => log.read(runId, after),
  changed: () => Promise.resolve(),
  isOver: true,
});
