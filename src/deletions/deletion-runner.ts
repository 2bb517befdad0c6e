import { DurableObject } from "cloudflare:workers";
import { portsFrom } from "../deps/ports.ts";
import { createDeps } from "../deps/request.ts";
import { type Reply, replying } from "../shared/durable-reply.ts";
import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import type { PartialDeletion } from "./model.ts";

/** The wait before a failed part is tried again, in milliseconds. It doubles with each failure, up to the second. */
const RETRY_MS = 10_000;
const MAX_RETRY_MS = 60 * 60_000;

type Row = Readonly<{
  deletion: string;
  account_email: string;
  failures: number;
  /** How often the deletion was asked for. */
  requests: number;
}>;

/**
 * The Durable Object that continues the deletions of one account that their requests have not finished: one part of one of them per
 * alarm, in turn. It keeps each until nothing is left, whatever fails meanwhile. Without any, it stores nothing and sets no alarm.
 */
export class DeletionRunner extends DurableObject<Env> {
  /** Continues a deletion in `delayMs` milliseconds, or before, and then until nothing is left. Idempotent. */
  keep(accountEmail: AccountEmail, deletion: PartialDeletion, delayMs: number): Promise<Reply<null>> {
    return replying(async () => {
      this.#createTable();
      this.ctx.storage.sql.exec(
        `INSERT INTO deletions (deletion, account_email, due_at, failures, requests) VALUES (?, ?, ?, 0, 1)
         ON CONFLICT (deletion) DO UPDATE SET
           due_at = MIN(due_at, excluded.due_at), failures = 0, requests = requests + 1`,
        JSON.stringify(deletion),
        accountEmail,
        Date.now() + delayMs,
      );
      await this.#setAlarm();
      return null;
    });
  }

  override async alarm(): Promise<void> {
    this.#createTable();
    const [next] = this.ctx.storage.sql
      .exec<Row>("SELECT deletion, account_email, failures, requests FROM deletions ORDER BY due_at LIMIT 1")
      .toArray();
    if (next) {
      // Before the part: if it crashes the object, the other deletions come first, and there is an alarm even if this one is given up.
      this.#postpone(next);
      await this.#setAlarm();
      await this.#continue(next);
    }
    await this.#setAlarm();
  }

  async #continue({ deletion, account_email, requests }: Row): Promise<void> {
    const { sql } = this.ctx.storage;
    try {
      const { partialDeletionService } = createDeps(await portsFrom(this.env), (work) =>
        this.ctx.waitUntil(work),
      );
      // Written by `keep`.
      const target = JSON.parse(deletion) as PartialDeletion;
      const isDone = await partialDeletionService.continue(accountEmailOf(account_email), target);
      // Asked for meanwhile: what has the id now may have been created since this part has ended.
      if (isDone) sql.exec("DELETE FROM deletions WHERE deletion = ? AND requests = ?", deletion, requests);
      // The other deletions come first.
      else sql.exec("UPDATE deletions SET due_at = ?, failures = 0 WHERE deletion = ?", Date.now(), deletion);
    } catch (error) {
      console.warn({ message: "A part of a deletion failed and will be retried.", error: String(error) });
    }
  }

  /** Sets when a deletion is tried again if its next part fails. */
  #postpone({ deletion, failures }: Row): void {
    this.ctx.storage.sql.exec(
      "UPDATE deletions SET due_at = ?, failures = failures + 1 WHERE deletion = ?",
      Date.now() + Math.min(RETRY_MS * 2 ** failures, MAX_RETRY_MS),
      deletion,
    );
  }

  /** Sets the alarm for the deletion that is due first. Without any, the object stores nothing. */
  async #setAlarm(): Promise<void> {
    const { sql } = this.ctx.storage;
    const { due } = sql.exec<{ due: number | null }>("SELECT MIN(due_at) AS due FROM deletions").one();
    // At once after the look, so that no deletion is added in between. Also deletes the alarm.
    await (due === null ? this.ctx.storage.deleteAll() : this.ctx.storage.setAlarm(due));
  }

  #createTable(): void {
    this.ctx.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS deletions (
         deletion TEXT PRIMARY KEY, account_email TEXT NOT NULL, due_at INTEGER NOT NULL,
         failures INTEGER NOT NULL, requests INTEGER NOT NULL
       )`,
    );
  }
}
