import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derivedId, isOurs, isPlausibleId, isTimeOrdered, newId } from "../../src/shared/ids.ts";

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

  it("sorts by the millisecond of its creation", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        fc.pre(a < b);
        expect(newId(a) < newId(b)).toBe(true);
      }),
    );
  });

  it("uses the current time by default", () => {
    const before = Date.now();
    const id = newId();

    const createdAt = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    expect(createdAt).toBeGreaterThanOrEqual(before);
    expect(createdAt).toBeLessThanOrEqual(Date.now());
  });

  it("is distinct from others of the same millisecond", () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId(1))).size).toBe(10_000);
  });

  it("is recognised as time-ordered, unlike a random one", () => {
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

describe("an id that stands for a digest", () => {
  const digest = fc.uint8Array({ minLength: 16, maxLength: 32 });

  it("is a UUID of version 8, the same for the same digest, and recognised as this service's", () => {
    fc.assert(
      fc.property(digest, (bytes) => {
        const id = derivedId(bytes);

        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(derivedId(Uint8Array.from(bytes))).toBe(id);
        expect([isOurs(id), isPlausibleId(id), isTimeOrdered(id)]).toEqual([true, true, false]);
      }),
    );
  });

  it("differs for digests that differ", () => {
    expect(derivedId(new Uint8Array(32))).not.toBe(derivedId(new Uint8Array(32).fill(1)));
  });
});

it("recognises random ids, and other text, as not made by this service", () => {
  expect(isOurs(newId())).toBe(true);
  for (const id of [crypto.randomUUID(), "nonsense", ""]) expect(isOurs(id)).toBe(false);
});
