import { describe, expect, it } from "vitest";
import { table } from "./support/app.ts";
import { databaseRequests, endFaults, injectFault, untilMet } from "./support/control.ts";
import type { FaultRule } from "./support/control-protocol.ts";

/** A refusal that the client of the table does not retry. */
const fault = {
  kind: "answer",
  status: 400,
  body: { __type: "x#ValidationException", message: "No." },
} as const;

/** What the client of the table throws for it. */
const REFUSED = "Something went wrong on our side.";

/** A key, and a rule that its requests meet. */
function keyAndRule(more: Partial<FaultRule> = {}) {
  const pk = `Nothing#${crypto.randomUUID()}`;
  return { key: { pk, sk: "-" }, rule: { match: [pk], fault, ...more } };
}

it.each(["EndUser#visitor", "McpCall#", "UpdateItem", "A lost talk", "Usage#2026-11"])(
  "refuses %j, which requests of other files that run at the same time can contain",
  async (text) => {
    const id = crypto.randomUUID();

    await expect(injectFault({ match: [id, text], fault: { kind: "refuse" } })).rejects.toThrow(`"${text}"`);
    await expect(databaseRequests(id, text)).rejects.toThrow(`"${text}"`);
    expect(await databaseRequests(id)).toEqual([]);
  },
);

it("fails a test if no request meets its fault, and says which", async () => {
  const { rule } = keyAndRule({ operation: "Query" });
  await injectFault(rule);

  await expect(endFaults()).rejects.toThrow(`No request has met the fault ${JSON.stringify(rule)}.`);
});

it("waits until requests have met all faults", async () => {
  const { key, rule } = keyAndRule();
  const other = keyAndRule();
  for (const each of [rule, other.rule]) await injectFault(each);
  let isMet = false;
  const met = untilMet().then(() => (isMet = true));

  await expect(table.get(key)).rejects.toThrow(REFUSED);
  expect(isMet).toBe(false);
  await expect(table.get(other.key)).rejects.toThrow(REFUSED);
  await met;
});

it("meets the first request however unlikely a fault is", async () => {
  const { key, rule } = keyAndRule({ probability: 0, times: 2 });
  await injectFault(rule);

  await expect(table.get(key)).rejects.toThrow(REFUSED);
  expect(await table.get(key)).toBeUndefined();
});

describe("a fault", () => {
  const { key, rule } = keyAndRule({ times: 1_000 });

  it("lasts while its test runs", async () => {
    await injectFault(rule);

    for (let n = 0; n < 2; n++) await expect(table.get(key)).rejects.toThrow(REFUSED);
  });

  it("has ended when the next test begins", async () => {
    expect(await table.get(key)).toBeUndefined();
  });
});
