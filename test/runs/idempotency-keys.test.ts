import { runIdOf } from "../../src/shared/id-types.ts";
import { expect, it } from "vitest";
import { IdempotencyKeys } from "../../src/runs/idempotency-keys.ts";

const key = { key: "k", bodyHash: "hash" };

/** Keys over a log that knows `k` until the time 100, for a run in this state. */
const keysOf = (state: "opening" | "running" | "ended", time = 0) =>
  new IdempotencyKeys({
    log: {
      findKey: (name, now) =>
        name === "k" && now < 100 ? { runId: runIdOf("run"), bodyHash: "hash" } : undefined,
      hasKey: (runId, now) => runId === "run" && now < 100,
      endOf: () => undefined,
      find: (runId) => (runId === "run" ? { state } : undefined),
    },
    now: () => time,
  });

it("returns the run of a key", () => {
  const keys = keysOf("running");

  expect([keys.isUsed(key), keys.runOf(key)]).toEqual([true, "run"]);
});

it("knows whether a run was begun with a key", () => {
  expect([runIdOf("run"), runIdOf("other"), null].map((id) => keysOf("ended").isOfRun(id))).toEqual([
    true,
    false,
    false,
  ]);
  expect(keysOf("ended", 100).isOfRun(runIdOf("run"))).toBe(false);
});

it.each([
  ["without a key", null, 0],
  ["with a new key", { ...key, key: "other" }, 0],
  ["with a key whose day is over", key, 100],
])("finds no run for a request %s", (_case, given, time) => {
  const keys = keysOf("opening", time);

  expect([keys.isUsed(given), keys.runOf(given), keys.isOpening(given)]).toEqual([false, undefined, false]);
});

it("refuses a key that was used with another request, and reports it as used", () => {
  const keys = keysOf("opening");
  const other = { ...key, bodyHash: "another" };
  const mismatch = expect.objectContaining({ code: "idempotency-mismatch" });

  expect(keys.isUsed(other)).toBe(true);
  expect(() => keys.runOf(other)).toThrow(mismatch);
  expect(() => keys.isOpening(other)).toThrow(mismatch);
});

it.each([
  ["opening", true],
  ["running", false],
  ["ended", false],
] as const)("reports whether a run has yet to be accepted: %s", (state, isOpening) => {
  expect(keysOf(state).isOpening(key)).toBe(isOpening);
});
