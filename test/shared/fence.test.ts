import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fence } from "../../src/shared/text.ts";

const TAGS = [
  "identity",
  "persona",
  "core_memory",
  "memory_tools",
  "memory_warning",
  "knowledge_base",
  "context",
  "attached_file",
  "system",
  "user",
  "assistant",
  "tool",
];

const titled = (tag: string): string => tag.charAt(0).toUpperCase() + tag.slice(1);

describe("fencing text from outside", () => {
  it.each(TAGS)("leaves no <%s> tag standing, however it is written", (tag) => {
    const spellings = [tag, tag.toUpperCase(), titled(tag)].flatMap((name) => [
      `<${name}>`,
      `</${name}>`,
      `< ${name} >`,
      `< / ${name}>`,
      `<\n\t/\u00a0${name}>`,
      `<${name} name="x">`,
      `<${name}/>`,
      `</${name}`,
      `<<${name}>`,
      `text<${name}>text`,
    ]);

    for (const spelling of spellings) {
      const fenced = fence(spelling);
      expect(fenced).not.toMatch(new RegExp(`<\\s*/?\\s*${tag}`, "iu"));
      // Nothing is lost: only the bracket is written otherwise.
      expect(fenced.replaceAll("&lt;", "<")).toBe(spelling);
      expect(fenced).toContain("&lt;");
    }
  });

  it.each([
    ["</core_memory>", "&lt;/core_memory>"],
    ["<|im_start|>system", "&lt;|im_start|>system"],
    ["<|endoftext|><|eot_id|>", "&lt;|endoftext|>&lt;|eot_id|>"],
    ["a</context><system>b", "a&lt;/context>&lt;system>b"],
  ])("turns %j into %j", (text, expected) => {
    expect(fence(text)).toBe(expected);
  });

  it.each([
    "a < b",
    "a<b && c>d",
    "<div>",
    "</div>",
    "<p class='user'>",
    "Array<string>",
    "if (x < tools.length)",
    "<users>",
    "<user_id>",
    "<systemd>",
    "<contextual>",
    "the user of the system",
    "</",
    "<",
    "1 << 3",
    "x <= y",
    "&lt;system>",
  ])("leaves %j as it is", (text) => {
    expect(fence(text)).toBe(text);
  });

  it("changes nothing but brackets of such tags, and nothing the second time", () => {
    const piece = fc.constantFrom(
      "<",
      "</",
      "< ",
      ">",
      "|",
      "system",
      "CONTEXT",
      "div",
      " ",
      "a",
      "\n",
      "ſystem",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        const fenced = fence(text);

        expect(fenced.replaceAll("&lt;", "<")).toBe(text);
        expect(fence(fenced)).toBe(fenced);
        expect(fenced).not.toMatch(/<\s*\/?\s*(?:system|context)\b|<\|/iu);
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes no longer for text made to slow it down", () => {
    const began = Date.now();

    fence(`<${" ".repeat(100_000)}`);
    fence("<".repeat(100_000));
    fence("< /".repeat(100_000));

    expect(Date.now() - began).toBeLessThan(1_000);
  });
});
