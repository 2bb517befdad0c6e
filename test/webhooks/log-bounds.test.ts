import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { DeliveryLog } from "../../src/webhooks/delivery-log.ts";
import { newEvent, recordEvent } from "../../src/webhooks/event-model.ts";

const ENDPOINT = "endpoint";

/** Runs a test in an object of its own, with a log that has so many deliveries in this state. */
const withLog = <T>(
  state: string,
  count: number,
  work: (log: DeliveryLog, sql: SqlStorage) => T,
): Promise<T> =>
  runInDurableObject(env.WEBHOOK_SENDER.getByName(crypto.randomUUID()), (_sender, { storage }) => {
    const log = new DeliveryLog(storage);
    log.queue(event(), [ENDPOINT], 0);
    log.record(
      { ...delivery(log), tries: 0 },
      { at: 0, result: { ...RESULT, isDelivered: true }, nextAt: undefined },
    );
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO deliveries (event_id, endpoint_id, state, attempts, tries, next_at, queued_at)
       SELECT (SELECT event_id FROM events) || n, ?, ?, 0, 0, 0, ? FROM numbers`,
      count,
      ENDPOINT,
      state,
      Date.now(),
    );
    return work(log, storage.sql);
  });

const RESULT = {
  isDelivered: false,
  isGone: false,
  status: 500,
  durationMs: 1,
  error: "No.",
  retryAfterMs: 0,
};

const event = () => newEvent("webhook.test", {}, systemClock);

function delivery(log: DeliveryLog) {
  const [newest] = log.list(ENDPOINT, 1, undefined);
  if (!newest) throw new Error("There is no delivery.");
  return newest;
}

it("records an event as failed if 10,000 deliveries to its endpoint wait already", async () => {
  const [isFullBefore, isFull, queued] = await withLog("pending", 9_999, (log) => {
    const before = log.isFull(ENDPOINT);
    log.queue(event(), [ENDPOINT], 0);
    const after = log.isFull(ENDPOINT);
    log.queue(event(), [ENDPOINT], 0, new Set([ENDPOINT]));
    return [before, after, delivery(log)] as const;
  });

  expect([isFullBefore, isFull]).toEqual([false, true]);
  expect(queued).toMatchObject({
    state: "failed",
    nextAt: null,
    error: "Too many deliveries were waiting for this endpoint.",
  });
});

it("keeps the 10,000 newest deliveries that have ended", async () => {
  // One more was delivered before them.
  const left = await withLog("delivered", 10_300, (log, sql) => {
    log.prune(Date.now());
    return sql.exec("SELECT COUNT(*) AS rows, MIN(seq) AS oldest FROM deliveries").one();
  });

  expect(left).toEqual({ rows: 10_000, oldest: 302 });
});

it("logs the last 50 attempts of a delivery that is sent again and again", async () => {
  const found = await withLog("delivered", 0, (log) => {
    const { eventId } = delivery(log);
    for (let n = 0; n < 60; n++) {
      log.requeue(ENDPOINT, eventId, 0);
      log.record(delivery(log), { at: n, result: RESULT, nextAt: undefined });
    }
    return log.find(ENDPOINT, eventId);
  });

  expect(found).toMatchObject({ state: "failed", attempts: 61 });
  expect(found?.log.map(({ number }) => number)).toEqual(
    Array.from({ length: 50 }, (_, index) => index + 12),
  );
});

it("says whether more of the log is to be removed than one call removes", async () => {
  const rounds = await withLog("delivered", 10_700, (log, sql) =>
    [1, 2, 3].map(() => [
      log.prune(Date.now()),
      sql.exec("SELECT COUNT(*) AS rows FROM deliveries").one()["rows"],
    ]),
  );

  expect(rounds).toEqual([
    [true, 10_201],
    [false, 10_000],
    [false, 10_000],
  ]);
});

it("keeps a recorded event for three days after it has happened, however long ago its run began", () => {
  const createdAt = "2026-06-11T00:00:00.000000+00:00";
  // The id of a run that began in 2025.
  const late = { ...event(), id: "0193b2f5-1b3c-7a44-8b75-4e9c6fba8b50", createdAt };

  const write = recordEvent(accountEmailOf("owner@example.com"), late);

  expect(write).toMatchObject({ put: { ttl: Date.parse("2026-06-14T00:00:00Z") / 1000 } });
});
