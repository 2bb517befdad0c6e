import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalUrl,
  isSameSite,
  namedCanonical,
  trapOf,
  variantKey,
} from "../../../src/knowledge/crawling/canonical-url.ts";

describe("the canonical form of an address", () => {
  it.each([
    ["HTTPS://Shop.Example.COM:443/A", "https://shop.example.com/A"],
    ["http://shop.example.com:80", "http://shop.example.com/"],
    ["https://shop.example.com./a", "https://shop.example.com/a"],
    ["https://shop.example.com/a#part", "https://shop.example.com/a"],
    ["https://shop.example.com/a/../b/./c", "https://shop.example.com/b/c"],
    ["https://shop.example.com/?b=2&a=1", "https://shop.example.com/?a=1&b=2"],
    ["https://shop.example.com/a?utm_source=x&id=7&gclid=y&fbclid=z", "https://shop.example.com/a?id=7"],
    ["https://shop.example.com/a?PHPSESSID=1", "https://shop.example.com/a"],
    ["https://shop.example.com/a;jsessionid=12AB?b=1", "https://shop.example.com/a?b=1"],
    ["https://shop.example.com/%7euser/%c3%bc", "https://shop.example.com/~user/%C3%BC"],
    ["https://shop.example.com/a?", "https://shop.example.com/a"],
    ["https://shop.example.com/a??b=1", "https://shop.example.com/a??b=1"],
    ["https://xn--bcher-kva.example.com/", "https://xn--bcher-kva.example.com/"],
  ])("of %s is %s", (address, expected) => {
    expect(canonicalUrl(address)).toBe(expected);
  });

  it.each([
    "mailto:ada@example.com",
    "javascript:alert(1)",
    "data:text/html,x",
    "/relative",
    "https://ada@shop.example.com/",
    "http://[::1",
    `https://shop.example.com/${"a".repeat(2_000)}`,
  ])("does not exist for %s", (address) => {
    expect(canonicalUrl(address)).toBeUndefined();
  });

  it("resolves relative addresses", () => {
    expect(canonicalUrl("../b?x=1", "https://shop.example.com/a/c")).toBe("https://shop.example.com/b?x=1");
  });

  it("is its own canonical form", () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true, size: "small" }), (url) => {
        const canonical = canonicalUrl(url);
        if (canonical !== undefined) expect(canonicalUrl(canonical)).toBe(canonical);
      }),
    );
  });
});

describe("traps", () => {
  it.each([
    ["/a/b/c", undefined],
    ["/a/b/a/c", undefined],
    ["/a/b/a/b/a", "repeats"],
    [`/${Array.from({ length: 13 }, (_, at) => `level-${at}`).join("/")}`, "depth"],
  ])("%s: %s", (path, expected) => {
    expect(trapOf(`https://shop.example.com${path}`)).toBe(expected);
  });
});

describe("variants of an address", () => {
  it.each([
    ["https://www.example.com/a/", "http://example.com/a", true],
    ["https://www.example.com/", "https://example.com", true],
    ["https://example.com/a?x=1", "https://example.com/a/?x=1", true],
    ["https://example.com/a", "https://example.com/b", false],
    ["https://docs.example.com/a", "https://example.com/a", false],
  ])("%s and %s", (one, other, expected) => {
    expect(variantKey(one) === variantKey(other)).toBe(expected);
  });

  it("are on the same site with and without www", () => {
    expect(isSameSite("https://www.example.com/a", "http://example.com/b")).toBe(true);
    expect(isSameSite("https://docs.example.com/a", "https://example.com/b")).toBe(false);
  });
});

describe("the canonical address that a page names", () => {
  const page = "https://shop.example.com/a?page=2";

  it.each([
    ["/a", "https://shop.example.com/a"],
    ["https://shop.example.com/a?page=2#x", undefined],
    ["https://other.example.com/a", undefined],
    ["https://shop.example.com/", undefined],
    ["", undefined],
    [null, undefined],
  ])("%s", (named, expected) => {
    expect(namedCanonical(named, page)).toBe(expected);
  });
});
