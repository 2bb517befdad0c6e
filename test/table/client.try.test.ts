import { describe, expect, it } from "vitest";
import { TableRejected } from "../../src/table/errors.ts";
import { absent, equals, present } from "../../src/table/expressions.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";

const CHANGES = { set: { n: 2 } };

describe("a conditional write", () => {
  it("returns true if its condition holds", async () => {
    const [item, removed, updated] = [freshKey(), freshKey(), freshKey()];
    await quickTable.batchWrite([{ put: removed }, { put: updated }]);

    expect(await quickTable.tryPut(item, absent("pk"))).toBe(true);
    expect(await quickTable.tryRemove(removed, present("pk"))).toBe(true);
    expect(await quickTable.tryUpdate(updated, CHANGES, present("pk"))).toBe(true);
    expect(await quickTable.batchGet([item, removed, updated])).toEqual([
      item,
      undefined,
      { ...updated, n: 2 },
    ]);
  });

  it("returns false and changes nothing if its condition does not hold", async () => {
    const item = { ...freshKey(), n: 1 };
    await quickTable.put(item);

    expect(await quickTable.tryPut({ ...item, n: 2 }, absent("pk"))).toBe(false);
    expect(await quickTable.tryRemove(item, equals("n", 2))).toBe(false);
    expect(await quickTable.tryUpdate(item, CHANGES, equals("n", 2))).toBe(false);
    expect(await quickTable.get(item)).toEqual(item);
  });

  it("returns the item that it has written, or the one that refused it", async () => {
    const item = { ...freshKey(), n: 1 };

    expect(await quickTable.putOrRefusal(item, absent("pk"))).toMatchObject({ applied: true });
    expect(await quickTable.putOrRefusal(item, absent("pk"))).toEqual({ applied: false, item });
    expect(await quickTable.updateOrRefusal(item, CHANGES, equals("n", 3))).toEqual({ applied: false, item });
    const changed = { ...item, n: 2 };
    expect(await quickTable.updateOrRefusal(item, CHANGES, equals("n", 1))).toEqual({
      applied: true,
      item: changed,
    });
    const missing = await quickTable.updateOrRefusal(freshKey(), CHANGES, present("pk"));
    expect(missing).toEqual({ applied: false, item: undefined });
  });

  it("returns true if the answer to its first attempt was lost", async () => {
    const item = { ...freshKey(), n: 1 };
    await quickTable.put(item);
    await injectFault({ match: [item.pk], fault: { kind: "lose-answer" } });

    expect(await quickTable.tryUpdate(item, CHANGES, equals("n", 1))).toBe(true);

    const requests = await databaseRequests(item.pk);
    expect(requests.filter(({ operation }) => operation === "UpdateItem")).toHaveLength(2);
  });

  it("throws every other error", async () => {
    const { pk } = freshKey();
    const empty = { pk, sk: "" };

    expect(await rejection(quickTable.tryPut(empty, absent("pk")))).toBeInstanceOf(TableRejected);
    expect(await rejection(quickTable.tryTransact([{ put: empty }]))).toBeInstanceOf(TableRejected);
  });
});

describe("a transaction that may be refused", () => {
  it("returns true, or false and changes nothing", async () => {
    const item = freshKey();
    const actions = [{ put: item, if: absent("pk") }, { put: { ...item, sk: "other" } }];

    expect(await quickTable.tryTransact(actions)).toBe(true);
    await quickTable.remove({ ...item, sk: "other" });
    expect(await quickTable.tryTransact(actions)).toBe(false);
    expect(await quickTable.query(item.pk)).toEqual([item]);
  });

  it("returns the positions of the failed conditions with the existing items", async () => {
    const existing = { ...freshKey(), n: 1 };
    await quickTable.put(existing);

    const refusal = await quickTable.transactOrRefusal([
      { put: freshKey() },
      { put: existing, if: absent("pk") },
      { check: freshKey(), if: present("pk") },
    ]);

    expect([...(refusal ?? [])]).toEqual([
      [1, existing],
      [2, undefined],
    ]);
    expect(await quickTable.transactOrRefusal([{ put: existing }])).toBeUndefined();
  });
});
