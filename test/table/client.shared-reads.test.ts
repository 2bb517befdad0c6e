import { expect, it } from "vitest";
import { TableClient } from "../../src/table/client.ts";
import { TableUnavailable } from "../../src/table/errors.ts";
import type { createTransport } from "../../src/table/transport.ts";
import { databaseRequests } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";
import { answers, scriptedTransport, respondsWith } from "./scripted-transport.ts";

const clientOver = (send: ReturnType<typeof createTransport>) =>
  new TableClient({ send, table: "t", now: () => 0, sleep: async () => {} });

const operationsOf = (requests: readonly Request[]) =>
  requests.map(({ headers }) => headers.get("x-amz-target")?.split(".").at(-1));

it("reads items together with the next read, in one request", async () => {
  const { pk } = freshKey();
  const [a, b] = [
    { pk, sk: "a", is: 1 },
    { pk, sk: "b", is: 2 },
  ];
  await quickTable.batchWrite([{ put: a }, { put: b }]);

  const read = [
    quickTable.getBeside(b),
    quickTable.getBeside({ pk, sk: "c" }),
    quickTable.get(a),
    // The next read is the first one only.
    quickTable.get(b),
  ];

  expect(await Promise.all(read)).toEqual([b, undefined, a, b]);
  const operations = (await databaseRequests(pk)).map(({ operation }) => operation);
  expect(operations.slice(1)).toEqual(["BatchGetItem", "GetItem"]);
});

it("reads an item alone if no other read begins", async () => {
  const { send, requests } = scriptedTransport([answers({ Item: { pk: { S: "a" }, sk: { S: "b" } } })]);

  expect(await clientOver(send).getBeside({ pk: "a", sk: "b" })).toEqual({ pk: "a", sk: "b" });

  expect(operationsOf(requests)).toEqual(["GetItem"]);
});

it("fails all reads of a request together", async () => {
  const { send, requests } = scriptedTransport([respondsWith(500)]);
  const table = clientOver(send);

  const [beside, next] = await Promise.all([
    rejection(table.getBeside({ pk: "a", sk: "b" })),
    rejection(table.get({ pk: "a", sk: "c" })),
  ]);

  expect(beside).toBeInstanceOf(TableUnavailable);
  expect(next).toBe(beside);
  expect(new Set(operationsOf(requests))).toEqual(new Set(["BatchGetItem"]));
});
