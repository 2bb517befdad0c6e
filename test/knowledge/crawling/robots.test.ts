import { describe, expect, it } from "vitest";
import { parseRobots } from "../../../src/knowledge/crawling/robots.ts";

const allows = (text: string, path: string): boolean =>
  parseRobots(text, "TestBot").allows(`https://shop.example.com${path}`);

const everyone = (...rules: readonly string[]): string => ["User-agent: *", ...rules].join("\n");

describe("the rules of a robots.txt", () => {
  it.each([
    ["allows everything if it is empty", "", "/a", true],
    ["forbids a prefix", everyone("Disallow: /private"), "/private/a", false],
    ["leaves other paths alone", everyone("Disallow: /private"), "/public", true],
    ["lets the longest rule win", everyone("Disallow: /a", "Allow: /a/b"), "/a/b/c", true],
    ["lets the longest rule win in any order", everyone("Allow: /a/b", "Disallow: /a/b/c"), "/a/b/c", false],
    ["allows if two rules are equally long", everyone("Disallow: /page", "Allow: /page"), "/page", true],
    ["ignores an empty pattern", everyone("Disallow:"), "/a", true],
    ["matches a wildcard in the middle", everyone("Disallow: /*/print"), "/a/b/print", false],
    ["matches a wildcard at the end of a name", everyone("Disallow: /*.pdf"), "/a/b.pdf?x=1", false],
    ["matches the exact end", everyone("Disallow: /*.pdf$"), "/a/b.pdf", false],
    ["does not match beyond the exact end", everyone("Disallow: /*.pdf$"), "/a/b.pdf?x=1", true],
    ["matches a path as a whole", everyone("Disallow: /fish$"), "/fish/", true],
    ["matches several wildcards", everyone("Disallow: /a*b*c"), "/a/x/b/x/c/x", false],
    ["needs all parts in order", everyone("Disallow: /a*c*b$"), "/a/b/c", true],
    ["does not let parts overlap", everyone("Disallow: /ab*b$"), "/ab", true],
    ["adds a missing slash", everyone("Disallow: private"), "/private", false],
    ["is case-sensitive in paths", everyone("Disallow: /Private"), "/private", true],
    ["includes the query", everyone("Disallow: /search?q="), "/search?q=a", false],
    ["decodes unreserved characters", everyone("Disallow: /foo/bar/%62%61%7A"), "/foo/bar/baz", false],
    ["encodes characters outside of ASCII", everyone("Disallow: /müll"), "/m%C3%BCll/a", false],
    ["ignores the case of hexadecimal digits", everyone("Disallow: /m%c3%bcll"), "/müll", false],
    ["takes an encoded star literally", everyone("Disallow: /a%2A$"), "/a*", false],
    ["does not take a literal star for a wildcard", everyone("Disallow: /a%2Ab"), "/axb", true],
    ["does not take a dollar in the middle for an end", everyone("Disallow: /a$b"), "/a$b/c", false],
    ["never forbids robots.txt itself", everyone("Disallow: /"), "/robots.txt", true],
    ["reads keys in any case with spaces around", "USER-AGENT : *\r\n disallow : /a ", "/a", false],
    ["ignores comments", "User-agent: * # all\nDisallow: /a # secret", "/a", false],
    ["skips malformed lines", everyone("Disallow /a", "nonsense", "Disallow: /b"), "/a", true],
    ["ignores a byte order mark", `\uFEFF${everyone("Disallow: /a")}`, "/a", false],
    ["ends lines with CR alone", "User-agent: *\rDisallow: /a", "/a", false],
    ["ignores rules before any group", "Disallow: /a\nUser-agent: *\nDisallow: /b", "/a", true],
  ])("%s", (_name, text, path, expected) => {
    expect(allows(text, path)).toBe(expected);
  });
});

describe("the groups of a robots.txt", () => {
  it.each([
    [
      "prefers the crawler's own group",
      "User-agent: *\nDisallow: /\nUser-agent: testbot\nDisallow: /a",
      "/b",
      true,
    ],
    [
      "merges groups with the same name",
      "User-agent: TestBot\nDisallow: /a\n\nUser-agent: TestBot\nDisallow: /b",
      "/b",
      false,
    ],
    ["shares rules among several names", "User-agent: Other\nUser-agent: TestBot\nDisallow: /a", "/a", false],
    ["ignores a version behind the name", "User-agent: TestBot/2.1\nDisallow: /a", "/a", false],
    ["compares whole names", "User-agent: Test\nDisallow: /a", "/a", true],
    [
      "lets an own group without rules allow everything",
      "User-agent: TestBot\n\nUser-agent: *\nDisallow: /",
      "/a",
      false,
    ],
    [
      "ends a group at the next name after its rules",
      "User-agent: TestBot\nAllow: /\nUser-agent: *\nDisallow: /",
      "/a",
      true,
    ],
    [
      "does not end the names at a sitemap",
      "User-agent: TestBot\nSitemap: https://a/b\nUser-agent: x\nDisallow: /",
      "/a",
      false,
    ],
  ])("%s", (_name, text, path, expected) => {
    expect(allows(text, path)).toBe(expected);
  });

  it("keeps sitemaps of all groups and the crawl delay of its own", () => {
    const { crawlDelayMs, sitemaps } = parseRobots(
      "Sitemap: /a.xml\nUser-agent: *\nCrawl-delay: 2.5\nSitemap: https://b.example.com/b.xml",
      "TestBot",
    );

    expect({ crawlDelayMs, sitemaps }).toEqual({
      crawlDelayMs: 2_500,
      sitemaps: ["/a.xml", "https://b.example.com/b.xml"],
    });
  });

  it.each([
    ["3600", 30_000],
    ["-1", 0],
    ["soon", 0],
  ])("bounds a crawl delay of %s", (delay, expected) => {
    expect(parseRobots(`User-agent: *\nCrawl-delay: ${delay}`, "TestBot").crawlDelayMs).toBe(expected);
  });

  it("reads the first 500 KB only", () => {
    const padding = "# padding\n".repeat(51_300);

    expect(allows(`${everyone("Disallow: /a")}\n${padding}Disallow: /b`, "/a")).toBe(false);
    expect(allows(`${everyone("Disallow: /a")}\n${padding}Disallow: /b`, "/b")).toBe(true);
  });
});
