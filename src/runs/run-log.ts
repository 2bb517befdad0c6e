import type { AgentEvent } from "./events.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnEnd } from "./turn-repository.ts";

/** The states of a run in the log. `opening` is before it is known to be accepted. */
type LoggedState = "opening" | "running" | "ended";

/** A run as its log knows it. */
export interface LoggedRun {
  readonly seed: RunSeed;
  readonly place: TurnPlace;
  readonly state: LoggedState;
  /** No event has been sent with a higher number than this: numbers are reserved in blocks before they are used. */
  readonly reserved: number;
  /** The number of the terminal event; nothing while there is none. */
  readonly lastSeq: number | null;
}

/** An event with its number. */
export interface NumberedEvent {
  readonly seq: number;
  readonly event: AgentEvent;
}

/** What a caller's idempotency key stands for. */
export interface KeyUse {
  readonly runId: string;
  readonly bodyHash: string;
}

/** How long a run's events and a caller's keys are kept. */
const LOG_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Events read at once for a follower that is behind. */
const PAGE_ROWS = 50;

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS runs (
     run_id TEXT PRIMARY KEY, seed TEXT NOT NULL, place TEXT NOT NULL, state TEXT NOT NULL,
     reserved INTEGER NOT NULL, last_seq INTEGER, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  // One row holds as many events as were at hand when it was written.
  `CREATE TABLE IF NOT EXISTS events (
     run_id TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, events TEXT NOT NULL,
     PRIMARY KEY (run_id, first_seq)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS keys (
     key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, run_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  // Ends that the table has not taken yet.
  "CREATE TABLE IF NOT EXISTS unsaved (run_id TEXT PRIMARY KEY, turn_end TEXT NOT NULL) WITHOUT ROWID",
] as const;

/** The runs of one conversation and their events, for a day. */
export class RunLog {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** Records a run that is about to open, with the key it was asked for under. */
  open(
    place: TurnPlace,
    seed: RunSeed,
    reserved: number,
    key: { readonly key: string; readonly bodyHash: string } | null,
  ): void {
    const expiresAt = seed.startedAt + LOG_LIFETIME_MS;
    this.#sql.exec(
      "INSERT INTO runs VALUES (?, ?, ?, 'opening', ?, NULL, ?)",
      seed.runId,
      JSON.stringify(seed),
      JSON.stringify(place),
      reserved,
      expiresAt,
    );
    if (key) {
      const row = [key.key, key.bodyHash, seed.runId, expiresAt] as const;
      this.#sql.exec("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", ...row);
    }
  }

  accept(runId: string): void {
    this.#sql.exec("UPDATE runs SET state = 'running' WHERE run_id = ?", runId);
  }

  /** Forgets a run that was refused or never began, with its key: another try is a new one. */
  drop(runId: string): void {
    for (const table of ["runs", "events", "keys", "unsaved"])
      this.#sql.exec(`DELETE FROM ${table} WHERE run_id = ?`, runId);
  }

  reserve(runId: string, upTo: number): void {
    this.#sql.exec("UPDATE runs SET reserved = ? WHERE run_id = ?", upTo, runId);
  }

  /** Logs events, which follow each other without a gap. */
  append(runId: string, events: readonly NumberedEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (!first || !last) return;

    const text = JSON.stringify(events.map(({ event }) => event));
    this.#sql.exec("INSERT INTO events VALUES (?, ?, ?, ?)", runId, first.seq, last.seq, text);
  }

  /** Ends a run: `lastSeq` is the number of its terminal event, which stands in the log. Its events stay for a day. */
  end(runId: string, lastSeq: number, now: number): void {
    this.#sql.exec(
      "UPDATE runs SET state = 'ended', last_seq = ?, expires_at = ? WHERE run_id = ?",
      lastSeq,
      now + LOG_LIFETIME_MS,
      runId,
    );
  }

  find(runId: string): LoggedRun | undefined {
    return this.#runs("WHERE run_id = ?", runId)[0];
  }

  /** Runs that have not ended. */
  unfinished(): readonly LoggedRun[] {
    return this.#runs("WHERE state <> 'ended'");
  }

  findKey(key: string, now: number): KeyUse | undefined {
    const query = "SELECT run_id, body_hash FROM keys WHERE key = ? AND expires_at > ?";
    const [row] = this.#sql.exec<{ run_id: string; body_hash: string }>(query, key, now).toArray();
    return row && { runId: row.run_id, bodyHash: row.body_hash };
  }

  /** Events behind a number, in order; as many as one page holds. */
  read(runId: string, after: number): readonly NumberedEvent[] {
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

  /** All events of a run. */
  *all(runId: string): Generator<NumberedEvent, void, void> {
    let after = 0;
    for (let page = this.read(runId, after); page.length > 0; page = this.read(runId, after)) {
      yield* page;
      after = page.at(-1)?.seq ?? after;
    }
  }

  keepUnsaved(end: TurnEnd): void {
    this.#sql.exec("INSERT OR REPLACE INTO unsaved VALUES (?, ?)", end.seed.runId, JSON.stringify(end));
  }

  /** Ends that the table has not taken yet. */
  unsaved(): readonly TurnEnd[] {
    // Written by `keepUnsaved`.
    const rows = this.#sql.exec<{ turn_end: string }>("SELECT turn_end FROM unsaved");
    return [...rows].map((row) => JSON.parse(row.turn_end) as TurnEnd);
  }

  saved(runId: string): void {
    this.#sql.exec("DELETE FROM unsaved WHERE run_id = ?", runId);
  }

  /** Removes what has outlived its day. Gives when the next of what is left does, or nothing where nothing is left. */
  prune(now: number): number | undefined {
    for (const { seed } of this.#runs("WHERE state = 'ended' AND expires_at <= ?", now)) {
      this.#sql.exec("DELETE FROM events WHERE run_id = ?", seed.runId);
      this.#sql.exec("DELETE FROM runs WHERE run_id = ?", seed.runId);
    }
    this.#sql.exec("DELETE FROM keys WHERE expires_at <= ?", now);

    const query =
      "SELECT MIN(expires_at) AS next FROM (SELECT expires_at FROM runs UNION ALL SELECT expires_at FROM keys)";
    return this.#sql.exec<{ next: number | null }>(query).one().next ?? undefined;
  }

  #runs(where: string, ...bindings: readonly (string | number)[]): readonly LoggedRun[] {
    return [...this.#sql.exec<RunRow>(`SELECT * FROM runs ${where}`, ...bindings)].map((row) => ({
      // Written by `open`.
      seed: JSON.parse(row.seed) as RunSeed,
      place: JSON.parse(row.place) as TurnPlace,
      state: row.state,
      reserved: row.reserved,
      lastSeq: row.last_seq,
    }));
  }
}

/** A row of `runs`. A type, because SQL's rows have an index. */
type RunRow = {
  readonly seed: string;
  readonly place: string;
  readonly state: LoggedState;
  readonly reserved: number;
  readonly last_seq: number | null;
};
