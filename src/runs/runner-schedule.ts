/**
 * The interval of the alarm. Without a client, a Durable Object is evicted after about two minutes even if it is
 * waiting for something; an alarm keeps it alive. The same alarm recovers dead runs and retries failed saves.
 */
const HEARTBEAT_MS = 30_000;

/** The parts of an object's storage that the schedule needs. */
interface AlarmStorage {
  setAlarm(atMs: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  deleteAll(): Promise<void>;
}

/** The parts of the log that the schedule needs. */
interface ScheduledLog {
  /** Removes what has expired. Returns when the next part expires, in milliseconds since the epoch. */
  prune(now: number): number | undefined;
  unfinished(): readonly unknown[];
  unsaved(): readonly unknown[];
  /** Must be called before the tables are removed. */
  forgetTables(): void;
}

interface RunnerScheduleDeps {
  readonly storage: AlarmStorage;
  readonly log: ScheduledLog;
  /** Whether work is in progress that the log does not show. */
  readonly isBusy: () => boolean;
  readonly now: () => number;
}

/** Sets a runner's alarm, and removes its storage when nothing is left to do. */
export class RunnerSchedule {
  readonly #storage: AlarmStorage;
  readonly #log: ScheduledLog;
  readonly #isBusy: () => boolean;
  readonly #now: () => number;
  /** When the alarm rings, in milliseconds since the epoch, as far as this object knows. */
  #alarmAt: number | undefined;

  constructor({ storage, log, isBusy, now }: RunnerScheduleDeps) {
    this.#storage = storage;
    this.#log = log;
    this.#isBusy = isBusy;
    this.#now = now;
  }

  /** Makes sure that an alarm rings within a heartbeat, which keeps the object alive. */
  async keepAlive(): Promise<void> {
    const now = this.#now();
    // Each alarm that is set is a commit of the storage. One that rings soon enough stays.
    const isSet = this.#alarmAt !== undefined && this.#alarmAt > now && this.#alarmAt <= now + HEARTBEAT_MS;
    if (!isSet) await this.#setAlarm(now + HEARTBEAT_MS);
  }

  /** Must be called when the alarm has rung: from then on, none is set. */
  rang(): void {
    this.#alarmAt = undefined;
  }

  /** Sets the alarm for the next heartbeat, retry or expiry. If there is none, removes the storage. */
  async update(): Promise<void> {
    const now = this.#now();
    const expiry = this.#log.prune(now);
    if (this.#isBusy() || this.#log.unfinished().length > 0 || this.#log.unsaved().length > 0)
      return this.keepAlive();
    if (expiry === undefined) return this.#clear();
    // A run that waits could not be ended at its time. An alarm in the past would ring at once, again and again.
    if (expiry <= now) return this.keepAlive();
    if (expiry !== this.#alarmAt) await this.#setAlarm(expiry);
  }

  /** Removes everything that is stored, the alarm included. */
  async #clear(): Promise<void> {
    // Race: no await in between, so that a run that begins next creates its tables after the removal.
    this.#log.forgetTables();
    this.#alarmAt = undefined;
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
  }

  async #setAlarm(atMs: number): Promise<void> {
    // Race: set before the storage has answered, because `#clear` may follow in between.
    this.#alarmAt = atMs;
    await this.#storage.setAlarm(atMs);
  }
}
