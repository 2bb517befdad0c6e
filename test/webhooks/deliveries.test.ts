import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { type Client, signUp, table } from "../support/app.ts";
import {
  createWebhook,
  passTime,
  type Received,
  ringSender,
  senderOf,
  startReceiver,
  untilDelivery,
} from "../support/webhooks.ts";

/** Verifies a request with the reference library of Standard Webhooks. Throws if it is not signed with this secret. */
const verify = ({ request }: Received, secret: string) =>
  new Webhook(secret).verify(request.body, { ...request.headers });

const test = async (client: Client, path: string): Promise<string> =>
  String((await client("POST", `${path}/test`)).body.event_id);

it("delivers a test event that the reference library accepts, and logs it", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const { id, path, secret } = await createWebhook(client, receiver);

  const sent = await client("POST", `${path}/test`);
  expect(sent.status).toBe(202);
  const eventId = String(sent.body.event_id);
  const [first, ...more] = await receiver.until(1);
  const delivery = await untilDelivery(client, path, eventId, "delivered");

  expect(more).toEqual([]);
  expect(first?.id).toBe(eventId);
  expect(first?.event).toEqual({
    type: "webhook.test",
    timestamp: expect.any(String),
    data: { webhook_id: id },
  });
  expect(first?.request.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "DynamicAgentBuilder-Webhooks/1.0",
  });
  if (first) {
    expect(verify(first, secret)).toEqual(first.event);
    const forged = { ...first, request: { ...first.request, body: `${first.request.body} ` } };
    expect(() => verify(forged, secret)).toThrow("No matching signature found");
  }
  expect(delivery).toEqual({
    event_id: eventId,
    type: "webhook.test",
    status: "delivered",
    attempts: 1,
    next_attempt_at: null,
    error: null,
    created_at: expect.any(String),
    body: first?.request.body,
    attempt_log: [
      {
        number: 1,
        started_at: expect.any(String),
        http_status: 204,
        duration_ms: expect.any(Number),
        error: null,
      },
    ],
  });
});

it("signs with the previous secret as well after a rotation, until the overlap ends", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const { path, secret: old } = await createWebhook(client, receiver);

  const rotated = await client("POST", `${path}/rotate-secret`, { overlap_hours: 1 });
  expect(rotated.status).toBe(200);
  const secret = String(rotated.body.secret);
  expect(secret).not.toBe(old);
  expect(Date.parse(rotated.body.previous_secret_expires_at)).toBeGreaterThan(Date.now());
  await test(client, path);
  const [both] = await receiver.until(1);

  const ended = await client("POST", `${path}/rotate-secret`, { overlap_hours: 0 });
  expect(ended.body.previous_secret_expires_at).toBeNull();
  await test(client, path);
  const [, last] = await receiver.until(2);

  if (!both || !last) throw new Error("An event is missing.");
  expect(verify(both, secret)).toEqual(both.event);
  expect(verify(both, old)).toEqual(both.event);
  expect(verify(last, String(ended.body.secret))).toEqual(last.event);
  for (const former of [old, secret]) expect(() => verify(last, former)).toThrow("No matching signature");
});

it("stops signing with a previous secret when its time has come", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const { id, path, secret: old } = await createWebhook(client, receiver);
  await client("POST", `${path}/rotate-secret`);

  const key = { pk: `User#${client.email}`, sk: `WebhookEndpoint#${id}` };
  const [current, previous] = ((await table.get(key))?.["signing_secrets"] ?? []) as Record<string, never>[];
  const over = { ...previous, ends_at: Date.now() - 1 };
  await table.update(key, { set: { signing_secrets: [{ ...current }, over] } });
  await test(client, path);
  const [only] = await receiver.until(1);

  if (!only) throw new Error("An event is missing.");
  expect(only.request.headers["webhook-signature"]?.split(" ")).toHaveLength(1);
  expect(() => verify(only, old)).toThrow("No matching signature");
});

it("tries again with the same id and body until the receiver accepts", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 500 }, { status: 302 }, { status: 200 });
  const { path } = await createWebhook(client, receiver);
  const eventId = await test(client, path);

  const first = await untilAttempts(client, path, eventId, 1);
  expect(first).toMatchObject({ status: "pending", error: "The receiver answered with 500." });
  expect(Date.parse(first.next_attempt_at)).toBeGreaterThan(Date.now());
  await passTime(client);
  const second = await untilAttempts(client, path, eventId, 2);
  expect(second.error).toContain("Redirects are not followed");
  await passTime(client);
  const last = await untilDelivery(client, path, eventId, "delivered");

  expect(last.attempt_log).toMatchObject([{ http_status: 500 }, { http_status: 302 }, { http_status: 200 }]);
  const received = await receiver.received();
  expect(received.map(({ id }) => id)).toEqual([eventId, eventId, eventId]);
  expect(new Set(received.map(({ request }) => request.body)).size).toBe(1);
});

