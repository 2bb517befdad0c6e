import { afterEach, describe, expect, it, vi } from "vitest";
import { TableUnavailable } from "../../src/table/errors.ts";
import { OperationFailed } from "../../src/table/transport.ts";
import { rejection } from "./quick-table.ts";
import { answers, hangs, refuses, type Reply, says, scriptedTransport } from "./scripted-transport.ts";

const HOUR_MS = 3_600_000;
const SKEWED = [
  "RequestExpired",
  "RequestTimeTooSkewed",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
];

const httpDate = (ms: number): string => new Date(ms).toUTCString();

/** The moment that a request was signed for, from `20260129T115136Z`. */
function signedAt(request: Request | undefined): number {
  const text = request?.headers.get("x-amz-date") ?? "";
  return Date.parse(text.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a signature that the database takes for old", () => {
  it.each(SKEWED)("is made again with the database's time after %s", async (name) => {
    const skewed = refuses(name, { headers: { date: httpDate(Date.now() + HOUR_MS) } });
    const { send, requests } = scriptedTransport([skewed, answers({ Count: 1 })]);

    expect(await send("GetItem", {})).toEqual({ Count: 1 });

    expect(requests).toHaveLength(2);
    expect(Math.abs(signedAt(requests[0]) - Date.now())).toBeLessThan(5_000);
    expect(Math.abs(signedAt(requests[1]) - Date.now() - HOUR_MS)).toBeLessThan(5_000);
    expect(requests[1]?.headers.get("authorization")).not.toBe(requests[0]?.headers.get("authorization"));
  });

  it("leaves its correction to the operations that follow", async () => {
    const skewed = refuses("RequestExpired", { headers: { date: httpDate(Date.now() - HOUR_MS) } });
    const { send, requests } = scriptedTransport([skewed, answers()]);

    await send("GetItem", {});
    await send("GetItem", {});

    expect(requests).toHaveLength(3);
    expect(Math.abs(signedAt(requests[2]) - Date.now() + HOUR_MS)).toBeLessThan(5_000);
  });

  it("is made again only once, because then the key is at fault", async () => {
    const skewed = refuses("InvalidSignatureException", { headers: { date: httpDate(Date.now()) } });
    const { send, requests } = scriptedTransport([skewed]);

    const error = await rejection(send("GetItem", {}));

    expect(error).toBeInstanceOf(OperationFailed);
    expect(error).toMatchObject({ type: "InvalidSignatureException", attempts: 2 });
    expect(requests).toHaveLength(2);
  });

  it("is signed for our own time where the answer has no date", async () => {
    const { send, requests } = scriptedTransport([refuses("RequestExpired"), answers()]);

    await send("GetItem", {});

    expect(Math.abs(signedAt(requests[1]) - Date.now())).toBeLessThan(5_000);
  });
});

describe("the time an operation may take", () => {
  it("gives up an attempt that is not answered in three seconds, and makes another", async () => {
    const { send, requests } = scriptedTransport([hangs, answers({ Count: 1 })]);
    const began = Date.now();

    expect(await send("GetItem", {})).toEqual({ Count: 1 });

    expect(requests).toHaveLength(2);
    expect(Date.now() - began).toBeGreaterThanOrEqual(2_900);
    expect(Date.now() - began).toBeLessThan(4_500);
  });

  it("makes no attempt that would begin after ten seconds", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const slow: Reply = () => {
      vi.setSystemTime(Date.now() + 4_000);
      return says(500)(null);
    };
    const { send, requests } = scriptedTransport([slow]);

    expect(await rejection(send("GetItem", {}))).toBeInstanceOf(TableUnavailable);
    expect(requests).toHaveLength(3);
  });

  it("ends the last attempt when the ten seconds are over", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const began = performance.now();
    const slow: Reply = () => {
      vi.setSystemTime(Date.now() + 9_900);
      return says(500)(null);
    };
    const silent: Reply = async (signal) => {
      const response = hangs(signal);
      return Promise.resolve(response).finally(() => vi.setSystemTime(Date.now() + 100));
    };
    const { send, requests } = scriptedTransport([slow, silent]);

    expect(await rejection(send("GetItem", {}))).toBeInstanceOf(TableUnavailable);
    expect(requests).toHaveLength(2);
    expect(performance.now() - began).toBeLessThan(1_500);
  });
});
