import { sleep } from "./async.ts";
import { FairQueue, type QueueEntry } from "./fair-queue.ts";

/** How many are admitted at one time, and how long the others may wait. All times are in milliseconds. */
export interface AdmissionOptions {
  /** How many are admitted at one time. */
  readonly limit: number;
  /** How many of them may be from one line. By default all. */
  readonly lineLimit?: number;
  /** How much memory those that wait may hold, in bytes; those of one line may hold half of it. By default unlimited. */
  readonly waitingBytes?: number;
  /** How long a request may be expected to wait in a queue that has just formed: a burst, which will be worked off. */
  readonly patienceMs: number;
  /**
   * The same in a queue, or in a line of it, that has not been empty for `patienceMs`. That is an overload, not a burst, and
   * a longer wait would only make every answer late. By default the same as `patienceMs`.
   */
  readonly standingPatienceMs?: number;
  /** How long an admission counts if it is not returned. Must exceed the longest piece of work. */
  readonly leaseMs: number;
  /** How long a piece of work is assumed to take until the first ones have ended. */
  readonly expectedMs: number;
  readonly now?: () => number;
}

/** The queue would take, or has taken, longer than the request may wait. */
export class QueueTooLong extends Error {
  override readonly name = "QueueTooLong";
  /** How long the queue will probably take, in milliseconds. */
  readonly waitMs: number;

  constructor(waitMs: number) {
    super(`The queue takes about ${Math.round(waitMs)} ms.`);
    this.waitMs = waitMs;
  }
}

/** Ends an admission. Safe to call more than once. */
export type Leave = () => void;

