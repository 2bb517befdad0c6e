import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { type Proxy, type ProxyBehaviour, startProxy } from "../../bench/stand/proxy.ts";
import { ensureTable } from "../../scripts/table.ts";
import { TableClient } from "../../src/table/client.ts";
import { createTransport } from "../../src/table/transport.ts";

const REGION = "us-east-1";
const TABLE = "bench-proxy";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const QUIET: ProxyBehaviour = { delayMs: 0, conflicts: false, faults: 0 };
const key = { pk: "bench-proxy", sk: "1" };

async function proxied(behaviour: Partial<ProxyBehaviour> = {}, upstream = inject("dynamodb")) {
  const proxy = await startProxy(upstream, { ...QUIET, ...behaviour });
  onTestFinished(proxy.stop);
  return { proxy, table: tableAt(proxy.url) };
}

const tableAt = (endpoint: string) =>
  new TableClient({
    send: createTransport({ endpoint, region: REGION, credentials }),
    table: TABLE,
    now: Date.now,
  });

const unitsOf = (proxy: Proxy) =>
  proxy.takeRequests().map(({ operation, reads, writes }) => ({ operation, reads, writes }));

describe("the proxy of the benchmarks", () => {
  beforeAll(() => ensureTable({ endpoint: inject("dynamodb"), region: REGION, table: TABLE, credentials }));

  it("counts a write unit per kilobyte, twice in a transaction, and a read unit per 4 KB", async () => {
    const { proxy, table } = await proxied();
    const item = { ...key, text: "x".repeat(5_500) };

    await table.put(item);
    await table.get(key);
    await table.transact([{ put: item }]);

    expect(unitsOf(proxy)).toEqual([
      { operation: "PutItem", reads: 0, writes: 6 },
      { operation: "GetItem", reads: 2, writes: 0 },
      { operation: "TransactWriteItems", reads: 0, writes: 12 },
    ]);
  });

  it("returns each request once", async () => {
    const { proxy, table } = await proxied();

    await table.get(key);

    expect(proxy.takeRequests()).toHaveLength(1);
    expect(proxy.takeRequests()).toHaveLength(0);
  });
});

describe("the proxy of the benchmarks, in front of a database that takes its time,", () => {
  const upstream = createServer();
  const arrived: (() => void)[] = [];
  let url = "";
  beforeAll(async () => {
    upstream.on("request", (request, response) => {
      request.resume();
      arrived.push(() => response.end("{}"));
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    upstream.close();
    upstream.closeAllConnections();
  });

  it("refuses a transaction that meets another one at an item, as DynamoDB does", async () => {
    const { proxy, table } = await proxied({ conflicts: true }, url);

    const first = table.transact([{ put: key }]);
    await expect.poll(() => arrived).toHaveLength(1);
    const second = table.transact([{ put: key }]);
    await expect.poll(() => proxy.takeRequests()).toMatchObject([{ conflicted: true }]);
    arrived.shift()?.();
    await first;
    // It is repeated, and now nothing is in its way.
    await expect.poll(() => arrived).toHaveLength(1);
    arrived.shift()?.();

    await expect(second).resolves.toBeUndefined();
  });
});
