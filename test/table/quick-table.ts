import { env } from "cloudflare:workers";
import { TableClient } from "../../src/table/client.ts";
import { createTransport } from "../../src/table/transport.ts";

const send = createTransport({
  endpoint: env.DYNAMODB_ENDPOINT,
  region: env.AWS_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
  sleep: async () => {},
});

/** The table of the tests with a time of its own; it does not wait between attempts. */
export const tableAt = (now: () => number): TableClient =>
  new TableClient({ send, table: env.DYNAMODB_TABLE, now, sleep: async () => {} });

export const quickTable = tableAt(Date.now);

/** A key in a partition that no other test has. */
export const freshKey = (sk = "item") => ({ pk: crypto.randomUUID(), sk });

/** Returns what a promise was rejected with. Fails if it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("The promise was not rejected.");
}