/** A request that wants to be admitted. */
export interface QueuedRequest {
  /** The name of the line that it waits in, such as an account. The lines are served in turn. By default all share one. */
  readonly line?: string;
  /** The memory that it holds while it waits, in bytes; by default 0. */
  readonly bytes?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

interface Waiter extends QueueEntry {
  readonly patienceMs: number;
  /** When it last looked at its place. */
  seenAt: number;
  /** Set when the request is admitted or refused. */
  result: Admission | QueueTooLong | undefined;
}

/** A place that is taken until `expiresAt`. */
interface Admission {
  readonly line: string;
  beganAt: number;
  expiresAt: number;
}

/** How long a waiting request may take to notice its admission. One that does not was cancelled while it waited. */
const NOTICE_MS = 2_000;
/** A request that waits for longer than this has been promised its turn: a late refusal is worse than a longer wait. */
const DECIDE_MS = 1_000;
/** How many times its patience a request may wait. After that, something is wrong, and its client has probably left. */
const MAX_DELAY = 1.5;
/** The shortest and the longest pause after which a waiting request looks at its place in the queue again. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;
/** A waiting request that has not looked at its place for this long has probably been cancelled. Others go first. */
const ABSENT_MS = 4 * MAX_PAUSE_MS;
/** Each piece of work moves the average duration by this share towards its own. */
const WEIGHT = 1 / 16;

/**
 * Admits a limited number of requests at one time: one of each line in turn, and those of one line in the order of arrival. Refuses
 * a request at once if the queue will probably take longer than the request may wait, judging by how long the work takes on average
 * (Little's law). If the work becomes slower, refuses the newest waiting requests, within the first second of their wait. A long
 * line hardly delays the others, and its own requests are the ones that are refused.
 *
 * The requests of an isolate share a queue, although each has a context of its own. So a waiting request looks at its place by its
 * own timer: a promise that another request resolves may continue in that request's context, where its I/O is forbidden, and a
 * request without a timer or I/O counts as hung. The pauses are half of the expected wait, so that requests at the end of a long
 * queue hardly cost anything. And admissions expire, because the platform can end a request at any `await` without running its
 * `finally`.
 *
 * @example
 * const leave = await queue.enter({ line: accountEmail });
 * try { await work(); } finally { leave(); }
 */
export class AdmissionQueue {
  readonly #options: Required<AdmissionOptions>;
  readonly #admitted = new Set<Admission>();
  readonly #waiting = new FairQueue<Waiter>();
  #averageMs: number;
  /** Since when requests have been waiting without interruption because all places are taken. */
  #standingSince: number | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = {
      lineLimit: options.limit,
      waitingBytes: Infinity,
      standingPatienceMs: options.patienceMs,
      now: Date.now,
      ...options,
    };
    this.#averageMs = options.expectedMs;
  }

  /** The number of requests that wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Throws `QueueTooLong` if `enter` would refuse a request of any line, even of an empty one. Takes no place. */
  requireCapacity(): void {
    this.#refuseAbandoned();
    this.#admitWaiting();
    if (this.#hasRoom()) return;
    const all = this.#waiting.lines + 1;
    this.#requirePatience((all * this.#averageMs) / this.#options.limit);
  }

  /**
   * Resolves when the request is admitted. Call the returned function when the work is done. Rejects with `QueueTooLong` if the
   * queue is too long or too slow, and with the signal's reason if the request is aborted while it waits.
   */
  async enter({ line = "", bytes = 0, signal }: QueuedRequest = {}): Promise<Leave> {
    signal?.throwIfAborted();
    this.#refuseAbandoned();
    this.#admitWaiting();
    // If there is room after that, the requests that still wait are in lines that have their share.
    const isFree = this.#hasRoom() && this.#isBelowShare(line);
    const admission = isFree ? this.#take(line) : await this.#wait(line, bytes, signal);

    const { now, leaseMs } = this.#options;
    admission.beganAt = now();
    admission.expiresAt = admission.beganAt + leaseMs;
    // It may have expired before its request noticed it.
    this.#admitted.add(admission);
    return () => this.#leave(admission);
  }

  async #wait(line: string, bytes: number, signal: AbortSignal | undefined): Promise<Admission> {
    const waitMs = this.#waitMs(line);
    const patienceMs = this.#requirePatience(waitMs, this.#waiting.sinceOf(line));
    this.#requireMemory(line, bytes, waitMs);

    const since = this.#options.now();
    const waiter: Waiter = { line, bytes, number: 0, since, patienceMs, seenAt: since, result: undefined };
    this.#waiting.add(waiter);
    while (!waiter.result) {
      await sleep(this.#pauseMs(waiter));
      this.#check(waiter, signal);
    }
    if (waiter.result instanceof QueueTooLong) throw waiter.result;
    return waiter.result;
  }

  /**
   * Returns how long a new request may be expected to wait. Throws if it would have to wait for longer. `lineSince` says since when
   * somebody has always waited in its line.
   */
  #requirePatience(waitMs: number, lineSince?: number): number {
    const now = this.#options.now();
    if (!this.#hasRoom()) this.#standingSince ??= now;
    const { patienceMs, standingPatienceMs } = this.#options;
    const since = Math.min(this.#standingSince ?? now, lineSince ?? now);
    const isStanding = now - since >= patienceMs;
    const patience = isStanding ? standingPatienceMs : patienceMs;
    if (waitMs > patience) throw new QueueTooLong(waitMs);
    return patience;
  }

  #requireMemory(line: string, bytes: number, waitMs: number): void {
    const { waitingBytes } = this.#options;
    const isTooMuch =
      this.#waiting.bytes + bytes > waitingBytes || this.#waiting.bytesOf(line) + bytes > waitingBytes / 2;
    if (isTooMuch) throw new QueueTooLong(waitMs);
  }

  #check(waiter: Waiter, signal: AbortSignal | undefined): void {
    waiter.seenAt = this.#options.now();
    this.#admitWaiting();
    if (waiter.result) return;
    if (signal?.aborted) this.#remove(waiter);
    signal?.throwIfAborted();
    if (this.#options.now() - waiter.since >= waiter.patienceMs * MAX_DELAY) this.#refuse(waiter);
  }

  #refuse(waiter: Waiter): void {
    this.#remove(waiter);
    waiter.result = new QueueTooLong(this.#waitMs(waiter.line));
  }

  #leave(admission: Admission): void {
    if (!this.#admitted.delete(admission)) return;
    this.#averageMs += (this.#options.now() - admission.beganAt - this.#averageMs) * WEIGHT;
    this.#admitWaiting();
    this.#refuseExcess();
  }

  #admitWaiting(): void {
    const now = this.#options.now();
    while (this.#waiting.size > 0 && this.#hasRoom()) {
      const next = this.#waiting.take(
        (line) => this.#isBelowShare(line),
        ({ seenAt }) => now - seenAt <= ABSENT_MS,
      );
      if (!next) break;
      next.result = this.#take(next.line);
    }
    this.#noteStanding();
  }

  /** Refuses abandoned requests at the head of a line, which would otherwise have been refused or admitted by now. */
  #refuseAbandoned(): void {
    const now = this.#options.now();
    const isAbandoned = ({ since, seenAt, patienceMs }: Waiter) =>
      now - seenAt > ABSENT_MS && now - since >= patienceMs * MAX_DELAY;
    let abandoned = this.#waiting.findFirst(isAbandoned);
    while (abandoned) {
      this.#refuse(abandoned);
      abandoned = this.#waiting.findFirst(isAbandoned);
    }
  }

  /** Refuses requests at the end of each line that arrived recently and would wait for too long. */
  #refuseExcess(): void {
    const now = this.#options.now();
    let excess: readonly Waiter[];
    do {
      excess = this.#waiting.lastOfEach().filter((last) => {
        const waitedMs = now - last.since;
        return waitedMs <= DECIDE_MS && waitedMs + this.#waitMs(last.line, last) > last.patienceMs;
      });
      for (const last of excess) this.#refuse(last);
    } while (excess.length > 0);
  }

  #remove(waiter: Waiter): void {
    this.#waiting.remove(waiter);
    this.#noteStanding();
  }

  /**
   * Requests that wait although there is room are in lines that have their share. That is no overload of the other lines.
   */
  #noteStanding(): void {
    if (this.#waiting.size === 0 || this.#hasRoom()) this.#standingSince = undefined;
  }

  #take(line: string): Admission {
    const now = this.#options.now();
    const admission = { line, beganAt: now, expiresAt: now + NOTICE_MS };
    this.#admitted.add(admission);
    return admission;
  }

  #hasRoom(): boolean {
    const { limit, now } = this.#options;
    if (this.#admitted.size < limit) return true;
    const time = now();
    for (const admission of this.#admitted) if (admission.expiresAt <= time) this.#admitted.delete(admission);
    return this.#admitted.size < limit;
  }

  #isBelowShare(name: string): boolean {
    const { limit, lineLimit, now } = this.#options;
    if (lineLimit >= limit) return true;
    const time = now();
    let taken = 0;
    for (const { line, expiresAt } of this.#admitted) if (line === name && expiresAt > time) taken++;
    return taken < lineLimit;
  }

  /** Returns how long this waiting request, or the next one of this line, will probably wait. */
  #waitMs(line: string, waiter?: Waiter): number {
    const { limit, lineLimit } = this.#options;
    const { own, all } = this.#waiting.positionOf(line, waiter);
    return Math.max(all / limit, own / lineLimit) * this.#averageMs;
  }

  #pauseMs(waiter: Waiter): number {
    return Math.min(Math.max(this.#waitMs(waiter.line, waiter) / 2, MIN_PAUSE_MS), MAX_PAUSE_MS);
  }
}
