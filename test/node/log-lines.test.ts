import { expect, it } from "vitest";
import { createLogReader } from "../../scripts/log-lines.ts";

const shown = (lines: readonly string[], color = false) => {
  const read = createLogReader({ color, time: () => "12:00:00" });
  return lines.flatMap((line) => read(line));
};

const request = (status: number) =>
  JSON.stringify({ message: "request", method: "GET", route: "/agents/:id", status, ms: 12, requestId: "r" });

it("shows a request in one line", () => {
  expect(shown([request(200)])).toEqual(["12:00:00 GET /agents/:id 200 12 ms"]);
});

it.each([
  [200, 32],
  [302, 36],
  [404, 33],
  [503, 31],
])("colours the status %i", (status, color) => {
  expect(shown([request(status)], true)[0]).toContain(`\u001b[${color}m${status}\u001b[39m`);
});

it("shows a logged error in one line, and a stack only if it is unexpected", () => {
  const error = (code: string) => [
    "✘ [ERROR] {",
    "    message: 'Stripe not configured',",
    `    code: '${code}',`,
    "    cause: Error: Missing configuration: STRIPE_SECRET_KEY",
    "        at createPaymentServices (src/deps/payments.ts:30:14)",
    "  }",
  ];
  const line = "error Stripe not configured code=%s cause=Error: Missing configuration: STRIPE_SECRET_KEY";

  expect(shown([...error("unavailable"), "next"])).toEqual([
    `12:00:00 ${line.replace("%s", "unavailable")}`,
    "next",
  ]);
  expect(shown(error("internal"))).toEqual([
    `12:00:00 ${line.replace("%s", "internal")}`,
    "        at createPaymentServices (src/deps/payments.ts:30:14)",
  ]);
});

it("passes other lines on unchanged, and loses none", () => {
  const lines = ["Hello", "▲ [WARNING] {", "  no member", "}", "{ half", "", "[1]"];
  expect(shown(lines).filter((line) => line !== "")).toEqual(lines.filter((line) => line !== ""));
});
