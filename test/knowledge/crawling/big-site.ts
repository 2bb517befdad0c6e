import { htmlPage } from "../../support/site.ts";
import type { SitePage, SitePages } from "../../support/site-protocol.ts";
import { CHARSET_PAGES } from "./charset-pages.ts";

/** The kinds of pages that sites are made of. Each writes its navigation and its text in its own way. */
const LAYOUTS: readonly ((title: string, text: string, links: string) => string)[] = [
  (title, text, links) =>
    `<div class="sidebar"><nav>${links}</nav></div><main><article><h1>${title}</h1><p>${text}</p></article></main>`,
  (title, text, links) =>
    `<header>${links}</header><article><h1>${title}</h1><p class="byline">By Ada</p><p>${text}</p></article>`,
  (title, text, links) =>
    `<nav>${links}</nav><div id="product"><h1>${title}</h1><p>${text}</p><table><tr><th>Price</th><td>5</td></tr></table></div>`,
  (title, text, links) =>
    `<nav>${links}</nav><main><h1>${title}</h1><dl><dt>What is it?</dt><dd>${text}</dd></dl></main>`,
  (title, text, links) =>
    `<nav>${links}</nav><main><h1>${title}</h1><div class="post"><p>${text}</p></div><div class="post"><p>Thanks, ${text}</p></div></main>`,
  (title, text, links) =>
    `<main><h1>${title}</h1><p>${text}</p><ul><li>One of the items</li></ul>${links}</main>`,
  (title, text, links) => `<section><h1>${title}</h1><p>${text}</p></section><footer>${links}</footer>`,
  (title, text, links) =>
    `<nav>${links}</nav><main><h1>${title}</h1><h2>2.0</h2><ul><li>${text}</li></ul></main>`,
  (title, text, links) =>
    `<nav>${links}</nav><main><h1>${title}</h1><pre><code class="language-ts">call();</code></pre><p>${text}</p></main>`,
  (title, text, links) =>
    `<div id="toc">${links}</div><div id="content"><h1>${title}</h1><p>${text}</p></div>`,
];

const SECTIONS = 27;
const PAGES_PER_SECTION = 10;

const textOf = (title: string): string =>
  `${title} is about one of many things that a company explains to its customers, in a paragraph of its own that says enough.`;

const anchors = (links: readonly string[]): string =>
  links.map((link) => `<a href="${link}">${link}</a>`).join(" ");

function article(section: number, at: number): SitePage {
  const title = `Article ${at} of section ${section}`;
  const links = [
    `/s${section}/p${(at + 1) % PAGES_PER_SECTION}`,
    // The same page again, in spellings that the canonical form unites.
    `/s${section}/p${at}?utm_source=footer#top`,
    "/",
  ];
  const layout = LAYOUTS[(section + at) % LAYOUTS.length];
  const body = layout?.(title, textOf(title), anchors(links)) ?? "";
  return {
    headers: { etag: `"${section}-${at}"` },
    body: `<!doctype html><html lang="en"><head><title>${title}</title></head><body>${body}</body></html>`,
  };
}

/**
 * A site of 300 pages that can be read, with redirects, duplicates, traps, slow and broken pages between them. Nothing depends on
 * when it is asked.
 */
export function bigSite(): SitePages {
  const sections = Array.from({ length: SECTIONS }, (_, section) => section);
  const days = Array.from({ length: 120 }, (_, day) => `/calendar?day=${day}`);
  const pages: Record<string, SitePage | readonly SitePage[]> = {
    "/robots.txt": {
      headers: { "content-type": "text/plain" },
      body: "User-agent: *\nDisallow: /private\nAllow: /\n",
    },
    "/": {
      body: htmlPage("Home", textOf("Home"), [...sections.map((at) => `/s${at}/`), "/odd", "/charsets"]),
    },
    "/odd": {
      body: htmlPage("Odd pages", textOf("The list of odd pages"), [
        "/moved",
        "/moved-away",
        "/loop",
        "/private/a",
        "/missing",
        "/broken",
        "/half",
        "/script",
        "/picture.png",
        "/deep/a/b/a/b/a/b",
        "/noindex",
        ...days,
      ]),
    },
    "/moved": { status: 301, headers: { location: "/s0/p0" } },
    "/moved-away": { status: 302, headers: { location: "http://elsewhere.example.org/" } },
    "/loop": { status: 302, headers: { location: "/loop" } },
    "/private/a": { body: htmlPage("Private", textOf("Private")) },
    "/broken": { status: 500 },
    "/half": { body: "<p>Half of", headers: { "content-length": "5000" }, fault: "break" },
    "/script": { body: "<html><body><div id=root></div><script>draw()</script></body></html>" },
    "/picture.png": { headers: { "content-type": "image/png" }, body: "PNG" },
    "/noindex": { body: htmlPage("Hidden", textOf("Hidden"), [], '<meta name="robots" content="noindex">') },
    "/charsets": {
      body: htmlPage(
        "Charsets",
        textOf("The list of charsets"),
        CHARSET_PAGES.map(({ charset }) => `/charset/${charset}`),
      ),
    },
  };
  for (const { charset, base64 } of CHARSET_PAGES)
    pages[`/charset/${charset}`] = { headers: { "content-type": "text/html" }, base64 };
  for (const day of days) pages[day] = { body: htmlPage(`Day ${day}`, textOf(`The day ${day}`)) };
  for (const section of sections) {
    const links = Array.from({ length: PAGES_PER_SECTION }, (_, at) => `/s${section}/p${at}`);
    pages[`/s${section}/`] = {
      body: htmlPage(`Section ${section}`, textOf(`Section ${section}`), [...links, `/s${section}`]),
    };
    // The same page without the slash.
    pages[`/s${section}`] = pages[`/s${section}/`] ?? {};
    links.forEach((link, at) => {
      pages[link] = article(section, at);
    });
  }
  return pages;
}
