import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  AdmissionQueue,
  type QueuedRequest,
  type Leave,
  QueueTooLong,
} from "../../src/shared/admission-queue.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const options = { limit: 2, patienceMs: 1_000, leaseMs: 5_000, expectedMs: 100 };

interface Requests {
  /** The admitted requests, in order, by the number of their arrival. */
  readonly admitted: { readonly index: number; readonly leave: Leave }[];
  readonly refused: number[];
  arrived: number;
  indexes(): readonly number[];
}

/** Enters a queue the given number of times. */
function enterMany(
  queue: AdmissionQueue,
  size: number,
  requests: Requests = noRequests(),
  request: QueuedRequest = {},
): Requests {
  for (let left = size; left > 0; left--) {
    const index = requests.arrived++;
    void queue.enter(request).then(
      (leave) => requests.admitted.push({ index, leave }),
      (error: unknown) => {
        expect(error).toBeInstanceOf(QueueTooLong);
        requests.refused.push(index);
      },
    );
  }
  return requests;
}

const noRequests = (): Requests => ({
  admitted: [],
  refused: [],
  arrived: 0,
  indexes() {
    return this.admitted.map(({ index }) => index);
  },
});

const settled = () => vi.advanceTimersByTimeAsync(0);
/** The longest pause after which a request that waits looks at its place. */
const waitForPoll = () => vi.advanceTimersByTimeAsync(250);

