import { DAY_MS } from "../shared/clock.ts";
import type { AttemptResult } from "./attempt.ts";
import { bodyOf, type WebhookEvent } from "./event-model.ts";

/** `pending` means that an attempt is due or planned. A failed delivery is not tried again unless somebody asks for it. */
type DeliveryState = "pending" | "delivered" | "failed";

/** An event on its way to one endpoint. */
export interface Delivery {
  /** Its position in the log. Later deliveries have higher ones. */
  readonly seq: number;
  readonly eventId: string;
  readonly endpointId: string;
  readonly type: string;
  readonly state: DeliveryState;
  /** All attempts that were made. */
  readonly attempts: number;
  /** Attempts since it was last queued. The wait until the next one depends on them. */
  readonly tries: number;
  /** When the next attempt is due, in milliseconds since the epoch; null if none is planned. */
  readonly nextAt: number | null;
  /** When it was queued first, in milliseconds since the epoch. */
  readonly queuedAt: number;
  /** Why it has failed; null if it has not. */
  readonly error: string | null;
}

/** An attempt that was made. */
interface Attempt {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly status: number | null;
  readonly durationMs: number;
  readonly error: string | null;
}

/** A delivery with its body and its attempts, oldest first. */
export interface DeliveryDetails extends Delivery {
  readonly body: string;
  readonly log: readonly Attempt[];
}

/** What a delivery that was due has come to. */
export interface Outcome {
  readonly at: number;
  readonly result: AttemptResult;
  /** When the next attempt is due, in milliseconds since the epoch; undefined if there is none. */
  readonly nextAt: number | undefined;
}

/** Deliveries that have ended are kept this long, in milliseconds. */
const KEPT_MS = 14 * DAY_MS;
/** The most deliveries of an account that have ended and are kept. */
const MAX_ENDED = 10_000;
/** The most deliveries to one endpoint that wait. An account could otherwise fill its object's storage. */
const MAX_PENDING = 10_000;
/** Rows that one call of `prune` removes at most. The next call removes more. */
const PRUNED_AT_ONCE = 500;
/** A receiver that is down is tried for a day. Somebody who asks for redelivery again and again must not fill the log. */
const MAX_LOGGED_ATTEMPTS = 50;

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, type TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER, queued_at INTEGER NOT NULL, error TEXT,
    UNIQUE (event_id, endpoint_id))`,
  "CREATE INDEX IF NOT EXISTS due ON deliveries (endpoint_id, next_at) WHERE state = 'pending'",
  "CREATE INDEX IF NOT EXISTS listed ON deliveries (endpoint_id, seq)",
  `CREATE TABLE IF NOT EXISTS attempts (
    event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER,
    duration_ms INTEGER NOT NULL, error TEXT, PRIMARY KEY (event_id, endpoint_id, number)) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS endpoints (endpoint_id TEXT PRIMARY KEY, failing_since INTEGER) WITHOUT ROWID",
] as const;

const COLUMNS =
  "seq, event_id, endpoint_id, type, state, attempts, tries, next_at, queued_at, error FROM deliveries JOIN events USING (event_id)";

interface DeliveryRow extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly event_id: string;
  readonly endpoint_id: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly tries: number;
  readonly next_at: number | null;
  readonly queued_at: number;
  readonly error: string | null;
}

/** The storage that the log needs. */
type LogStorage = Pick<DurableObjectStorage, "sql" | "transactionSync">;

/** Stores an account's deliveries: those that are due or planned, and for a while those that have ended. */
export class DeliveryLog {
  readonly #storage: LogStorage;
  #hasTables = false;

  constructor(storage: LogStorage) {
    this.#storage = storage;
  }

  /** Must be called before the whole storage is removed, so that the next use creates the tables again. */
  forgetTables(): void {
    this.#hasTables = false;
  }

