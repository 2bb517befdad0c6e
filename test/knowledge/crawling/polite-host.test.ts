import * as fc from "fast-check";
import { expect, it } from "vitest";
import { PoliteHost } from "../../../src/knowledge/crawling/polite-host.ts";

function hostAt(start = 1_000_000) {
  const clock = { now: start };
  return { clock, host: new PoliteHost(() => clock.now) };
}

it("lets the first request start, and the second after the pause", () => {
  const { clock, host } = hostAt();

  expect(host.enter("a", 1_000)).toBe(0);
  expect(host.enter("b", 1_000)).toBe(1_000);
  clock.now += 400;
  expect(host.enter("b", 1_000)).toBe(600);
  clock.now += 600;
  expect(host.enter("b", 1_000)).toBe(0);
});

it("lets no third request start until one has ended", () => {
  const { clock, host } = hostAt();
  host.enter("a", 0);
  host.enter("b", 0);

  expect(host.enter("c", 0)).toBeGreaterThan(0);
  host.leave("a");
  expect(host.enter("c", 0)).toBe(0);
  clock.now += 1;
});

it("answers a repeated call for the same request with the place that it has", () => {
  const { host } = hostAt();

  expect(host.enter("a", 1_000)).toBe(0);
  expect(host.enter("a", 1_000)).toBe(0);
});

it("frees the place of a crawler that crashed", () => {
  const { clock, host } = hostAt();
  host.enter("a", 0);
  host.enter("b", 0);
  clock.now += 45_000;

  expect(host.enter("c", 0)).toBe(0);
});

it("lets nobody start while the host asks to wait, at most two minutes", () => {
  const { clock, host } = hostAt();
  host.enter("a", 0);
  host.leave("a", 24 * 60 * 60_000);

  expect(host.enter("b", 0)).toBe(120_000);
  clock.now += 120_000;
  expect(host.enter("b", 0)).toBe(0);
});

it("never has more than two requests at once or starts closer than the pause, whatever the order", () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 5 }),
    action: fc.constantFrom("enter", "leave"),
    after: fc.integer({ min: 0, max: 2_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, host } = hostAt();
      const open = new Set<number>();
      let lastStart = Number.NEGATIVE_INFINITY;
      for (const { id, action, after } of steps) {
        clock.now += after;
        if (action === "leave") {
          host.leave(String(id));
          open.delete(id);
        } else if (!open.has(id) && host.enter(String(id), 1_000) === 0) {
          open.add(id);
          expect(clock.now - lastStart).toBeGreaterThanOrEqual(1_000);
          lastStart = clock.now;
        }
        // Places are freed after 45 seconds, which these steps may take: the oldest do not count then.
        if (steps.length * 2_000 < 45_000) expect(open.size).toBeLessThanOrEqual(2);
      }
    }),
  );
});