describe("the admission queue", () => {
  it("admits requests up to its limit, and the others in the order of arrival", async () => {
    const requests = enterMany(new AdmissionQueue(options), 5);
    await settled();
    expect(requests.indexes()).toEqual([0, 1]);

    requests.admitted[1]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toEqual([0, 1, 2]);
  });

  it("admits no further request if an admission is ended twice", async () => {
    const requests = enterMany(new AdmissionQueue(options), 5);
    await settled();

    requests.admitted[0]?.leave();
    requests.admitted[0]?.leave();
    await waitForPoll();

    expect(requests.indexes()).toEqual([0, 1, 2]);
  });

  it("refuses a request at once if it would wait longer than its patience", async () => {
    const queue = new AdmissionQueue(options);
    const { refused } = enterMany(queue, 30);
    await settled();

    // At 100 ms each and two at a time, twenty are admitted within a second.
    expect(queue.length).toBe(20);
    expect(refused).toEqual([22, 23, 24, 25, 26, 27, 28, 29]);
  });

  it("refuses the newest requests as soon as the work takes longer than expected", async () => {
    const queue = new AdmissionQueue(options);
    const { admitted, refused } = enterMany(queue, 22);
    await vi.advanceTimersByTimeAsync(900);
    expect(refused).toEqual([]);

    admitted[0]?.leave();

    // The average is 150 ms now, and 100 ms of their patience are left: room for one.
    expect(queue.length).toBe(1);
    await waitForPoll();
    expect(refused.toSorted((a, b) => a - b).slice(-18)).toEqual(Array.from({ length: 18 }, (_, n) => n + 4));
  });

  it("refuses no request later than a second after its arrival, unless something is wrong", async () => {
    const { admitted, refused } = enterMany(
      new AdmissionQueue({ ...options, patienceMs: 4_000, leaseMs: 60_000 }),
      3,
    );
    await vi.advanceTimersByTimeAsync(5_900);
    expect(refused).toEqual([]);
    await vi.advanceTimersByTimeAsync(350);

    expect(admitted).toHaveLength(2);
    expect(refused).toEqual([2]);
  });

  it("shortens the patience in a queue that does not become empty, until it has been empty once", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 1, standingPatienceMs: 150 });
    const requests = enterMany(queue, 6);
    await settled();
    const step = async () => {
      await vi.advanceTimersByTimeAsync(100);
      requests.admitted.at(-1)?.leave();
      await settled();
    };

    // One leaves and one arrives every 100 ms.
    for (let steps = 0; steps < 9; steps++) {
      await step();
      enterMany(queue, 1, requests);
    }
    expect(queue.length).toBe(5);
    expect(requests.refused).toEqual([]);

    for (let steps = 0; steps < 4; steps++) {
      await step();
      enterMany(queue, 1, requests);
    }
    await settled();
    expect(requests.refused).toHaveLength(4);
    expect(queue.length).toBe(1);

    await step();
    enterMany(queue, 5, requests);
    await settled();
    expect(queue.length).toBe(5);
  });

  it("shortens the wait in a line that does not become empty, although the other lines have places left", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 2, lineLimit: 1, standingPatienceMs: 150 });
    const crowded = enterMany(queue, 6, noRequests(), { line: "crowded" });
    await settled();
    const step = async () => {
      await vi.advanceTimersByTimeAsync(100);
      crowded.admitted.at(-1)?.leave();
      await settled();
      enterMany(queue, 1, crowded, { line: "crowded" });
      await settled();
    };

    for (let steps = 0; steps < 9; steps++) await step();
    expect(crowded.refused).toEqual([]);
    for (let steps = 0; steps < 4; steps++) await step();
    expect(crowded.refused).toHaveLength(4);

    const other = enterMany(queue, 3, noRequests(), { line: "other" });
    await settled();
    expect(other.indexes()).toEqual([0]);
    expect(other.refused).toEqual([]);
  });

  it("admits another request when an admission expires because its request was cancelled", async () => {
    const requests = enterMany(new AdmissionQueue({ ...options, patienceMs: 60_000 }), 4);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(requests.indexes()).toEqual([0, 1]);

    await vi.advanceTimersByTimeAsync(2_000);
    expect(requests.indexes().toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it("forgets a request that is aborted while it waits", async () => {
    const queue = new AdmissionQueue(options);
    const { admitted } = enterMany(queue, 2);
    await settled();
    const abort = new AbortController();
    const waiting = queue.enter({ signal: abort.signal });
    const reason = new Error("The client left.");

    const outcome = waiting.catch((error: unknown) => error);
    abort.abort(reason);
    await waitForPoll();
    expect(await outcome).toBe(reason);
    await expect(queue.enter({ signal: abort.signal })).rejects.toBe(reason);
    expect(queue.length).toBe(0);

    admitted[0]?.leave();
    const requests = enterMany(queue, 1);
    await waitForPoll();
    expect(requests.indexes()).toEqual([0]);
  });

  it("admits one request of each line in turn", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 1, patienceMs: 10_000 });
    const requests = enterMany(queue, 4, noRequests(), { line: "long" });
    enterMany(queue, 2, requests, { line: "short" });
    for (let admitted = 1; admitted <= 6; admitted++) {
      await waitForPoll();
      expect(requests.admitted).toHaveLength(admitted);
      requests.admitted.at(-1)?.leave();
    }
    expect(requests.indexes()).toEqual([0, 1, 4, 2, 5, 3]);
  });

  it("refuses requests at the end of a long line, and none of a short one", async () => {
    const queue = new AdmissionQueue(options);
    const requests = enterMany(queue, 500, noRequests(), { line: "long" });
    enterMany(queue, 3, requests, { line: "short" });
    await settled();

    expect(queue.length).toBe(23);
    expect(requests.refused).toEqual(Array.from({ length: 478 }, (_, n) => n + 22));
    requests.admitted[0]?.leave();
    requests.admitted[1]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toContain(500);
  });

  it("refuses the newest requests of the long line when the work takes longer than expected", async () => {
    const queue = new AdmissionQueue(options);
    const requests = enterMany(queue, 22, noRequests(), { line: "long" });
    await vi.advanceTimersByTimeAsync(900);
    enterMany(queue, 1, requests, { line: "short" });
    requests.admitted[0]?.leave();
    await waitForPoll();

    expect(requests.refused).not.toContain(22);
    expect(requests.refused.length).toBeGreaterThan(15);
  });

  it("keeps the other places free when a line has its share", async () => {
    const queue = new AdmissionQueue({ ...options, lineLimit: 1 });
    const requests = enterMany(queue, 3, noRequests(), { line: "hanging" });
    await settled();
    expect(requests.indexes()).toEqual([0]);

    enterMany(queue, 1, requests, { line: "other" });
    await settled();
    expect(requests.indexes()).toEqual([0, 3]);

    requests.admitted[1]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toEqual([0, 3]);
    requests.admitted[0]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toEqual([0, 3, 1]);
  });

  it("refuses requests whose bodies would not fit into memory while they wait", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 1, waitingBytes: 100 });
    const requests = enterMany(queue, 4, noRequests(), { line: "large", bytes: 25 });
    enterMany(queue, 3, requests, { line: "other", bytes: 25 });
    await settled();

    expect(requests.indexes()).toEqual([0]);
    expect(requests.refused).toEqual([3, 6]);
    requests.admitted[0]?.leave();
    await waitForPoll();
    enterMany(queue, 1, requests, { line: "large", bytes: 25 });
    await settled();
    expect(requests.refused).toEqual([3, 6]);
  });

  it("reports without taking a place whether any line can be admitted", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 1, patienceMs: 200 });
    queue.requireCapacity();
    const requests = enterMany(queue, 3, noRequests(), { line: "long" });
    await settled();
    // A long line does not affect the others.
    queue.requireCapacity();
    enterMany(queue, 1, requests, { line: "other" });
    await settled();

    expect(() => queue.requireCapacity()).toThrow(QueueTooLong);
    expect(queue.length).toBe(3);
  });

  it("lets no request in that was cancelled while it waited", async () => {
    const queue = new AdmissionQueue({ ...options, limit: 1, patienceMs: 4_000 });
    const requests = enterMany(queue, 1);
    enterMany(queue, 10);
    // The timers of a cancelled request never fire.
    vi.clearAllTimers();
    enterMany(queue, 2, requests);
    await vi.advanceTimersByTimeAsync(1_500);

    requests.admitted[0]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toEqual([0, 1]);
    requests.admitted[1]?.leave();
    await waitForPoll();
    expect(requests.indexes()).toEqual([0, 1, 2]);

    await vi.advanceTimersByTimeAsync(6_000);
    queue.requireCapacity();
    expect(queue.length).toBe(0);
  });
});
