import { describe, expect, it } from "vitest";
import { readSitemap } from "../../../src/knowledge/crawling/sitemap.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const streamOf = (text: string, size = 7): ReadableStream<Uint8Array> => piecesOf(bytesOf(text), size);

/** Awkward pieces: they end in the middle of tags and characters. */
function piecesOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Response(bytes).body?.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const urlset = (...locs: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${locs
    .map((loc) => `<url><loc>${loc}</loc><lastmod>2026-01-01</lastmod></url>`)
    .join("")}</urlset>`;

describe("formats", () => {
  it.each([
    ["an XML sitemap", urlset("https://a.example.com/1", " https://a.example.com/ü?x=1&amp;y=2\n")],
    [
      "a sitemap with namespace prefixes, images and CDATA",
      `<sm:urlset xmlns:image="x"><sm:url><sm:loc><![CDATA[https://a.example.com/1]]></sm:loc>
       <image:image><image:loc>https://a.example.com/picture.png</image:loc></image:image></sm:url>
       <sm:url><sm:loc>https://a.example.com/ü?x=1&#38;y=2</sm:loc></sm:url></sm:urlset>`,
    ],
    ["text", "\uFEFFhttps://a.example.com/1\r\n\r\nhttps://a.example.com/ü?x=1&y=2"],
    [
      "RSS",
      `<rss><channel><link>https://a.example.com/</link><item><title>1</title><link>https://a.example.com/1</link></item>
       <item><link>https://a.example.com/ü?x=1&amp;y=2</link></item></channel></rss>`,
    ],
    [
      "Atom",
      `<feed><link href="https://a.example.com/feed"/><entry><link href="https://a.example.com/1"/>
       <link rel="edit" href="https://a.example.com/edit"/></entry>
       <entry><link rel="alternate" href="https://a.example.com/ü?x=1&amp;y=2"/></entry></feed>`,
    ],
  ])("reads %s", async (_name, text) => {
    expect(await readSitemap(streamOf(text))).toEqual({
      pages: ["https://a.example.com/1", "https://a.example.com/ü?x=1&y=2"],
      sitemaps: [],
      warning: null,
    });
  });

  it.each([
    ["an answer in JSON", '{"error": "not found"}'],
    ["a sentence", "The page was not found.\nPlease go back."],
    ["UTF-16", "\u0000h\u0000t\u0000t\u0000p"],
  ])("finds no addresses in %s", async (_name, text) => {
    expect(await readSitemap(streamOf(text))).toEqual({
      pages: [],
      sitemaps: [],
      warning: "It has no addresses.",
    });
  });

  it("reads an index of sitemaps and leaves relative addresses as they are", async () => {
    const index = "<sitemapindex><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>";

    expect(await readSitemap(streamOf(index))).toEqual({ pages: [], sitemaps: ["/b.xml"], warning: null });
  });

  it("unpacks gzip by its magic bytes", async () => {
    const packed = await gzip(bytesOf(urlset("https://a.example.com/1")));

    expect((await readSitemap(piecesOf(packed, 1))).pages).toEqual(["https://a.example.com/1"]);
  });
});

describe("sitemaps that are broken, endless or none", () => {
  it("keeps what came before the damage", async () => {
    const packed = await gzip(
      bytesOf(urlset(...Array.from({ length: 500 }, (_, at) => `https://a.example.com/${at}`))),
    );
    const { pages, warning } = await readSitemap(piecesOf(packed.subarray(0, packed.length - 20), 64));

    expect(pages[0]).toBe("https://a.example.com/0");
    expect(warning).toBe("It broke off or is damaged; the rest was not read.");
  });

  it.each([
    [
      "a web page",
      "<!doctype html><html><body><a href='/a'>a</a></body></html>",
      "It is a web page, not a sitemap.",
    ],
    ["nothing", " ", "It has no addresses."],
    ["an unclosed nest", "<a>".repeat(100_000), "It is a web page, not a sitemap."],
  ])("says so about %s", async (_name, text, warning) => {
    expect(await readSitemap(streamOf(text, 4_096))).toEqual({ pages: [], sitemaps: [], warning });
  });

  it("stops at 50,000 addresses and does not read on", async () => {
    let pieces = 0;
    const line = bytesOf("https://a.example.com/page\n".repeat(1_000));
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces++;
        controller.enqueue(line);
      },
    });
    const { pages, warning } = await readSitemap(endless);

    expect(pages).toHaveLength(50_000);
    expect(warning).toBe("It has more than 50,000 addresses; the rest was not read.");
    expect(pieces).toBeLessThan(60);
  });

  it("stops at 50 MB after decompression, long before the end of a bomb", async () => {
    // Members of gzip can be joined: 2,000 times a megabyte of spaces.
    const megabyte = await gzip(new Uint8Array(1024 * 1024).fill(0x20));
    let members = 0;
    const bomb = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(megabyte);
        if (++members === 2_000) controller.close();
      },
    });
    const { warning } = await readSitemap(bomb);

    expect(warning).toBe("It is longer than 50 MB; the rest was not read.");
    expect(members).toBeLessThan(60);
  });
});
