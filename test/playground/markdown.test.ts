import { describe, expect, it } from "vitest";
import { type Block, parseMarkdown } from "../../playground/src/chat/markdown-blocks.ts";
import { type Inline, parseInline, plainText, safeUrl } from "../../playground/src/chat/markdown-inline.ts";

/** Writes pieces as a text in which every element is visible: `<strong>a</strong>`. */
const shown = (pieces: readonly Inline[]): string =>
  pieces
    .map((piece) => {
      switch (piece.type) {
        case "text":
          return piece.text;
        case "break":
          return "⏎";
        case "code":
          return `<code>${piece.text}</code>`;
        case "link":
          return `<a ${piece.url}>${shown(piece.children)}</a>`;
        case "image":
          return `<img ${piece.url}>${piece.text}</img>`;
        case "reference":
          return `<ref ${piece.number}>`;
        case "strong":
        case "emphasis":
        case "deleted":
          return `<${piece.type}>${shown(piece.children)}</${piece.type}>`;
      }
    })
    .join("");

const inline = (text: string) => shown(parseInline(text));

/** Writes blocks the same way. */
const outline = (blocks: readonly Block[]): string =>
  blocks
    .map((block) => {
      switch (block.type) {
        case "paragraph":
          return `p(${shown(block.inline)})`;
        case "heading":
          return `h${block.level}(${shown(block.inline)})`;
        case "code":
          return `code[${block.language}](${block.text})`;
        case "quote":
          return `quote(${outline(block.blocks)})`;
        case "list":
          return `${block.start === undefined ? "ul" : `ol${block.start}`}(${block.items.map((item) => `li(${outline(item)})`).join("")})`;
        case "table":
          return `table(${[block.header, ...block.rows].map((row) => row.map(shown).join("|")).join("/")})`;
        case "rule":
          return "hr";
      }
    })
    .join(" ");

const blocks = (text: string) => outline(parseMarkdown(text));

/** Every address in a document. */
function urlsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "url" && typeof inner === "string" ? [inner] : urlsIn(inner),
  );
}

