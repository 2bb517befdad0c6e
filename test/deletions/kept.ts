import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Client } from "../support/app.ts";

/** The object that continues the deletions of an account. */
export const deletionRunnerOf = ({ email }: Client) => env.DELETION_RUNNER.getByName(email);

/** The deletions that this object has not finished, in the order in which they are due. Without any, it has no table. */
export const keptFor = (client: Client) =>
  runInDurableObject(deletionRunnerOf(client), (_runner, { storage: { sql } }) => {
    const [table] = sql.exec("SELECT name FROM sqlite_master WHERE name = 'deletions'").toArray();
    return table ? sql.exec("SELECT * FROM deletions ORDER BY due_at").toArray() : [];
  });

/** What this object stores: its tables and when it is woken. */
export const storedBy = (client: Client) =>
  runInDurableObject(deletionRunnerOf(client), async (_runner, { storage }) => ({
    tables: storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'")
      .toArray()
      .map(({ name }) => name),
    alarm: await storage.getAlarm(),
  }));
