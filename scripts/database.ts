import { join } from "node:path";

import type { Variables } from "./dev-variables.ts";
import { startEmbeddedDynamoDb } from "./embedded-dynamodb.ts";
import type { Watched } from "./instance.ts";
import { ensureTable, tableTargetFrom } from "./table.ts";

/** The embedded database as a part of a running service. */
export interface EmbeddedDatabase extends Watched {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly pid: number | undefined;
}

/** Starts the embedded database with its data in a folder. `running` ends it. */
export async function startDatabase(
  dataFolder: string,
  running: AsyncDisposableStack,
): Promise<EmbeddedDatabase> {
  const database = await startEmbeddedDynamoDb({ databaseFile: join(dataFolder, "dynamodb.sqlite") });
  running.defer(database.stop);
  const { endpoint, pid, exited } = database;
  return { name: "The embedded DynamoDB", endpoint, pid, exited };
}

/** Creates the table at an endpoint unless it is there, and returns the variables that lead the Worker to it. */
export async function prepareTable(endpoint: string, given: Variables): Promise<Variables> {
  const target = tableTargetFrom({ ...withCredentials(endpoint, given), DYNAMODB_ENDPOINT: endpoint });
  await ensureTable(target);
  return {
    DYNAMODB_ENDPOINT: endpoint,
    DYNAMODB_TABLE: target.table,
    AWS_REGION: target.region,
    AWS_ACCESS_KEY_ID: target.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.credentials.secretAccessKey,
  };
}

/**
 * Returns the variables with credentials for the database. A database that is not AWS's requires credentials but accepts any.
 * AWS is never called with placeholders. Throws if the endpoint is not a URL.
 */
export function withCredentials(endpoint: string, given: Variables): Variables {
  const hasOwn = given["AWS_ACCESS_KEY_ID"] !== undefined && given["AWS_SECRET_ACCESS_KEY"] !== undefined;
  if (isAws(endpoint) || hasOwn) return given;
  return { ...given, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
}

/** Returns whether an endpoint is one of AWS's. Throws if it is not a URL. */
export function isAws(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) throw new Error(`DYNAMODB_ENDPOINT has to be a URL, not "${endpoint}".`);
  return /\.amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
}
