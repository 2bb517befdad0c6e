import { onOneLine } from "../../../shared/text.ts";
import { childElements } from "./tree.ts";
import { plainText } from "./plain-text.ts";
import type { Element, Tree } from "./tree.ts";

/** What a page says about itself. */
export interface Head {
  readonly title: string | null;
  readonly description: string | null;
  readonly language: string | null;
  readonly canonicalUrl: string | null;
  readonly robots: { readonly noindex: boolean; readonly nofollow: boolean };
  /** Returns the absolute `http:` or `https:` address that an address on the page means, or `undefined`. */
  readonly resolve: (href: string) => string | undefined;
  /** The first heading of the first level that is not the name of the site. */
  readonly heading: Element | undefined;
  readonly body: Element;
  readonly links: readonly string[];
}

const MAX_LINKS = 5_000;
/** How many headings are compared with the title. */
const MAX_HEADINGS = 10;
const MAX_TITLE_CHARS = 300;
/** The last part of a title with more words is not the name of a site. */
const MAX_SITE_WORDS = 4;
const MAX_DESCRIPTION_CHARS = 1_000;
const MAX_URL_CHARS = 2_048;

/** What separates a page's title from its site's name. */
const SEPARATOR = /\s+[|–—·•:»«›-]+\s+|\s*[|»]\s*/u;

/** Reads the metadata and the links of a page that was fetched from `url`. */
export function readHead({ root }: Tree, url: string | null): Head {
  const found = new Found();
  collect(root, found);

  const resolve = resolver(found.base === undefined ? url : (absolute(found.base, url) ?? url));
  const robots = found.metas.get("robots") ?? "";
  const stated = statedTitle(found);
  const heading = found.headings.find((element) => !isSiteName(lineOf(plainText(element)), stated));
  return {
    title: titleOf(stated, heading && lineOf(plainText(heading))),
    description: lineOf(
      found.metas.get("description") ?? found.metas.get("og:description") ?? "",
      MAX_DESCRIPTION_CHARS,
    ),
    language: languageTag(found.language ?? found.metas.get("content-language") ?? ""),
    canonicalUrl: (found.canonical === undefined ? undefined : resolve(found.canonical)) ?? null,
    robots: {
      noindex: /\b(?:noindex|none)\b/iu.test(robots),
      nofollow: /\b(?:nofollow|none)\b/iu.test(robots),
    },
    resolve,
    heading,
    body: found.body ?? root,
    links: distinctLinks(found.hrefs, resolve),
  };
}

class Found {
  readonly metas = new Map<string, string>();
  readonly hrefs: string[] = [];
  title: Element | undefined;
  /** The first headings of the first level. */
  readonly headings: Element[] = [];
  body: Element | undefined;
  base: string | undefined;
  canonical: string | undefined;
  language: string | undefined;
}

/** Collects what the head needs from all elements: pages put it in the wrong places. */
function collect(element: Element, found: Found): void {
  for (const child of childElements(element)) {
    const { name, attributes } = child;
    const href = attributes["href"];
    if (name === "meta") addMeta(attributes, found.metas);
    else if (name === "title") found.title ??= child;
    else if (name === "h1" && found.headings.length < MAX_HEADINGS) found.headings.push(child);
    else if (name === "body") found.body ??= child;
    else if (name === "html") found.language ??= attributes["lang"];
    else if (name === "frame" && attributes["src"] !== undefined) found.hrefs.push(attributes["src"]);
    else if (href !== undefined) {
      if (name === "a" || name === "area") found.hrefs.push(href);
      else if (name === "base") found.base ??= href;
      else if (/\bcanonical\b/iu.test(attributes["rel"] ?? "")) found.canonical ??= href;
    }
    collect(child, found);
  }
}

function addMeta(attributes: Element["attributes"], metas: Map<string, string>): void {
  const name = (attributes["name"] ?? attributes["property"] ?? "").toLowerCase();
  const content = attributes["content"] ?? "";
  // All of them apply: a page may restrict robots in general, and Google's in particular.
  if (name === "robots" || name === "googlebot")
    metas.set("robots", `${metas.get("robots") ?? ""},${content}`);
  else if (name !== "" && content !== "" && !metas.has(name)) metas.set(name, content);
}

interface StatedTitle {
  /** The title of the page, in parts: usually its own and the name of the site. */
  readonly parts: readonly string[];
  readonly full: string;
  readonly site: string | null;
}

function statedTitle({ metas, title }: Found): StatedTitle {
  const full = lineOf(metas.get("og:title") ?? "") ?? (title ? lineOf(plainText(title)) : null) ?? "";
  const parts = full.split(SEPARATOR).filter((part) => part !== "");
  return { parts, full, site: lineOf(metas.get("og:site_name") ?? "") };
}

/** Whether a heading is the last of several parts of the title, or the name that the site states. */
function isSiteName(heading: string | null, { parts, site }: StatedTitle): boolean {
  const last = parts.length > 1 ? parts.at(-1) : undefined;
  return heading === null || [last, site].some((name) => name?.toLowerCase() === heading.toLowerCase());
}

/** Returns the page's title without the name of its site. */
function titleOf({ parts, full, site }: StatedTitle, heading: string | null | undefined): string | null {
  if (heading && (full === "" || full.toLowerCase().includes(heading.toLowerCase()))) return heading;
  const last = parts.at(-1);
  if (parts.length < 2 || last === undefined) return full || null;
  const isSite =
    site === null ? last.split(" ").length <= MAX_SITE_WORDS : last.toLowerCase() === site.toLowerCase();
  return isSite ? full.slice(0, full.lastIndexOf(last)).replace(/[\s|–—·•:»«›-]{1,20}$/u, "") || full : full;
}

function lineOf(text: string, maxChars = MAX_TITLE_CHARS): string | null {
  const line = onOneLine(text.slice(0, 4 * maxChars))
    .slice(0, maxChars)
    .toWellFormed();
  return line === "" ? null : line;
}

const languageTag = (text: string): string | null =>
  /^[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}$/iu.test(text.trim()) ? text.trim() : null;

function resolver(base: string | null): (href: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (href) => {
    if (!known.has(href)) known.set(href, absolute(href, base));
    return known.get(href);
  };
}

/** Returns an absolute `http:` or `https:` address, or `undefined` if there is none. */
function absolute(href: string, base: string | null): string | undefined {
  const trimmed = href.trim();
  if (trimmed === "" || trimmed.length > MAX_URL_CHARS) return undefined;
  const url = URL.parse(trimmed, base ?? undefined);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url.href : undefined;
}

function distinctLinks(
  hrefs: readonly string[],
  resolve: (href: string) => string | undefined,
): readonly string[] {
  const links = new Set<string>();
  for (const href of hrefs) {
    if (links.size >= MAX_LINKS) break;
    // What follows the number sign names a place on the page.
    const link = href.startsWith("#") ? undefined : resolve(href)?.split("#", 1)[0];
    if (link !== undefined) links.add(link);
  }
  return [...links];
}
