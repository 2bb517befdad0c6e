import type { ReadDocument } from "./document.ts";
import { escapedBlock } from "./markdown-lines.ts";

const NOTHING_ELSE = {
  title: null,
  description: null,
  language: null,
  links: [],
  canonicalUrl: null,
  robots: { noindex: false, nofollow: false },
} as const;

const EMPTY = "no readable text: the file is empty";
const MAX_LINKS = 5_000;
const MAX_TITLE_CHARS = 300;

/** Returns a document that consists of Markdown and, if it has one, a title. */
export const documentOf = (markdown: string, title: string | null, empty = EMPTY): ReadDocument => ({
  ...NOTHING_ELSE,
  markdown,
  title,
  warning: markdown === "" ? empty : null,
});

/** Reads plain text: its paragraphs, with line ends as they are. */
export function readPlainText(text: string): ReadDocument {
  return documentOf(escapedBlock(tidyLines(text)), null);
}

/** Reads Markdown as it is. Its title is that of its front matter, or its first heading of the first level. */
export function readMarkdown(text: string, url: string | null): ReadDocument {
  const { matter, body } = splitFrontMatter(tidyLines(text));
  const stated = /^title:[ \t]{0,9}(\S[^\n]{0,299})/mu.exec(matter)?.[1];
  const title = stated?.trim().replaceAll(/^["']|["']$/gu, "") ?? firstHeading(body);
  return { ...documentOf(body, title), links: linksOf(body, url) };
}

/** Front matter is metadata between two lines of three hyphens at the beginning. */
function splitFrontMatter(text: string): { readonly matter: string; readonly body: string } {
  const end = text.startsWith("---\n") ? text.indexOf("\n---\n", 3) : -1;
  if (end === -1) return { matter: "", body: text };
  return { matter: text.slice(4, end), body: text.slice(end + 5).trim() };
}

function firstHeading(markdown: string): string | null {
  const heading = /^# (\S[^\n]{0,299})/mu.exec(markdown)?.[1]?.trim().slice(0, MAX_TITLE_CHARS);
  return heading ?? null;
}

function linksOf(markdown: string, url: string | null): readonly string[] {
  if (url === null) return [];
  const links = new Set<string>();
  for (const [, href = ""] of markdown.matchAll(/\]\(([^()\s]{1,2048})/gu)) {
    const link = URL.parse(href, url);
    if (link?.protocol === "https:" || link?.protocol === "http:")
      links.add(link.href.split("#", 1)[0] ?? "");
    if (links.size >= MAX_LINKS) break;
  }
  return [...links];
}

/** Returns lines without white space at their ends, with at most one empty line in a row, and without control characters. */
export function tidyLines(text: string): string {
  const lines: string[] = [];
  for (const line of text.replaceAll(/\r\n?|[\v\f\u2028\u2029]/gu, "\n").split("\n")) {
    const tidy = line.replaceAll(/[^\P{Cc}\t]|\ufeff/gu, "").trimEnd();
    if (tidy !== "" || lines.at(-1) !== "") lines.push(tidy);
  }
  return lines.join("\n").trim();
}
