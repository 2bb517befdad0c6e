import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPlausibleId, isTimeOrdered, newId } from "../../src/shared/ids.ts";

const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe("a new id", () => {
  it("is a UUID of version 7 that carries its millisecond", () => {
    fc.assert(
      fc.property(moment, (now) => {
        const id = newId(now);

        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
      }),
    );
  });

  it("sorts by the millisecond it was made in", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        fc.pre(a < b);
        expect(newId(a) < newId(b)).toBe(true);
      }),
    );
  });

  it("is made of the present unless told", () => {
    const id = newId();

    expect(Math.abs(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - Date.now())).toBeLessThan(1_000);
  });

  it("is like no other of the same millisecond", () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId(1))).size).toBe(10_000);
  });

  it("is known for time-ordered, and a random one is not", () => {
    expect(isTimeOrdered(newId())).toBe(true);
    expect(Array.from({ length: 100 }, () => crypto.randomUUID()).some(isTimeOrdered)).toBe(false);
    expect(isTimeOrdered("")).toBe(false);
  });
});

describe("a plausible id", () => {
  it.each(["a", newId(), crypto.randomUUID(), "A_b-9", "x".repeat(128)])("may be %s", (id) => {
    expect(isPlausibleId(id)).toBe(true);
  });

  it.each(["", "x".repeat(129), "a b", "a#b", "a/b", "../x", "é", "a\n", "%00", "a.b"])("is not %j", (id) => {
    expect(isPlausibleId(id)).toBe(false);
  });
});
