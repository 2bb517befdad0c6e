import { describe, expect, it } from "vitest";
import { isLinear, slowTexts } from "./linear.ts";
import { HARD_TEXTS, MORE_READERS } from "./linear-readers.ts";

describe("reads ten times as much text with at most thirty times the work:", () => {
  it.each(Object.entries(MORE_READERS))("%s", async (_name, read) => {
    expect(await slowTexts(read)).toEqual([]);
  });

  it.each(HARD_TEXTS)("%s", async (_name, read, textOf) => {
    expect(await isLinear(read, textOf)).toBe(true);
  });
});
