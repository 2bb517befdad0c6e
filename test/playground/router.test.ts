import { describe, expect, it } from "vitest";
import { href, parametersOf, segmentsOf } from "../../playground/src/router.ts";

describe("addresses", () => {
  it.each([
    ["", []],
    ["#", []],
    ["#/", []],
    ["#/agents", ["agents"]],
    ["#agents/new", ["agents", "new"]],
    ["#/chat/a%2Fb/c%20d", ["chat", "a/b", "c d"]],
    ["#/chat//c/", ["chat", "c"]],
    ["#/sign-in?error=auth_failed", ["sign-in"]],
    ["#/chat/%E0%A4%A", ["chat", "%E0%A4%A"]],
  ])("are read: %j", (hash, expected) => {
    expect(segmentsOf(hash)).toEqual(expected);
  });

  it.each([["agents"], ["chat/a", "b c", "#?%"], ["knowledge", "ä"]])(
    "lead back to what they were made from",
    (...segments) => {
      expect(segmentsOf(href(...segments))).toEqual(segments);
    },
  );

  it("have parameters", () => {
    expect(parametersOf("#/sign-in?error=auth_failed&x=1").get("error")).toBe("auth_failed");
    expect([...parametersOf("#/agents")]).toEqual([]);
  });
});
