import { afterEach, describe, expect, it, vi } from "vitest";
import { AdmissionQueue } from "../../src/shared/admission-queue.ts";
import { TableUnavailable } from "../../src/table/errors.ts";
import { createTransport } from "../../src/table/transport.ts";
import { rejection } from "./quick-table.ts";

const LIMIT = 64;

afterEach(() => {
  vi.useRealTimers();
});

/** A transport whose requests are held at the wire until the test answers them. */
function heldTransport(queue?: AdmissionQueue) {
  const held: { readonly signal: AbortSignal; readonly answer: (response: Response) => void }[] = [];
  const timeouts: number[] = [];
  let sent = 0;
  const send = createTransport({
    endpoint: "https://dynamodb.eu-west-2.amazonaws.com",
    region: "eu-west-2",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    fetch: (_input, init) => {
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      const signal = init?.signal ?? new AbortController().signal;
      signal.addEventListener("abort", () => reject(signal.reason as Error));
      held.push({ signal, answer: resolve });
      sent++;
      return promise;
    },
    ...(queue && { queue }),
    sleep: () => Promise.resolve(),
    timeout: (ms) => {
      timeouts.push(ms);
      return AbortSignal.timeout(ms);
    },
    random: () => 0,
  });
  const underWay = async (count: number) => expect.poll(() => held.length).toBe(count);
  const answerAll = () => {
    for (const { answer } of held.splice(0)) answer(Response.json({}));
  };
  return { send, held, underWay, answerAll, timeouts, sent: () => sent };
}

describe("many requests to the database at once", () => {
  it("are sent at most 64 at a time, and are all answered", async () => {
    const { send, underWay, answerAll, sent } = heldTransport();
    const sending = Promise.all(Array.from({ length: 200 }, () => send("GetItem", {})));

    for (const size of [LIMIT, LIMIT, LIMIT, 200 - 3 * LIMIT]) {
      await underWay(size);
      answerAll();
    }

    expect(await sending).toHaveLength(200);
    expect(sent()).toBe(200);
  });

  it("are not retried if their time ran out while the retry was queued", async () => {
    const queue = new AdmissionQueue({
      limit: 1,
      patienceMs: 60_000,
      leaseMs: 60_000,
      expectedMs: 1,
      now: () => 0,
    });
    const { send, held, underWay, sent } = heldTransport(queue);
    const failing = rejection(send("GetItem", {}));
    await underWay(1);
    const other = send("GetItem", {});
    held.splice(0)[0]?.answer(Response.json({}, { status: 500 }));
    await underWay(1);

    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11_000 });
    held.splice(0)[0]?.answer(Response.json({}));

    expect(await other).toEqual({});
    expect(await failing).toBeInstanceOf(TableUnavailable);
    expect(sent()).toBe(2);
  });

  it("time out from when they are sent, not from when they are queued", async () => {
    const { send, held, underWay, answerAll, timeouts, sent } = heldTransport();
    const sending = Promise.all(Array.from({ length: LIMIT + 1 }, () => send("GetItem", {})));
    await underWay(LIMIT);
    expect(timeouts).toHaveLength(LIMIT);

    answerAll();
    await underWay(1);

    expect(timeouts.slice(LIMIT)).toEqual([3_000]);
    expect(held[0]?.signal.aborted).toBe(false);
    answerAll();
    await sending;
    expect(sent()).toBe(LIMIT + 1);
  });

  it("are refused at once if the queue is longer than any request would wait", async () => {
    const { send, underWay, answerAll, sent } = heldTransport(smallQueue());
    // Two at a time, 10 ms each: six wait for at most 30 ms.
    const sending = Promise.all(Array.from({ length: 8 }, () => send("GetItem", {})));
    await underWay(2);

    const error = await rejection(send("GetItem", {}));

    expect(error).toBeInstanceOf(TableUnavailable);
    expect(error).toMatchObject({ code: "unavailable", retryable: true, retryAfter: 1 });
    expect(sent()).toBe(2);
    for (let left = 8; left > 0; left -= 2) {
      await underWay(2);
      answerAll();
    }
    await sending;
  });

  it("are not delayed by retries, which are queued after them", async () => {
    const { send, held, underWay, answerAll } = heldTransport(smallQueue());
    const order: number[] = [];
    const sending = Promise.all(
      [0, 1, 2].map(async (index) => {
        await send("GetItem", { index });
        order.push(index);
      }),
    );
    await underWay(2);

    held.shift()?.answer(new Response("", { status: 500 }));
    // The third took the free place, so the repeat of the first gets the next one.
    await underWay(2);
    answerAll();
    await underWay(1);
    answerAll();
    await sending;

    expect(order.at(-1)).toBe(0);
  });
});

const smallQueue = () =>
  new AdmissionQueue({ limit: 2, patienceMs: 30, leaseMs: 60_000, expectedMs: 10, now: () => 0 });
