import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { sleep } from "../../src/shared/async.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { parseVaultKeys, Vault } from "../../src/shared/encryption.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { DeliveryLog } from "../../src/webhooks/delivery-log.ts";
import { Dispatch, type DispatchDeps } from "../../src/webhooks/dispatch.ts";
import { newEvent } from "../../src/webhooks/event-model.ts";
import type { WebhookEndpoint } from "../../src/webhooks/model.ts";
import { newSecret, sealSecret } from "../../src/webhooks/signing.ts";

const accountEmail = accountEmailOf("owner@example.com");
const vault = new Vault(parseVaultKeys(env.ENCRYPTION_KEY) ?? [{ id: "", secret: new Uint8Array(32) }]);

const newTest = () => newEvent("webhook.test", {}, systemClock);

async function endpoint(id: string): Promise<WebhookEndpoint> {
  return {
    accountEmail,
    id,
    url: `https://${id}.example.com/hook`,
    description: null,
    events: ["run.completed"],
    isEnabled: true,
    disabledReason: null,
    disabledAt: null,
    secrets: [
      { sealed: await sealSecret(vault, { accountEmail, id }, newSecret()), endsAt: null, rotationId: null },
    ],
    rotationIds: [],
    hint: "",
    createdAt: "",
    updatedAt: null,
  };
}

/** What a test decides about a dispatch. */
interface Parts {
  readonly webhooks?: Partial<DispatchDeps["webhooks"]>;
  readonly fetch?: typeof fetch;
}

/** Runs a test with the log of an object of its own, and a dispatch over it. */
const withDispatch = <T>(
  parts: (log: DeliveryLog) => Parts,
  work: (dispatch: Dispatch, log: DeliveryLog) => Promise<T>,
): Promise<T> =>
  runInDurableObject(env.WEBHOOK_SENDER.getByName(crypto.randomUUID()), (_sender, { storage }) => {
    const log = new DeliveryLog(storage);
    const { webhooks, fetch: send = () => Promise.reject(new Error("Nothing is sent.")) } = parts(log);
    const deps: DispatchDeps = {
      webhooks: {
        pending: () => Promise.resolve({ endpoints: [], events: [], hasMore: false }),
        removeEvents: () => Promise.resolve(),
        disable: () => Promise.resolve(true),
        ...webhooks,
      },
      attempts: { fetch: send, vault },
      clock: systemClock,
      random: () => 0,
    };
    return work(new Dispatch({ log, deps, accountEmail }), log);
  });

const never = () => Date.now() + 60_000;

it("keeps a delivery to an endpoint that is created while the endpoints are read", async () => {
  const sent = newTest();
  const deliveries = await withDispatch(
    (log) => ({
      webhooks: {
        pending: () => {
          log.queue(sent, ["new"], Date.now());
          return Promise.resolve({ endpoints: [], events: [], hasMore: false });
        },
      },
    }),
    async (dispatch, log) => {
      log.queue(newTest(), ["deleted"], Date.now());
      await dispatch.collect();
      return ["new", "deleted"].map((id) => log.list(id, 10, undefined).map(({ eventId }) => eventId));
    },
  );

  expect(deliveries).toEqual([[sent.id], []]);
});

it("has at most five attempts of an account under way, so that none waits for a connection", async () => {
  const endpoints = await Promise.all(["one", "two", "three"].map(endpoint));
  const requested: string[] = [];
  let underWay = 0;
  let most = 0;
  let group = Promise.withResolvers<void>();
  const send = async (input: RequestInfo | URL) => {
    requested.push(new URL(new Request(input).url).hostname);
    most = Math.max(most, ++underWay);
    const { promise: answered, resolve: answer } = group;
    if (underWay === 5 || requested.length === 12) {
      group = Promise.withResolvers();
      // By the next turn of the event loop, every other attempt that may begin has begun.
      void sleep(0).then(answer);
    }
    await answered;
    underWay--;
    return new Response(null, { status: 204 });
  };

  await withDispatch(
    () => ({ fetch: send }),
    async (dispatch, log) => {
      for (let n = 0; n < 4; n++)
        log.queue(
          newTest(),
          endpoints.map(({ id }) => id),
          0,
        );
      await dispatch.deliverDue(endpoints, never());
    },
  );

  expect(requested).toHaveLength(12);
  expect(most).toBe(5);
  // A slow endpoint does not take all of them: another one has its turn before the first is done.
  expect(new Set(requested.slice(0, 5)).size).toBeGreaterThan(1);
});

it("delivers once more if redelivery was asked for during an attempt", async () => {
  const receiver = await endpoint("one");
  const sent = newTest();
  let requests = 0;

  const found = await withDispatch(
    (log) => ({
      fetch: () => {
        if (++requests === 1) log.requeue(receiver.id, sent.id, Date.now());
        return Promise.resolve(new Response(null, { status: 204 }));
      },
    }),
    async (dispatch, log) => {
      log.queue(sent, [receiver.id], 0);
      await dispatch.deliverDue([receiver], never());
      return log.find(receiver.id, sent.id);
    },
  );

  expect(requests).toBe(2);
  expect(found).toMatchObject({ state: "delivered", attempts: 2, tries: 1 });
});
