import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Client } from "../support/app.ts";

/** The object that continues the deletions of an account. */
export const deletionRunnerOf = ({ email }: Client) => env.DELETION_RUNNER.getByName(email);

/** The deletions that this object has not finished. Without any, it has no table. */
export const keptFor = (client: Client) =>
  runInDurableObject(deletionRunnerOf(client), (_runner, { storage: { sql } }) => {
    const [table] = sql.exec("SELECT name FROM sqlite_master WHERE name = 'deletions'").toArray();
    return table ? sql.exec("SELECT * FROM deletions").toArray() : [];
  });
