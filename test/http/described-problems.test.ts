import { expect, it } from "vitest";
import { anonymous } from "../support/app.ts";
import { checkingProblems, expectDescribedProblem } from "./described-problems.ts";

const answered = (method: string, path: string, code: string) => () =>
  expectDescribedProblem(method, path, { body: { code } });

it("accepts problems that the description of the operation names", () => {
  expect(answered("GET", "/agents", "unauthenticated")).not.toThrow();
  expect(answered("HEAD", "/agents?limit=1", "validation-failed")).not.toThrow();
  expect(answered("POST", "/agents/a/b/send-message", "conversation-busy")).not.toThrow();
});

it("fails for a problem that the description of the operation does not name", () => {
  expect(answered("GET", "/agents", "gone")).toThrow(
    "listAgents was answered with gone, which its docs do not name.",
  );
  expect(answered("GET", "/agents/supported-models", "not-found")).toThrow("getCreateAgentForm");
});

it("says nothing about answers that are no problems, and about paths without an operation", () => {
  expect(() => expectDescribedProblem("GET", "/agents", { body: [] })).not.toThrow();
  expect(() => expectDescribedProblem("GET", "/health", { body: "" })).not.toThrow();
  expect(answered("GET", "/nothing", "not-found")).not.toThrow();
  expect(answered("PUT", "/agents", "method-not-allowed")).not.toThrow();
});

it("looks at every answer of a client that is checked", async () => {
  const { status, body } = await checkingProblems(anonymous)("GET", "/agents");

  expect([status, body.code]).toEqual([401, "unauthenticated"]);
});
