import { canonicalUrl, namedCanonical } from "../../src/knowledge/crawling/canonical-url.ts";
import { normalizeEscapes } from "../../src/knowledge/crawling/escapes.ts";
import { parseRobots } from "../../src/knowledge/crawling/robots.ts";
import { readSitemap } from "../../src/knowledge/crawling/sitemap.ts";

const streamOf = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream();

/** The functions of crawls that read text from outside. */
export const CRAWL_READERS: Readonly<Record<string, (text: string) => unknown>> = {
  "knowledge/crawling/escapes: normalizeEscapes": normalizeEscapes,
  "knowledge/crawling/canonical-url: canonicalUrl": (text) =>
    canonicalUrl(`https://a.example.com/${text}?${text}`),
  "knowledge/crawling/canonical-url: namedCanonical": (text) =>
    namedCanonical(text, "https://a.example.com/"),
  "knowledge/crawling/robots: parseRobots": (text) =>
    parseRobots(`User-agent: *\nDisallow: /${text}\n${text}`, "bot").allows("https://a.example.com/a"),
  "knowledge/crawling/robots: wildcards": (text) =>
    parseRobots(`User-agent: *\nDisallow: /*${text}*b$`, "bot").allows(
      `https://a.example.com/${text.slice(0, 2_000)}`,
    ),
  "knowledge/crawling/sitemap: readSitemap of text": (text) => readSitemap(streamOf(text)),
  "knowledge/crawling/sitemap: readSitemap of XML": (text) =>
    readSitemap(streamOf(`<urlset><url><loc>${text}</loc></url>${text}</urlset>`)),
};
