import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { type Client, table } from "./app.ts";
import { startSite, type TestSite } from "./site.ts";
import type { SitePage, SiteRequest } from "./site-protocol.ts";

/** The path at which receivers of tests listen. */
const PATH = "/hook";

/** A server that webhooks are delivered to. */
export interface Receiver extends TestSite {
  /** The address to enter. */
  readonly hook: string;
  /** What was delivered so far. */
  readonly received: () => Promise<readonly Received[]>;
  /** Waits until it got this many requests, and returns them. */
  readonly until: (count: number) => Promise<readonly Received[]>;
}

/** A request that a receiver got. */
export interface Received {
  readonly request: SiteRequest;
  readonly id: string;
  readonly event: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** Starts a receiver that gives these answers in turn, the last one again and again; 204 by default. */
export async function startReceiver(...answers: readonly SitePage[]): Promise<Receiver> {
  const site = await startSite({ [PATH]: answers.length > 0 ? answers : [{ status: 204 }] });
  const received = async () => (await site.log()).requests.map(parse);
  const until = async (count: number) => {
    await expect.poll(async () => (await received()).length).toBeGreaterThanOrEqual(count);
    return received();
  };
  return { ...site, hook: `${site.url}${PATH}`, received, until };
}

const parse = (request: SiteRequest): Received => ({
  request,
  id: request.headers["webhook-id"] ?? "",
  // Bodies of webhooks have this shape. A test fails at the first member that is missing.
  event: JSON.parse(request.body) as Received["event"],
});

/** The type and data of what a receiver got, in the order in which it happened: several are delivered at the same time. */
export const eventsAt = async (receiver: Receiver, count: number) =>
  (await receiver.until(count))
    .map(({ event }) => event)
    .toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    .map(({ type, data }) => ({ type, data }));

/** What is recorded for an account and not fetched yet. */
export const outboxOf = ({ email }: Pick<Client, "email">) =>
  table.query(`User#${email}`, { range: { beginsWith: "WebhookOutbox#" } });

/** Creates an endpoint for a receiver and returns it with its secret. */
export async function createWebhook(
  client: Client,
  { hook }: Pick<Receiver, "hook">,
  events: readonly string[] = ["run.completed"],
) {
  const { status, body } = await client("POST", "/webhooks", { url: hook, events });
  if (status !== 201) throw new Error(`Creating a webhook failed: ${JSON.stringify(body)}`);
  return { id: String(body.webhook_id), secret: String(body.secret), path: `/webhooks/${body.webhook_id}` };
}

/** The object that delivers the webhooks of a client's account. */
export const senderOf = ({ email }: Pick<Client, "email">) => env.WEBHOOK_SENDER.getByName(email);

/** Lets all planned attempts become due, as if the time had passed, and makes them. */
export async function passTime(client: Client): Promise<void> {
  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec("UPDATE deliveries SET next_at = 0 WHERE state = 'pending'");
  });
  await ringSender(client);
}

/** Lets the alarm of an account's sender ring now, and waits until its work is done. */
export const ringSender = (client: Client): Promise<boolean> => runDurableObjectAlarm(senderOf(client));

/** Waits until a delivery has this status, and returns it. */
export async function untilDelivery(client: Client, path: string, eventId: string, status: string) {
  const delivery = async () => (await client("GET", `${path}/deliveries/${eventId}`)).body;
  await expect.poll(async () => (await delivery()).status).toBe(status);
  return delivery();
}
