import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { untilPhase } from "../accounts/deletions.ts";
import { itemsAbout } from "../accounts/plant.ts";
import { type Client, signUp, table } from "../support/app.ts";
import { createWebhook, senderOf, startReceiver, untilDelivery } from "../support/webhooks.ts";

/** What the sender of an account keeps. */
const keptBy = (client: Client) =>
  runInDurableObject(senderOf(client), async (_sender, { storage }) => ({
    tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
    values: [...(await storage.list()).keys()],
    alarm: await storage.getAlarm(),
  }));

const NOTHING = { tables: [], values: [], alarm: null };

it("deletes endpoints, recorded events and the log with the account", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const { path } = await createWebhook(client, receiver);
  const { body } = await client("POST", `${path}/test`);
  await untilDelivery(client, path, body.event_id, "delivered");
  expect(await keptBy(client)).not.toEqual(NOTHING);

  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  expect(await keptBy(client)).toEqual(NOTHING);
  expect(await itemsAbout(client.email)).toEqual([]);
});

it("keeps nothing if a late event wakes the sender of a deleted account", async () => {
  const client = await signUp();

  await senderOf(client).wake(client.email);

  await expect.poll(() => keptBy(client)).toEqual(NOTHING);
});

it("exports endpoints without their secrets", async () => {
  const client = await signUp();
  const { id, secret } = await createWebhook(client, await startReceiver(), ["run.failed"]);

  const { body } = await client("GET", "/users/me/export");

  const lines = String(body)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const webhook = lines.find(({ type }) => type === "webhook");
  expect(webhook).toMatchObject({ webhook_id: id, events: ["run.failed"], enabled: true });
  expect(webhook).not.toHaveProperty("signing_secrets");
  const [sealed] = ((await table.get({ pk: `User#${client.email}`, sk: `WebhookEndpoint#${id}` }))?.[
    "signing_secrets"
  ] ?? []) as { sealed: string }[];
  expect(body).not.toContain(secret);
  expect(sealed?.sealed).toMatch(/^v1\./u);
  expect(body).not.toContain(sealed?.sealed);
});
