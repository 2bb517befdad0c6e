import { describe, expect, it } from "vitest";
import { readOptions } from "../../widget/src/options.ts";

const KEY = { key: "pk_live_1" };

describe("the attributes of the widget's script tag", () => {
  it("have defaults, but for the key", () => {
    expect(readOptions(KEY, "en-GB")).toEqual({
      problems: [],
      options: {
        key: "pk_live_1",
        agentId: undefined,
        title: undefined,
        greeting: undefined,
        colour: { accent: "#4f46e5", onAccent: "#ffffff" },
        position: "right",
        theme: "auto",
        language: "en",
        userToken: undefined,
        userTokenCallback: undefined,
      },
    });
    expect(readOptions({ key: " " }, "en")).toEqual({
      options: undefined,
      problems: ["data-key is missing: it is the publishable key of the agent, pk_…."],
    });
  });

  it("are taken as they are written", () => {
    const { options, problems } = readOptions(
      {
        ...KEY,
        agent: "a",
        title: "Ask us",
        greeting: "Hi!",
        position: "left",
        theme: "dark",
        language: "fr",
      },
      "de",
    );

    expect(problems).toEqual([]);
    expect(options).toMatchObject({ agentId: "a", title: "Ask us", greeting: "Hi!" });
    expect(options).toMatchObject({ position: "left", theme: "dark", language: "fr" });
  });

  it.each([
    ["de-AT", "de"],
    ["ES", "es"],
    ["nl", "en"],
    ["", "en"],
  ])("leave the language to the page: %j means %s", (page, language) => {
    expect(readOptions(KEY, page).options?.language).toBe(language);
  });

  it("are reported if they are wrong, and have their defaults", () => {
    const { options, problems } = readOptions(
      { ...KEY, colour: "red; x", position: "top", theme: "blue" },
      "en",
    );

    expect(problems).toEqual([
      "data-colour must be a colour such as #0a7d5a.",
      'data-position must be one of right, left, not "top".',
      'data-theme must be one of auto, light, dark, not "blue".',
    ]);
    expect(options).toMatchObject({ colour: { accent: "#4f46e5" }, position: "right", theme: "auto" });
  });

  it.each([
    ["#fff", "#ffffff", "#000000"],
    ["#000", "#000000", "#ffffff"],
    ["#FFD400", "#FFD400", "#000000"],
    ["#0a6b52", "#0a6b52", "#ffffff"],
    ["#888888", "#888888", "#000000"],
  ])("have black or white on a colour, whichever is easier to read: %s", (colour, accent, onAccent) => {
    expect(readOptions({ ...KEY, colour }, "en").options?.colour).toEqual({ accent, onAccent });
  });
});
