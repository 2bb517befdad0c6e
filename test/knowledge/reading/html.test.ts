import { describe, expect, it } from "vitest";
import { readHtml } from "../../../src/knowledge/reading/html/read-html.ts";
import { HOSTILE_SIZES } from "./pages/hostile.ts";

const URL_OF_PAGE = "https://site.example/docs/page";
const FILLER =
  "<p>This paragraph makes sure that there is enough text on the page to be read as its content.</p>";

/** Returns the Markdown of content within a page. */
const markdownOf = (content: string) => readHtml(`<main>${content}</main>`, URL_OF_PAGE).markdown;
const page = (head: string, body = FILLER) =>
  readHtml(`<html>${head}<body>${body}</body></html>`, URL_OF_PAGE);

describe("Markdown of HTML", () => {
  it("has headings without their permalinks", () => {
    expect(
      markdownOf('<h2 id="a">Usage <a class="headerlink" href="#a">¶</a></h2><h3><a href="#b">Link</a></h3>'),
    ).toBe("## Usage\n\n### Link");
  });

  it("has absolute links, and the text only of links within the page", () => {
    expect(markdownOf('<p>See <a href="../a?b=1#c">the guide</a> and <a href="#x">below</a>.</p>')).toBe(
      "See [the guide](https://site.example/a?b=1#c) and below.",
    );
  });

  it("resolves links against the base address of the page", () => {
    const { markdown, links } = page('<base href="/other/">', `${FILLER}<p>See <a href="a">this</a>.</p>`);

    expect(markdown).toContain("[this](https://site.example/other/a)");
    expect(links).toEqual(["https://site.example/other/a"]);
  });

  it("has no links that run scripts", () => {
    expect(
      markdownOf('<p><a href="javascript:alert(1)">Run</a> <a href="data:text/html,x">Open</a></p>'),
    ).toBe("Run Open");
  });

  it.each([
    ['<pre><code class="language-ts">a < b</code></pre>', "ts"],
    ['<div class="highlight-source-js"><pre>a < b</pre></div>', "js"],
    ['<pre data-lang="Bash">a < b</pre>', "bash"],
    ['<pre class="brush: js notranslate">a < b</pre>', "js"],
    ['<pre class="brush: java; toolbar: false">a < b</pre>', "java"],
    [
      '<div class="highlight-python notranslate"><div class="highlight"><pre>a < b</pre></div></div>',
      "python",
    ],
    ["<pre>a < b</pre>", ""],
  ])("has the language of the code block %s", (html, language) => {
    expect(markdownOf(html)).toBe(`\`\`\`${language}\na < b\n\`\`\``);
  });

  it("keeps the lines and the indentation of code, and fences it longer than any fence in it", () => {
    expect(markdownOf("<pre>\nif x:\n    ```\n    y</pre>")).toBe("````\nif x:\n    ```\n    y\n````");
  });

  it("nests lists, and continues the numbers of an ordered one", () => {
    expect(markdownOf('<ol start="3"><li>three<ul><li>a<li>b</ul><li>four<p>more</p></ol>')).toBe(
      "3. three\n   - a\n   - b\n4. four\n\n   more",
    );
  });

  it("escapes bars in tables, and repeats cells that span others", () => {
    expect(
      markdownOf(
        "<table><tr><th>A</th><th>B|C</th><th>D</th></tr><tr><td colspan=2>both</td><td>d</td></tr><tr><td rowspan=2>two</td><td>1</td></tr><tr><td>2</td></tr></table>",
      ),
    ).toBe("| A | B\\|C | D |\n| --- | --- | --- |\n| both | both | d |\n| two | 1 |  |\n| two | 2 |  |");
  });

  it("does not repeat the title row of a table", () => {
    expect(
      markdownOf("<table><tr><th colspan=2>Kettle</th></tr><tr><td>Weight</td><td>1 kg</td></tr></table>"),
    ).toBe("| Kettle |  |\n| --- | --- |\n| Weight | 1 kg |");
  });

  it("writes tables that arrange a page as blocks, and the table of data in them as a table", () => {
    expect(
      markdownOf(
        "<table><tr><td><h2>Prices</h2><table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table></td><td><p>Text</p></td></tr></table>",
      ),
    ).toBe("## Prices\n\n| a | 1 |\n| --- | --- |\n| b | 2 |\n\nText");
  });

  it("has definitions, quotations, details and captions", () => {
    expect(
      markdownOf(
        "<dl><dt>Term</dt><dd>Meaning</dd></dl><blockquote><p>One</p><p>Two</p></blockquote><details><summary>Why?</summary>Because.</details><figure><img src='/a.png' alt='A map'><figcaption>Map 1</figcaption></figure>",
      ),
    ).toBe(
      "Term\n: Meaning\n\n> One\n>\n> Two\n\nWhy?\n\nBecause.\n\n![A map](https://site.example/a.png)\n\nMap 1",
    );
  });

  it("has formulas as TeX", () => {
    expect(
      markdownOf(
        '<p>Area: <math><semantics><mi>r</mi><annotation encoding="application/x-tex">\\pi r^2</annotation></semantics></math> and <math alttext="a+b"><mi>a</mi></math></p>',
      ),
    ).toBe("Area: $\\pi r^2$ and $a+b$");
  });

  it("escapes text that Markdown would take for a heading or a list", () => {
    expect(markdownOf("<p># not a heading</p><p>1. not a list</p><p>- nor this</p>")).toBe(
      "\\# not a heading\n\n1\\. not a list\n\n\\- nor this",
    );
  });

  it("leaves out what nobody sees, but not what a click reveals", () => {
    const html = `${FILLER}<div hidden>Draft</div><p style="display: none">Trap</p><span aria-hidden="true">icon</span><p class="sr-only">Reader</p>
      <button aria-expanded="false" aria-controls="more">More</button><div id="more" hidden>Revealed</div><p class="hidden md:block">Wide</p>`;
    const text = markdownOf(html);

    for (const unseen of ["Draft", "Trap", "icon", "Reader"]) expect(text).not.toContain(unseen);
    for (const revealed of ["Revealed", "Wide"]) expect(text).toContain(revealed);
  });

  it("has the title of a teaser once if its picture leads to the same page", () => {
    const teaser = `<article><a href="/lamp"><img alt="Desk lamp" src="/1.jpg"></a><h3><a href="/lamp">Desk lamp</a></h3></article>`;

    expect(
      markdownOf(`${FILLER}${teaser}<p><a href="/map.png"><img alt="A map" src="/2.jpg"></a></p>`),
    ).toMatch(/\n\n### Desk lamp\n\n\[?!\[A map\]/u);
  });

  it("leaves out the box that introduces the author of an article", () => {
    const box = `<div class="author-box"><h4>About Jo Marsh</h4><p>Jo has kept bees for nineteen years.</p></div>`;

    expect(markdownOf(`<article>${FILLER.repeat(5)}${box}</article>`)).not.toContain("Jo Marsh");
    expect(markdownOf(`<div class="author-bio"><p>Jo Marsh keeps bees.</p></div>`)).toContain("Jo Marsh");
  });

  it("keeps questions whose buttons reveal what follows them, with their answers", () => {
    const faq = (question: string, answer: string) =>
      `<div><button aria-expanded="false">${question}</button><div style="display:none"><p>${answer}</p></div></div>`;
    const text = markdownOf(
      `${FILLER}${faq("Is there an app?", "Yes, for two systems.")}
       <div><h3><button aria-expanded="false">May I cancel?</button></h3><div hidden>At any time.</div></div>
       <button aria-expanded="false">Menu</button><ul><li><a href="/a">Prices</a></li></ul>`,
    );

    expect(text).toContain("Is there an app?\n\nYes, for two systems.\n\n### May I cancel?\n\nAt any time.");
    expect(text).not.toContain("Menu");
  });

  it("has the addresses of frames among its links, and not the text for browsers without frames", () => {
    const { links, markdown } = readHtml(
      '<frameset cols="20%,80%"><frame src="toc.html"><frame src="intro.html"><noframes><body>No frames</body></noframes></frameset>',
      URL_OF_PAGE,
    );

    expect(links).toEqual(["https://site.example/docs/toc.html", "https://site.example/docs/intro.html"]);
    expect(markdown).toBe("");
  });

  it("keeps content whose class names a part of the page's frame", () => {
    const prose = FILLER.repeat(5);

    expect(readHtml(`<div class="sidebar-layout footer">${prose}</div>`, null).markdown).toContain(
      "enough text",
    );
    expect(readHtml(`<body class="has-sidebar cookie-notice">${prose}</body>`, null).markdown).toContain(
      "enough",
    );
  });

  it("keeps the comments of a page that consists of comments, and drops those of an article", () => {
    const comments = (count: number) =>
      `<div id="comments">${"<p>I agree with this.</p>".repeat(count)}</div>`;

    expect(readHtml(`<article>${FILLER.repeat(9)}</article>${comments(9)}`, null).markdown).not.toContain(
      "agree",
    );
    expect(readHtml(`<h1>Thread</h1>${comments(40)}`, null).markdown).toContain("agree");
  });
});

describe("what a page says about itself", () => {
  it("has the title without the name of the site, the description and the language", () => {
    const read = page(
      '<html lang="de-AT"><head><title>Preise | Firma</title><meta name="description" content=" Was es kostet. "></head>',
    );

    expect(read).toMatchObject({ title: "Preise", description: "Was es kostet.", language: "de-AT" });
  });

  it("does not take the site's name for the heading of the page", () => {
    const { title, markdown } = page(
      "<title>Slots - The Plume Guide</title>",
      `<div><h1>The Plume Guide</h1></div><main>${FILLER}</main>`,
    );

    expect(title).toBe("Slots");
    expect(markdown).not.toContain("Plume");
  });

  it("puts the heading before content that stands without it", () => {
    const { markdown } = page(
      "<title>Slots - Plume</title>",
      `<div><h1>Slots</h1></div><main>${FILLER}</main>`,
    );

    expect(markdown).toMatch(/^# Slots\n\nThis paragraph/u);
  });

  it.each([
    ['<meta name="robots" content="noindex, follow">', { noindex: true, nofollow: false }],
    ['<meta name="ROBOTS" content="NONE">', { noindex: true, nofollow: true }],
    ['<meta name="googlebot" content="nofollow">', { noindex: false, nofollow: true }],
    ['<meta name="robots" content="index">', { noindex: false, nofollow: false }],
  ])("reads %s", (meta, robots) => {
    expect(page(meta).robots).toEqual(robots);
  });

  it("has the canonical address and the links of the whole page, each once and without fragments", () => {
    const { canonicalUrl, links } = page(
      '<link rel="canonical" href="/docs/page">',
      `<nav><a href="/a#1">A</a><a href="/a#2">A</a><a href="mailto:x@y.example">M</a><a href="//other.example/b">B</a></nav>${FILLER}`,
    );

    expect(canonicalUrl).toBe("https://site.example/docs/page");
    expect(links).toEqual(["https://site.example/a", "https://other.example/b"]);
  });

  it("reports a page that a script draws", () => {
    const { markdown, warning } = page(
      "<script src=app.js></script>",
      '<div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript>',
    );

    expect(markdown).toBe("");
    expect(warning).toBe("no readable text: probably drawn by script");
  });

  it("reads the text for browsers without scripts if there is nothing else", () => {
    const { markdown, warning } = page(
      "<script></script>",
      `<div id="root"></div><noscript>${FILLER}${FILLER}</noscript>`,
    );

    expect(markdown).toContain("enough text");
    expect(warning).toBeNull();
  });
});

describe("hostile pages", () => {
  it.each(Object.entries(HOSTILE_SIZES))("reads %s", (_name, html) => {
    expect(() => readHtml(html(), URL_OF_PAGE)).not.toThrow();
  });

  it("returns at most 5,000 links", () => {
    const links = Array.from({ length: 60_000 }, (_, at) => `<a href="/${at}">x</a>`).join("");
    expect(readHtml(links, URL_OF_PAGE).links).toHaveLength(5_000);
  });

  it("keeps the text of elements that are nested too deep", () => {
    const html = `${"<div>".repeat(5_000)}<p>deep inside</p>${"</div>".repeat(5_000)}<p>and after</p>`;
    expect(markdownOf(html)).toBe("deep inside\n\nand after");
  });

  it("says that a page with too many elements was cut", () => {
    const { warning } = readHtml(`${FILLER.repeat(9)}${"<b>x</b>".repeat(200_000)}`, URL_OF_PAGE);
    expect(warning).toBe("the page has more than 200,000 elements: what follows them was left out");
  });
});