it("fails after the last attempt, and delivers again when it is asked to", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 503 });
  const { path } = await createWebhook(client, receiver);
  const eventId = await test(client, path);

  for (let attempts = 1; attempts < 8; attempts++) {
    await untilAttempts(client, path, eventId, attempts);
    await passTime(client);
  }
  const failed = await untilDelivery(client, path, eventId, "failed");
  expect(failed).toMatchObject({ attempts: 8, next_attempt_at: null });
  expect(failed.attempt_log).toHaveLength(8);

  await receiver.change({ "/hook": { status: 200 } });
  const again = await client("POST", `${path}/deliveries/${eventId}/redeliver`);
  expect([again.status, again.body]).toMatchObject([202, { event_id: eventId, body: failed.body }]);
  const delivered = await untilDelivery(client, path, eventId, "delivered");
  expect(delivered).toMatchObject({ attempts: 9, error: null });
  expect((await client("GET", path)).body).toMatchObject({ enabled: true });
});

it("disables an endpoint that answers with 410, and says why", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 410 });
  const { path } = await createWebhook(client, receiver);
  const eventId = await test(client, path);

  const delivery = await untilDelivery(client, path, eventId, "failed");
  await expect.poll(async () => (await client("GET", path)).body.enabled).toBe(false);

  expect(delivery.error).toBe("The receiver answered with 410: it wants no more events.");
  const { body } = await client("GET", path);
  expect(body).toMatchObject({ disabled_reason: "gone", disabled_at: expect.any(String) });
  expect(await table.get({ pk: `User#${client.email}`, sk: "TurnWebhooks" })).toMatchObject({
    event_types: [],
  });
  for (const more of ["/test", `/deliveries/${eventId}/redeliver`])
    expect(await client("POST", `${path}${more}`)).toMatchObject({
      status: 409,
      body: { detail: "This webhook endpoint is disabled. Enable it first." },
    });
});

it("disables an endpoint to which nothing was delivered for five days", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 500 });
  const { path } = await createWebhook(client, receiver);
  const eventId = await test(client, path);
  await untilAttempts(client, path, eventId, 1);

  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec("UPDATE deliveries SET tries = 7, next_at = 0");
  });
  await ringSender(client);
  await untilDelivery(client, path, eventId, "failed");
  expect((await client("GET", path)).body.enabled).toBe(true);

  const another = await test(client, path);
  await untilAttempts(client, path, another, 1);
  const waiting = await test(client, path);
  await untilAttempts(client, path, waiting, 1);
  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec("UPDATE endpoints SET failing_since = failing_since - ?", 5 * 86_400_000);
    storage.sql.exec("UPDATE deliveries SET tries = 7, next_at = 0 WHERE event_id = ?", another);
  });
  await ringSender(client);

  await expect.poll(async () => (await client("GET", path)).body.disabled_reason).toBe("failing");
  expect(await untilDelivery(client, path, waiting, "failed")).toMatchObject({
    error: "The endpoint is disabled.",
    next_attempt_at: null,
  });
});

it("begins to count the five days again after a delivery", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 500 });
  const { path } = await createWebhook(client, receiver);
  const first = await test(client, path);
  await untilAttempts(client, path, first, 1);
  await receiver.change({ "/hook": { status: 200 } });
  await untilDelivery(client, path, await test(client, path), "delivered");

  const failingSince = () =>
    runInDurableObject(
      senderOf(client),
      (_sender, { storage }) =>
        storage.sql.exec<{ failing_since: number | null }>("SELECT failing_since FROM endpoints").one()
          .failing_since,
    );
  expect(await failingSince()).toBeNull();
  await receiver.change({ "/hook": { status: 500 } });
  await passTime(client);
  await untilAttempts(client, path, first, 2);
  expect(await failingSince()).toBeGreaterThan(0);
});

it("delivers an event again that was delivered and not recorded because the object died", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 200, fault: "hold" });
  const { path } = await createWebhook(client, receiver);
  const eventId = await test(client, path);
  await receiver.until(1);

  // The request has arrived and is not answered yet. Everything that is in memory is lost.
  await runInDurableObject(senderOf(client), (_sender, state) => state.abort("killed by a test")).catch(
    () => undefined,
  );
  await receiver.release();
  await expect.poll(() => ringSender(client)).toBe(true);
  const received = await receiver.until(2);
  const delivery = await untilDelivery(client, path, eventId, "delivered");

  expect(received.map(({ id }) => id)).toEqual([eventId, eventId]);
  expect(delivery.attempts).toBe(1);
});