  /**
   * Queues an event for endpoints. Does nothing for those that it was queued for before. For the `full` ones it is recorded as
   * failed.
   */
  queue(
    event: WebhookEvent,
    endpointIds: readonly string[],
    nowMs: number,
    full: ReadonlySet<string> = new Set(),
  ): void {
    if (endpointIds.length === 0) return;
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", event.id, event.type, bodyOf(event));
      for (const endpointId of endpointIds) {
        const isFull = full.has(endpointId);
        this.#sql.exec("INSERT OR IGNORE INTO endpoints VALUES (?, NULL)", endpointId);
        this.#sql.exec(
          "INSERT OR IGNORE INTO deliveries (event_id, endpoint_id, state, attempts, tries, next_at, queued_at, error) VALUES (?, ?, ?, 0, 0, ?, ?, ?)",
          event.id,
          endpointId,
          isFull ? "failed" : "pending",
          isFull ? null : nowMs,
          nowMs,
          isFull ? "Too many deliveries were waiting for this endpoint." : null,
        );
      }
    });
  }

  /** Returns whether so many deliveries to an endpoint wait that no more are queued. */
  isFull(endpointId: string): boolean {
    const query = "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND state = 'pending' LIMIT 1 OFFSET ?";
    return this.#sql.exec(query, endpointId, MAX_PENDING - 1).toArray().length > 0;
  }

  /** Makes the next attempt of a delivery due at once, with all retries ahead of it. Returns false if there is no such delivery. */
  requeue(endpointId: string, eventId: string, nowMs: number): boolean {
    const query =
      "UPDATE deliveries SET state = 'pending', tries = 0, next_at = ?, error = NULL WHERE endpoint_id = ? AND event_id = ?";
    return this.#sql.exec(query, nowMs, endpointId, eventId).rowsWritten > 0;
  }

  /** Returns the deliveries to an endpoint that are due at `nowMs`, the longest due first. */
  due(endpointId: string, nowMs: number, limit: number): readonly DeliveryDetails[] {
    const query = `SELECT body, ${COLUMNS} WHERE endpoint_id = ? AND state = 'pending' AND next_at <= ? ORDER BY next_at, seq LIMIT ?`;
    const rows = this.#sql.exec<DeliveryRow & { body: string }>(query, endpointId, nowMs, limit).toArray();
    return rows.map((row) => ({ ...deliveryFrom(row), body: row.body, log: [] }));
  }

  /** Returns when the next attempt is due, in milliseconds since the epoch, or `undefined` if none is planned. */
  nextDue(): number | undefined {
    const query =
      "SELECT MIN((SELECT MIN(next_at) FROM deliveries AS d WHERE d.endpoint_id = e.endpoint_id AND state = 'pending')) AS at FROM endpoints AS e";
    return this.#sql.exec<{ at: number | null }>(query).one().at ?? undefined;
  }

  /**
   * Records an attempt, and that its delivery has succeeded, has failed or is tried again. A delivery that was requeued during the
   * attempt stays due.
   */
  record({ endpointId, eventId, nextAt: dueAt }: Delivery, { at, result, nextAt }: Outcome): void {
    const { isDelivered, status, durationMs, error } = result;
    const state: DeliveryState = isDelivered ? "delivered" : nextAt === undefined ? "failed" : "pending";
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        "UPDATE deliveries SET attempts = attempts + 1 WHERE endpoint_id = ? AND event_id = ?",
        endpointId,
        eventId,
      );
      this.#sql.exec(
        "UPDATE deliveries SET state = ?, tries = tries + 1, next_at = ?, error = ? WHERE endpoint_id = ? AND event_id = ? AND next_at IS ?",
        state,
        nextAt ?? null,
        error,
        endpointId,
        eventId,
        dueAt,
      );
      this.#sql.exec(
        "INSERT OR REPLACE INTO attempts SELECT event_id, endpoint_id, attempts, ?, ?, ?, ? FROM deliveries WHERE endpoint_id = ? AND event_id = ?",
        at,
        status,
        durationMs,
        error,
        endpointId,
        eventId,
      );
      this.#sql.exec(
        "DELETE FROM attempts WHERE endpoint_id = ? AND event_id = ? AND number <= (SELECT MAX(number) FROM attempts WHERE endpoint_id = ? AND event_id = ?) - ?",
        endpointId,
        eventId,
        endpointId,
        eventId,
        MAX_LOGGED_ATTEMPTS,
      );
      const since = isDelivered ? "NULL" : "COALESCE(failing_since, ?)";
      const values = isDelivered ? [endpointId] : [at, endpointId];
      this.#sql.exec(`UPDATE endpoints SET failing_since = ${since} WHERE endpoint_id = ?`, ...values);
    });
  }

  /** Returns since when nothing was delivered to an endpoint, in milliseconds since the epoch; `undefined` if its last attempt succeeded. */
  failingSince(endpointId: string): number | undefined {
    const query = "SELECT failing_since AS since FROM endpoints WHERE endpoint_id = ?";
    return this.#sql.exec<{ since: number | null }>(query, endpointId).toArray()[0]?.since ?? undefined;
  }

  /** Ends all deliveries to an endpoint that wait, because it is disabled, and forgets how long it has been failing. */
  giveUp(endpointId: string, error: string): void {
    const query =
      "UPDATE deliveries SET state = 'failed', next_at = NULL, error = ? WHERE endpoint_id = ? AND state = 'pending'";
    this.#sql.exec(query, error, endpointId);
    this.#sql.exec("UPDATE endpoints SET failing_since = NULL WHERE endpoint_id = ?", endpointId);
  }

  /** Returns the endpoints that have deliveries. */
  endpointIds(): readonly string[] {
    const query = "SELECT endpoint_id FROM endpoints";
    return this.#sql
      .exec<{ endpoint_id: string }>(query)
      .toArray()
      .map((row) => row.endpoint_id);
  }

  /** Removes everything about an endpoint that was deleted. */
  forget(endpointId: string): void {
    this.#storage.transactionSync(() => {
      for (const table of ["deliveries", "attempts", "endpoints"])
        this.#sql.exec(`DELETE FROM ${table} WHERE endpoint_id = ?`, endpointId);
      this.#removeLooseEvents();
    });
  }

  /** Returns a page of an endpoint's deliveries, newest first, before the position `before`. */
  list(endpointId: string, limit: number, before: number | undefined): readonly Delivery[] {
    const query = `SELECT ${COLUMNS} WHERE endpoint_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`;
    const rows = this.#sql.exec<DeliveryRow>(query, endpointId, before ?? Number.MAX_SAFE_INTEGER, limit);
    return rows.toArray().map(deliveryFrom);
  }

  /** Returns a delivery with its attempts, or `undefined` if there is none. */
  find(endpointId: string, eventId: string): DeliveryDetails | undefined {
    const query = `SELECT body, ${COLUMNS} WHERE endpoint_id = ? AND event_id = ?`;
    const [row] = this.#sql.exec<DeliveryRow & { body: string }>(query, endpointId, eventId).toArray();
    if (!row) return undefined;

    const attempts = this.#sql.exec<{
      number: number;
      at: number;
      status: number | null;
      duration_ms: number;
      error: string | null;
    }>(
      "SELECT number, at, status, duration_ms, error FROM attempts WHERE endpoint_id = ? AND event_id = ? ORDER BY number",
      endpointId,
      eventId,
    );
    const log = attempts.toArray().map(({ duration_ms: durationMs, ...rest }) => ({ ...rest, durationMs }));
    return { ...deliveryFrom(row), body: row.body, log };
  }

  /** Removes old deliveries that have ended, a bounded number in one call. Returns whether there may be more. */
  prune(nowMs: number): boolean {
    return this.#storage.transactionSync(() => {
      const ended = "SELECT seq FROM deliveries WHERE state <> 'pending' ORDER BY seq";
      const removed = `DELETE FROM deliveries WHERE seq IN (${ended} LIMIT ?) AND (queued_at < ? OR seq <= ?) RETURNING event_id, endpoint_id`;
      const kept = this.#sql
        .exec<{ seq: number }>(`${ended} DESC LIMIT 1 OFFSET ?`, MAX_ENDED)
        .toArray()[0]?.seq;
      const rows = this.#sql
        .exec<{ event_id: string; endpoint_id: string }>(removed, PRUNED_AT_ONCE, nowMs - KEPT_MS, kept ?? 0)
        .toArray();
      for (const { event_id, endpoint_id } of rows)
        this.#sql.exec("DELETE FROM attempts WHERE event_id = ? AND endpoint_id = ?", event_id, endpoint_id);
      if (rows.length > 0) this.#removeLooseEvents();
      return rows.length === PRUNED_AT_ONCE;
    });
  }

  /** Returns when the oldest delivery that has ended may be removed, in milliseconds since the epoch; `undefined` without one. */
  nextExpiry(): number | undefined {
    const query = "SELECT queued_at AS at FROM deliveries WHERE state <> 'pending' ORDER BY seq LIMIT 1";
    const [oldest] = this.#sql.exec<{ at: number }>(query).toArray();
    return oldest && oldest.at + KEPT_MS;
  }

  #removeLooseEvents(): void {
    this.#sql.exec("DELETE FROM events WHERE event_id NOT IN (SELECT event_id FROM deliveries)");
  }

  /** Creates the tables at first use. */
  get #sql(): SqlStorage {
    if (!this.#hasTables) for (const statement of SCHEMA) this.#storage.sql.exec(statement);
    this.#hasTables = true;
    return this.#storage.sql;
  }
}

const deliveryFrom = (row: DeliveryRow): Delivery => ({
  seq: row.seq,
  eventId: row.event_id,
  endpointId: row.endpoint_id,
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  tries: row.tries,
  nextAt: row.next_at,
  queuedAt: row.queued_at,
  error: row.error,
});
