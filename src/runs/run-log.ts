import { type AccountEmail, type RunId, runIdOf } from "../shared/id-types.ts";
import type { AgentEvent } from "../architectures/events.ts";
import type { IdempotencyKey } from "./idempotency-keys.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import type { TurnEnd } from "./turn-repository.ts";

/**
 * The states of a run in the log. `opening` means that it has been neither accepted nor refused; `waiting`, that calls have to be
 * decided; `decided`, that all are, and that nothing has been done since then: the run goes on as soon as it can.
 */
type LoggedState = "opening" | "running" | "waiting" | "decided" | "ended";

/** Event numbers are reserved in blocks before use. After a crash, no number can be given to a second event. */
export const SEQ_BLOCK = 256;

/** A run as the log stores it. */
export interface LoggedRun {
  readonly runIds: RunIds;
  readonly place: TurnPlace;
  readonly state: LoggedState;
  /** The highest reserved number. No sent event has a higher one, because numbers are reserved before use. */
  readonly reserved: number;
  /** The number of the terminal event; null until there is one. */
  readonly lastSeq: number | null;
  /** When its log is removed, or if it waits, when it is given up. In milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** An event with its number. */
export interface NumberedEvent {
  readonly seq: number;
  readonly event: AgentEvent;
}

/** The run of a caller's idempotency key, and the hash of the request. */
export interface KeyUse {
  readonly runId: RunId;
  readonly bodyHash: string;
}

/** How long events and idempotency keys are kept. */
const LOG_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Rows read at once for a follower. Each row holds one or more events. */
const PAGE_ROWS = 50;

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS runs (
     run_id TEXT PRIMARY KEY, seed TEXT NOT NULL, place TEXT NOT NULL, state TEXT NOT NULL,
     reserved INTEGER NOT NULL, last_seq INTEGER, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  // A row holds all events that were logged together.
  `CREATE TABLE IF NOT EXISTS events (
     run_id TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, events TEXT NOT NULL,
     PRIMARY KEY (run_id, first_seq)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS keys (
     key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, run_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  // Ends that the table has not accepted yet.
  "CREATE TABLE IF NOT EXISTS unsaved (run_id TEXT PRIMARY KEY, turn_end TEXT NOT NULL) WITHOUT ROWID",
] as const;

/** Stores the runs of one conversation and their events for a day. */
export class RunLog {
  readonly #storage: SqlStorage;
  #hasTables = false;

  constructor({ storage }: { readonly storage: SqlStorage }) {
    this.#storage = storage;
  }

  /** Must be called before the whole storage is removed, so that the next use creates the tables again. */
  forgetTables(): void {
    this.#hasTables = false;
  }

  /** Records a run that is about to open, and its idempotency key. */
  open(place: TurnPlace, runIds: RunIds, reserved: number, key: IdempotencyKey | null): void {
    const expiresAt = runIds.startedAt + LOG_LIFETIME_MS;
    this.#sql.exec(
      "INSERT INTO runs VALUES (?, ?, ?, 'opening', ?, NULL, ?)",
      runIds.runId,
      JSON.stringify(runIds),
      JSON.stringify(place),
      reserved,
      expiresAt,
    );
    if (key) {
      const row = [key.key, key.bodyHash, runIds.runId, expiresAt] as const;
      this.#sql.exec("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", ...row);
    }
  }

  accept(runId: RunId): void {
    this.#sql.exec("UPDATE runs SET state = 'running' WHERE run_id = ?", runId);
  }

  /** Notes that a run that has waited goes on. From now on, it is recovered like any other if its runner dies. */
  goOn(runId: RunId): void {
    this.#sql.exec("UPDATE runs SET state = 'running' WHERE run_id = ?", runId);
  }

  /** Removes runs with their events and keys: a retry of a run that was refused or never began counts as a new request. */
  drop(...runIds: readonly RunId[]): void {
    const ids = JSON.stringify(runIds);
    for (const table of ["runs", "events", "keys", "unsaved"])
      this.#sql.exec(`DELETE FROM ${table} WHERE run_id IN (SELECT value FROM json_each(?))`, ids);
  }

  reserve(runId: RunId, upTo: number): void {
    this.#sql.exec("UPDATE runs SET reserved = ? WHERE run_id = ?", upTo, runId);
  }

  /** Logs events. Their numbers must be consecutive. */
  append(runId: RunId, events: readonly NumberedEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (!first || !last) return;

    const text = JSON.stringify(events.map(({ event }) => event));
    this.#sql.exec("INSERT INTO events VALUES (?, ?, ?, ?)", runId, first.seq, last.seq, text);
  }

  /**
   * Ends a run. `lastSeq` is the number of its terminal event, which must be in the log. Its events are kept for a day.
   */
  end(runId: RunId, lastSeq: number, now: number): void {
    this.#sql.exec(
      "UPDATE runs SET state = 'ended', last_seq = ?, expires_at = ? WHERE run_id = ?",
      lastSeq,
      now + LOG_LIFETIME_MS,
      runId,
    );
  }

  /** Notes that a run waits, after its event `waiting` was logged. */
  wait(runId: RunId, expiresAt: number): void {
    this.#sql.exec("UPDATE runs SET state = 'waiting', expires_at = ? WHERE run_id = ?", expiresAt, runId);
  }

  /** Logs an event of a run that waits, behind its others. */
  add(runId: RunId, event: AgentEvent): void {
    const seq = this.lastSeqOf(runId) + 1;
    const { reserved = 0 } = this.find(runId) ?? {};
    if (seq > reserved) this.reserve(runId, reserved + SEQ_BLOCK);
    this.append(runId, [{ seq, event }]);
  }

  /** Notes that all calls of a run that waits are decided. */
  decided(runId: RunId): void {
    this.#sql.exec("UPDATE runs SET state = 'decided' WHERE run_id = ?", runId);
  }

  /** Returns the number of the last logged event of a run; 0 if there is none. */
  lastSeqOf(runId: RunId): number {
    const query = "SELECT MAX(last_seq) AS last FROM events WHERE run_id = ?";
    return this.#sql.exec<{ last: number | null }>(query, runId).one().last ?? 0;
  }

  /** Returns all runs. */
  runs(): readonly LoggedRun[] {
    return this.#runs("");
  }

  /** Returns the runs that are running or have ended, newest first. */
  begun(): readonly LoggedRun[] {
    return this.#runs("WHERE state IN ('running', 'ended') ORDER BY run_id DESC");
  }

  /** Returns the runs that wait, or that have waited and not gone on yet. */
  waiting(): readonly LoggedRun[] {
    return this.#runs("WHERE state IN ('waiting', 'decided')");
  }

  find(runId: RunId): LoggedRun | undefined {
    return this.#runs("WHERE run_id = ?", runId)[0];
  }

  /** Returns the run that was to write the answer with this id, whether or not the answer is stored. */
  findByAnswer(answerId: string): LoggedRun | undefined {
    return this.#runs("WHERE json_extract(seed, '$.answerId') = ?", answerId)[0];
  }

  /** Returns the runs that are opening or running. */
  unfinished(): readonly LoggedRun[] {
    return this.#runs("WHERE state IN ('opening', 'running')");
  }

  findKey(key: string, now: number): KeyUse | undefined {
    const query = "SELECT run_id, body_hash FROM keys WHERE key = ? AND expires_at > ?";
    const [row] = this.#sql.exec<{ run_id: string; body_hash: string }>(query, key, now).toArray();
    return row && { runId: runIdOf(row.run_id), bodyHash: row.body_hash };
  }

  /** Whether a run was begun with a key that has not expired. */
  hasKey(runId: RunId, now: number): boolean {
    const query = "SELECT 1 FROM keys WHERE run_id = ? AND expires_at > ?";
    return this.#sql.exec(query, runId, now).toArray().length > 0;
  }

  /** Returns one page of the events after a number, in order. */
  read(runId: RunId, after: number): readonly NumberedEvent[] {
    const rows = this.#sql.exec<{ first_seq: number; events: string }>(
      "SELECT first_seq, events FROM events WHERE run_id = ? AND last_seq > ? ORDER BY first_seq LIMIT ?",
      runId,
      after,
      PAGE_ROWS,
    );

    return [...rows].flatMap((row) => {
      // Written by `append`.
      const events = JSON.parse(row.events) as AgentEvent[];
      return events
        .map((event, index) => ({ seq: row.first_seq + index, event }))
        .filter(({ seq }) => seq > after);
    });
  }

  /** Returns the terminal event of a run, or `undefined` if the run has not ended or is not in the log. */
  endOf(runId: RunId): AgentEvent | undefined {
    const lastSeq = this.find(runId)?.lastSeq;
    return lastSeq ? this.read(runId, lastSeq - 1)[0]?.event : undefined;
  }

  /** Yields all events of a run, in order. */
  *all(runId: RunId): Generator<NumberedEvent, void, void> {
    let after = 0;
    for (let page = this.read(runId, after); page.length > 0; page = this.read(runId, after)) {
      yield* page;
      after = page.at(-1)?.seq ?? after;
    }
  }

  keepUnsaved(end: TurnEnd): void {
    this.#sql.exec("INSERT OR REPLACE INTO unsaved VALUES (?, ?)", end.runIds.runId, JSON.stringify(end));
  }

  /** Returns the ends that the table has not accepted yet. */
  unsaved(): readonly TurnEnd[] {
    // Written by `keepUnsaved`.
    const rows = this.#sql.exec<{ turn_end: string }>("SELECT turn_end FROM unsaved");
    return [...rows].map((row) => turnEndFrom(JSON.parse(row.turn_end) as StoredTurnEnd));
  }

  saved(runId: RunId): void {
    this.#sql.exec("DELETE FROM unsaved WHERE run_id = ?", runId);
  }

  /**
   * Removes expired runs and keys. Returns when the next one expires (milliseconds since the epoch), or `undefined` if
   * none is left.
   */
  prune(now: number): number | undefined {
    for (const { runIds } of this.#runs("WHERE state = 'ended' AND expires_at <= ?", now)) {
      this.#sql.exec("DELETE FROM events WHERE run_id = ?", runIds.runId);
      this.#sql.exec("DELETE FROM runs WHERE run_id = ?", runIds.runId);
    }
    this.#sql.exec("DELETE FROM keys WHERE expires_at <= ?", now);

    const query =
      "SELECT MIN(expires_at) AS next FROM (SELECT expires_at FROM runs UNION ALL SELECT expires_at FROM keys)";
    return this.#sql.exec<{ next: number | null }>(query).one().next ?? undefined;
  }

  /** Creates the tables at first use. */
  get #sql(): SqlStorage {
    if (!this.#hasTables) for (const statement of SCHEMA) this.#storage.exec(statement);
    this.#hasTables = true;
    return this.#storage;
  }

  #runs(where: string, ...bindings: readonly (string | number)[]): readonly LoggedRun[] {
    return [...this.#sql.exec<RunRow>(`SELECT * FROM runs ${where}`, ...bindings)].map((row) => ({
      // Written by `open`.
      runIds: JSON.parse(row.seed) as RunIds,
      place: placeFrom(JSON.parse(row.place) as StoredPlace),
      state: row.state,
      reserved: row.reserved,
      lastSeq: row.last_seq,
      expiresAt: row.expires_at,
    }));
  }
}

/** A row of `runs`. A type alias, because rows need an implicit index signature. */
type RunRow = {
  readonly seed: string;
  readonly place: string;
  readonly state: LoggedState;
  readonly reserved: number;
  readonly last_seq: number | null;
  readonly expires_at: number;
};

/** A stored place. Logs of versions before 0.2 name the account `owner`. Logs are kept for a day. */
type StoredPlace = Omit<TurnPlace, "accountEmail"> &
  ({ readonly accountEmail: AccountEmail } | { readonly owner: AccountEmail });

/** A stored end that is waiting to be saved. Versions before 0.2 named the run ids `seed`. */
type StoredTurnEnd = Omit<TurnEnd, "place" | "runIds"> & { readonly place: StoredPlace } & (
    | { readonly runIds: RunIds }
    | { readonly seed: RunIds }
  );

function placeFrom(stored: StoredPlace): TurnPlace {
  if ("accountEmail" in stored) return stored;
  const { owner: accountEmail, ...place } = stored;
  return { ...place, accountEmail };
}

function turnEndFrom(stored: StoredTurnEnd): TurnEnd {
  const place = placeFrom(stored.place);
  if ("runIds" in stored) return { ...stored, place };
  const { seed, ...end } = stored;
  return { ...end, runIds: seed, place };
}
