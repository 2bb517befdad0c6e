import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TableUnavailable } from "../../src/table/errors.ts";
import { OperationFailed } from "../../src/table/transport.ts";
import { rejection } from "./quick-table.ts";
import {
  answers,
  hangs,
  refuses,
  type Reply,
  respondsWith,
  scriptedTransport,
} from "./scripted-transport.ts";

const HOUR_MS = 3_600_000;
const SKEWED = [
  "RequestExpired",
  "RequestTimeTooSkewed",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
];

/** A whole second, because signatures have no fractions. */
const NOW = Date.UTC(2026, 0, 29, 11, 51, 36);

const httpDate = (ms: number): string => new Date(ms).toUTCString();

/** The moment that a request was signed for, from `20260129T115136Z`. */
function signedAt(request: Request): number {
  const text = request.headers.get("x-amz-date") ?? "";
  return Date.parse(text.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

// Scenario 33.
describe("a signature that the database considers expired", () => {
  it.each(SKEWED)("is renewed with the database's time after %s", async (name) => {
    const skewed = refuses(name, { headers: { date: httpDate(NOW + HOUR_MS) } });
    const { send, requests } = scriptedTransport([skewed, answers({ Count: 1 })]);

    expect(await send("GetItem", {})).toEqual({ Count: 1 });

    expect(requests.map(signedAt)).toEqual([NOW, NOW + HOUR_MS]);
    expect(requests[1]?.headers.get("authorization")).not.toBe(requests[0]?.headers.get("authorization"));
  });

  it("corrects the time of the operations that follow", async () => {
    const skewed = refuses("RequestExpired", { headers: { date: httpDate(NOW - HOUR_MS) } });
    const { send, requests } = scriptedTransport([skewed, answers()]);

    await send("GetItem", {});
    await send("GetItem", {});

    expect(requests.map(signedAt)).toEqual([NOW, NOW - HOUR_MS, NOW - HOUR_MS]);
  });

  it("is renewed only once, because after that the key is at fault", async () => {
    const skewed = refuses("InvalidSignatureException", { headers: { date: httpDate(NOW) } });
    const { send, requests } = scriptedTransport([skewed]);

    const error = await rejection(send("GetItem", {}));

    expect(error).toBeInstanceOf(OperationFailed);
    expect(error).toMatchObject({ type: "InvalidSignatureException", attempts: 2 });
    expect(requests).toHaveLength(2);
  });

  it("uses the service's own time if the answer has no date", async () => {
    const { send, requests } = scriptedTransport([refuses("RequestExpired"), answers()]);

    await send("GetItem", {});

    expect(requests.map(signedAt)).toEqual([NOW, NOW]);
  });
});

describe("the time an operation may take", () => {
  it("ends an attempt that is not answered within three seconds, and starts another", async () => {
    const { send, requests, timeouts } = scriptedTransport([hangs, answers({ Count: 1 })]);

    expect(await send("GetItem", {})).toEqual({ Count: 1 });

    expect(requests).toHaveLength(2);
    expect(timeouts).toEqual([3_000, 3_000]);
  });

  it("allows no attempt that would begin after ten seconds", async () => {
    const slow: Reply = () => {
      vi.setSystemTime(Date.now() + 4_000);
      return respondsWith(500)(null);
    };
    const { send, requests } = scriptedTransport([slow]);

    expect(await rejection(send("GetItem", {}))).toBeInstanceOf(TableUnavailable);
    expect(requests).toHaveLength(3);
  });

  it("ends the last attempt when the ten seconds are over", async () => {
    const slow: Reply = () => {
      vi.setSystemTime(Date.now() + 9_900);
      return respondsWith(500)(null);
    };
    const silent: Reply = async (signal) => {
      const response = hangs(signal);
      return Promise.resolve(response).finally(() => vi.setSystemTime(Date.now() + 100));
    };
    const { send, requests, timeouts } = scriptedTransport([slow, silent]);

    expect(await rejection(send("GetItem", {}))).toBeInstanceOf(TableUnavailable);
    expect(requests).toHaveLength(2);
    expect(timeouts).toEqual([3_000, 100]);
  });
});