it("pages the log, newest first, and refuses cursors of other endpoints", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const [one, other] = [await createWebhook(client, receiver), await createWebhook(client, receiver)];
  const sent: string[] = [];
  for (let n = 0; n < 5; n++) sent.push(await test(client, one.path));
  await test(client, other.path);
  await receiver.until(6);

  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = `limit=2${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { body } = await client("GET", `${one.path}/deliveries?${query}`);
    seen.push(...body.items.map((item: { event_id: string }) => item.event_id));
    cursor = body.next_cursor as string | null;
  }
  expect(seen).toEqual(sent.toReversed());

  const { body } = await client("GET", `${one.path}/deliveries?limit=2`);
  const foreign = await client("GET", `${other.path}/deliveries?cursor=${body.next_cursor}`);
  expect(foreign.status).toBe(400);
});

it("forgets the log of an endpoint that was deleted, and everything with the last one", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  const [one, other] = [await createWebhook(client, receiver), await createWebhook(client, receiver)];
  const [first, second] = [await test(client, one.path), await test(client, other.path)];
  await untilDelivery(client, one.path, first, "delivered");
  await untilDelivery(client, other.path, second, "delivered");

  const kept = () =>
    runInDurableObject(senderOf(client), async (_sender, { storage }) => ({
      tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray().length,
      alarm: await storage.getAlarm(),
    }));
  const events = () =>
    runInDurableObject(senderOf(client), (_sender, { storage }) =>
      storage.sql.exec<{ event_id: string }>("SELECT event_id FROM events").toArray(),
    );
  await client("DELETE", one.path);
  await expect.poll(events).toEqual([{ event_id: second }]);

  await client("DELETE", other.path);
  await expect.poll(kept).toEqual({ tables: 0, alarm: null });
});

it("removes old deliveries that have ended, and keeps those that wait", async () => {
  const client = await signUp();
  const receiver = await startReceiver({ status: 200 }, { status: 500 });
  const { path } = await createWebhook(client, receiver);
  const done = await test(client, path);
  await untilDelivery(client, path, done, "delivered");
  const waiting = await test(client, path);
  await untilAttempts(client, path, waiting, 1);

  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec("UPDATE deliveries SET queued_at = 0");
  });
  await env.WEBHOOK_SENDER.getByName(client.email).wake(client.email);
  // The object prunes once a minute, so it has to begin anew.
  await runInDurableObject(senderOf(client), (_sender, state) => state.abort("killed by a test")).catch(
    () => undefined,
  );
  await expect
    .poll(async () => {
      await ringSender(client).catch(() => false);
      return (await client("GET", `${path}/deliveries/${done}`)).status;
    })
    .toBe(404);

  expect((await client("GET", `${path}/deliveries/${waiting}`)).body.status).toBe("pending");
});

it("removes old deliveries as often as it takes, although that happens once a minute otherwise", async () => {
  const client = await signUp();
  const { path } = await createWebhook(client, await startReceiver());
  await untilDelivery(client, path, await test(client, path), "delivered");
  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1100)
       INSERT INTO deliveries (event_id, endpoint_id, state, attempts, tries, next_at, queued_at)
       SELECT event_id || n, endpoint_id, state, 1, 1, NULL, 0 FROM numbers, deliveries`,
    );
    storage.sql.exec("UPDATE deliveries SET queued_at = 0");
  });
  // The object may have pruned within the last minute, so it has to begin anew.
  await runInDurableObject(senderOf(client), (_sender, state) => state.abort("killed by a test")).catch(
    () => undefined,
  );

  await senderOf(client).wake(client.email);

  await expect
    .poll(() =>
      runInDurableObject(senderOf(client), (_sender, { storage }) =>
        Number(storage.sql.exec("SELECT COUNT(*) AS rows FROM deliveries").one()["rows"]),
      ),
    )
    .toBe(0);
});

it("removes the log of a disabled endpoint when its time has come", async () => {
  const client = await signUp();
  const { path } = await createWebhook(client, await startReceiver());
  await untilDelivery(client, path, await test(client, path), "delivered");
  const state = () =>
    runInDurableObject(senderOf(client), async (_sender, { storage }) => ({
      queuedAt: Number(storage.sql.exec("SELECT queued_at FROM deliveries").one()["queued_at"]),
      alarm: await storage.getAlarm(),
    }));

  await client("PATCH", path, { enabled: false });

  const { queuedAt } = await state();
  await expect.poll(async () => (await state()).alarm).toBe(queuedAt + 14 * 24 * 60 * 60_000);
});

it("records a test event as failed if too many deliveries to its endpoint wait already", async () => {
  const client = await signUp();
  const { path } = await createWebhook(client, await startReceiver());
  await untilDelivery(client, path, await test(client, path), "delivered");
  await runInDurableObject(senderOf(client), (_sender, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
       INSERT INTO deliveries (event_id, endpoint_id, state, attempts, tries, next_at, queued_at)
       SELECT event_id || n, endpoint_id, 'pending', 0, 0, ?, ? FROM numbers, deliveries`,
      Date.now() + 60 * 60_000,
      Date.now(),
    );
  });

  const { body } = await client("GET", `${path}/deliveries/${await test(client, path)}`);

  expect(body).toMatchObject({
    status: "failed",
    attempts: 0,
    error: "Too many deliveries were waiting for this endpoint.",
  });
});

/** Waits until a delivery has so many attempts, and returns it. */
async function untilAttempts(client: Client, path: string, eventId: string, attempts: number) {
  const delivery = async () => (await client("GET", `${path}/deliveries/${eventId}`)).body;
  await expect.poll(async () => (await delivery()).attempts).toBe(attempts);
  return delivery();
}