describe("marks within a paragraph", () => {
  it.each([
    ["plain", "plain"],
    ["a **b** c", "a <strong>b</strong> c"],
    ["a *b* _c_", "a <emphasis>b</emphasis> <emphasis>c</emphasis>"],
    ["***both***", "<strong><emphasis>both</emphasis></strong>"],
    ["**a *b* c**", "<strong>a <emphasis>b</emphasis> c</strong>"],
    ["~~gone~~ and ~about~", "<deleted>gone</deleted> and ~about~"],
    ["`a *b* c`", "<code>a *b* c</code>"],
    ["``a ` b``", "<code>a ` b</code>"],
    ["a\nb", "a⏎b"],
    ["\\*not\\* emphasised", "*not* emphasised"],
    ["snake_case_name", "snake_case_name"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    ["[a **b**](https://example.com/x)", "<a https://example.com/x>a <strong>b</strong></a>"],
    ["[a](https://example.com/wiki/B_(c))", "<a https://example.com/wiki/B_(c)>a</a>"],
    ['[a](https://example.com "a title")', "<a https://example.com/>a</a>"],
    ["[mail](mailto:a@example.com)", "<a mailto:a@example.com>mail</a>"],
    ["See https://example.com/a?b=c.", "See <a https://example.com/a?b=c>https://example.com/a?b=c</a>."],
    ["(https://example.com)", "(<a https://example.com/>https://example.com</a>)"],
    ["As it says [1][2].", "As it says <ref 1><ref 2>."],
    ["![a cat](https://example.com/cat.png)", "<img https://example.com/cat.png>a cat</img>"],
  ])("are read in %j", (text, expected) => {
    expect(inline(text)).toBe(expected);
  });

  it.each([
    ["**open", "**open"],
    ["`open", "`open"],
    ["[open", "[open"],
    ["[a](https://example.com", "[a](<a https://example.com/>https://example.com</a>"],
    ["a ] b ** c", "a ] b ** c"],
    ["****", "****"],
  ])("that nothing closes are text: %j", (text, expected) => {
    expect(inline(text)).toBe(expected);
  });

  it("work behind many brackets that were no links", () => {
    expect(inline(`${"[ ] todo ".repeat(20)}**done**`)).toMatch(/<strong>done<\/strong>$/u);
  });

  it("keep every character of the text, whatever nests in what", () => {
    const text = "*a **b *c [d _e ~~f `g` h** i* j](x) k";

    expect(plainText(parseInline(text)).replaceAll(/[*_~`]/gu, "")).toBe(text.replaceAll(/[*_~`]/gu, ""));
  });

  it("contain no link within a link", () => {
    const found = inline(
      "[see https://example.com and ![x](https://example.org/x.png)](https://example.net)",
    );

    expect(found.match(/<a /gu)).toHaveLength(1);
    expect(found).not.toContain("<img");
  });
});

describe("blocks", () => {
  it.each([
    ["# A\n## B ##\ntext", "h1(A) h2(B) p(text)"],
    ["a\nb\n\nc", "p(a⏎b) p(c)"],
    ["- a\n- b", "ul(li(p(a))li(p(b)))"],
    ["3. a\n4. b", "ol3(li(p(a))li(p(b)))"],
    ["- a\n  - b\n    - c\n- d", "ul(li(p(a) ul(li(p(b) ul(li(p(c))))))li(p(d)))"],
    ["1. a\n   - b\n2. c", "ol1(li(p(a) ul(li(p(b))))li(p(c)))"],
    ["- a\n\n- b", "ul(li(p(a))li(p(b)))"],
    ["text\n- a", "p(text) ul(li(p(a)))"],
    ["- a\n\nafter", "ul(li(p(a))) p(after)"],
    ["> a\n> b\n\nc", "quote(p(a⏎b)) p(c)"],
    ["```ts\nconst a = 1;\n\n# no heading\n```\nb", "code[ts](const a = 1;\n\n# no heading) p(b)"],
    ["~~~\na\n~~~", "code[](a)"],
    ["- a\n  ```\n  b\n  ```", "ul(li(p(a) code[](b)))"],
    ["a\n\n---\n\nb", "p(a) hr p(b)"],
    ["| a | b |\n|---|:-:|\n| 1 | `x|y` |", "table(a|b/1|`x)"],
    ["| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |", "table(a|b/1/1|2)"],
    ["a | b", "p(a | b)"],
    ["a\r\nb", "p(a⏎b)"],
    ["", ""],
  ])("are found in %j", (text, expected) => {
    expect(blocks(text)).toBe(expected);
  });

  it("end with the document if they are open, as while an answer arrives", () => {
    expect(blocks("```py\nprint(1)")).toBe("code[py](print(1))");
    expect(blocks("| a | b |\n|---|---|\n| 1")).toBe("table(a|b/1)");
  });

  it("nest a bounded number of times", () => {
    const deep = blocks(`${"> ".repeat(5_000)}end`);

    expect(deep.match(/quote\(/gu)?.length).toBeLessThanOrEqual(6);
    expect(deep).toContain("end");
  });

  it("have tables with a bounded number of columns, and no cell that was not written", () => {
    const wide = `|${" a |".repeat(5_000)}\n|${"---|".repeat(5_000)}\n| 1 |`;

    const [table] = parseMarkdown(wide);

    expect(table).toMatchObject({ type: "table", rows: [[[{ type: "text", text: "1" }]]] });
    expect(table?.type === "table" && table.header.length).toBe(40);
  });
});

describe("hostile text", () => {
  it.each([
    "<script>alert(1)</script>",
    '<img src="https://evil.example/x" onerror="alert(1)">',
    "<iframe src=javascript:alert(1)>",
    "<!-- comment -->",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;",
  ])("that looks like HTML stays text: %s", (text) => {
    const found = parseMarkdown(text);

    expect(found.map((block) => (block.type === "paragraph" ? plainText(block.inline) : block.type))).toEqual(
      [text],
    );
  });

  it.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.com/1)",
    "[x](//evil.example)",
    "[x](/auth/logout)",
    "[x](\u0001javascript:alert(1))",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "javascript:alert(1)",
  ])("gets no link that is not to a web page or an e-mail address: %s", (text) => {
    expect(urlsIn(parseMarkdown(text))).toEqual([]);
  });

  it("gets links to web pages and e-mail only, whatever surrounds them", () => {
    const text = [
      "**[a](https://example.com)** | [b](javascript:1)",
      "|---|---|",
      "| ![c](http://example.com/c) | [d](mailto:d@example.com) |",
      "> - [e](data:,x) https://example.com/e",
    ].join("\n");

    for (const url of urlsIn(parseMarkdown(text))) expect(url).toMatch(/^(?:https?|mailto):/u);
    expect(urlsIn(parseMarkdown(text))).toHaveLength(4);
  });

  it("cannot make an address long", () => {
    expect(safeUrl(`https://example.com/${"a".repeat(5_000)}`)).toBeUndefined();
  });
});
