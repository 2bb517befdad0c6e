import { expect, it } from "vitest";
import { approvalModeOf } from "../../src/agents/tool-approvals.ts";
import { ada, signUp } from "../support/app.ts";

it("takes the tools that ask as an object, or as lines of a form", async () => {
  const client = await signUp();
  const created = await client("POST", "/agents", { ...ada, tool_approvals: { send_mail: "always" } });
  const path = `/agents/${created.body.agent_id}`;

  const lines = await client("PATCH", path, { tool_approvals: "send_mail: first\n\n* : always" });
  const blank = await client("PATCH", path, { tool_approvals: "" });
  const none = await client("PATCH", path, { tool_approvals: "none" });

  expect(created.body.tool_approvals).toEqual({ send_mail: "always" });
  expect(lines.body.tool_approvals).toEqual({ send_mail: "first", "*": "always" });
  expect(blank.body.tool_approvals).toEqual({ send_mail: "first", "*": "always" });
  expect(none.body.tool_approvals).toEqual({});
});

it.each<[string, unknown]>([
  ["an unknown mode", { send_mail: "sometimes" }],
  ["a line without a mode", "send_mail"],
  ["a name that no tool has", { "a b": "always" }],
  ["a name that objects can't hold", JSON.parse('{"__proto__":"always"}')],
  ["the same in a line", "__proto__: always"],
  ["a list", ["send_mail"]],
  ["too many tools", Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`t${index}`, "always"]))],
])("refuses %s", async (_case, approvals) => {
  const client = await signUp();

  expect((await client("POST", "/agents", { ...ada, tool_approvals: approvals })).status).toBe(422);
});

it("prefers the mode of a tool's own name, and never takes one from the object's prototype", () => {
  const settings = { "*": "always", look_up: "never" } as const;

  expect(approvalModeOf(settings, "look_up")).toBe("never");
  expect(approvalModeOf(settings, "constructor")).toBe("always");
  expect(approvalModeOf({}, "constructor")).toBe("never");
});
