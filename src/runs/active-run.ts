import type { RunId } from "../shared/id-types.ts";
import { isTerminal, type AgentEvent } from "../architectures/events.ts";
import { paceText } from "./pacing.ts";
import { type NumberedEvent, type RunLog, SEQ_BLOCK } from "./run-log.ts";

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
  /** Whether the run has ended or waits, so no more events will come from this source. */
  readonly isOver: boolean;
}

/** The parts of the log that an active run needs. */
type WrittenLog = Pick<RunLog, "append" | "read" | "reserve" | "end" | "wait">;

interface ActiveRunDeps {
  readonly runId: RunId;
  readonly log: WrittenLog;
  readonly now: () => number;
  /** If the run has waited, where it goes on: the number of its last event, and the highest reserved one. */
  readonly from?: { readonly lastSeq: number; readonly reserved: number };
}

/** A run in progress in this object. Numbers its events, logs them, and lets any number of followers read them. */
export class ActiveRun implements EventSource {
  readonly runId: RunId;
  readonly #log: WrittenLog;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #events: NumberedEvent[] = [];
  /** The number of the last event before those of this object. Only the log has the events up to it. */
  readonly #before: number;
  #reserved: number;
  #logged = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = Promise.withResolvers<void>();
  #isOver = false;
  /** Why the log failed, if it has. */
  #failure: unknown;
  /**
   * Resolves when the run has ended or waits: that event is logged, or the log has failed. Resolved until `play` begins.
   */
  ended: Promise<void> = Promise.resolve();

  /** The run must be in `log` already, with the first block of numbers reserved. */
  constructor({ runId, log, now, from }: ActiveRunDeps) {
    this.runId = runId;
    this.#log = log;
    this.#now = now;
    this.#before = from?.lastSeq ?? 0;
    this.#reserved = from?.reserved ?? SEQ_BLOCK;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The number of the newest event, or 0 if there is none. */
  get lastSeq(): number {
    return this.#before + this.#events.length;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborts the run. The reason determines how it ends; see `openTurn`. */
  stop(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Consumes `events`, whose last one is a terminal event or `waiting`. Rejects if the log fails. */
  play(events: AsyncIterable<AgentEvent>): Promise<void> {
    const playing = this.#play(events);
    this.ended = playing.catch(() => undefined);
    return playing;
  }

  read(after: number): readonly NumberedEvent[] {
    // Followers are disconnected as in a crash. They reconnect for the end that recovery writes.
    if (this.#failure !== undefined) throw this.#failure;
    if (after < this.#before) return this.#log.read(this.runId, after);
    // The numbers of an active run have no gaps.
    return this.#events.slice(after - this.#before);
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
    const seq = this.lastSeq + 1;
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
    if (event.type === "waiting") {
      this.#log.wait(this.runId, event.expiresAt);
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

/** Returns the events of a run that has ended or waits, read from its log. */
export const loggedRun = (runId: RunId, log: RunLog): EventSource => ({
  read: (after) => log.read(runId, after),
  changed: () => Promise.resolve(),
  isOver: true,
});
