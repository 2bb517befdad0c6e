import { inject } from "vitest";
import type { SiteLog, SitePages } from "./site-protocol.ts";

const url = (path: string): string => `${inject("control")}${path}`;

async function send(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url(path), {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** A web site of a test. */
export interface TestSite {
  /** The origin, such as `http://127.0.0.1:12345`. */
  readonly url: string;
  /** Adds pages, or replaces them. */
  readonly change: (pages: SitePages) => Promise<void>;
  /** Lets all answers go on that hold. */
  readonly release: () => Promise<void>;
  readonly log: () => Promise<SiteLog>;
  /** The paths that were requested so far, without robots.txt. */
  readonly visited: () => Promise<readonly string[]>;
}

/** Starts a web site at a port of its own. `{site}` in bodies and headers stands for its origin. */
export async function startSite(pages: SitePages): Promise<TestSite> {
  // The server at the other end answers in the shapes of the site protocol.
  const origin = (await send("POST", "/sites", {})) as string;
  const path = `/sites?url=${encodeURIComponent(origin)}`;
  const withOrigin = (some: SitePages) =>
    JSON.parse(JSON.stringify(some).replaceAll("{site}", origin)) as SitePages;
  const change = async (more: SitePages) => void (await send("PUT", path, withOrigin(more)));
  const log = async () => (await send("GET", path)) as SiteLog;
  await change(pages);
  return {
    url: origin,
    change,
    log,
    release: async () => void (await send("DELETE", path)),
    visited: async () =>
      (await log()).requests.map((request) => request.path).filter((each) => each !== "/robots.txt"),
  };
}

/** A page of a test site with a title, some text and links. */
export const htmlPage = (title: string, text: string, links: readonly string[] = [], head = ""): string =>
  `<!doctype html><html lang="en"><head><title>${title}</title>${head}</head><body>
   <nav>${links.map((link) => `<a href="${link}">${link}</a>`).join(" ")}</nav>
   <main><h1>${title}</h1><p>${text}</p></main></body></html>`;
