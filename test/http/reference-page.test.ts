import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { prefersMarkdown } from "../../src/system/reference-routes.ts";
import { anonymous, app } from "../support/app.ts";

/** What Chromium sends when somebody opens a page. */
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const get = (path: string, headers: Record<string, string> = {}) =>
  anonymous("GET", path, undefined, headers);

describe("the reference page", () => {
  it.each([BROWSER, "*/*", ""])("is served without a token, for Accept: %s", async (accept) => {
    const { status, headers, body } = await get("/docs", { accept });

    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("vary")).toContain("Accept");
    expect(body).toContain('id="reference"');
  });

  it("allows its own scripts, styles and requests only, and no inline ones", async () => {
    const { headers, body } = await get("/docs");

    const csp = headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
      expect(csp.split("; ")).toContain(rule);
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).not.toMatch(/unsafe|\*|https?:/u);
    expect(body).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=/iu);
  });

  it("links to files that are there, whose names change with their content", async () => {
    const { body } = await get("/docs");
    const links = [...String(body).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/gu)].map(
      ([, path = ""]) => path,
    );

    expect(links.map((path) => path.replace(/-[A-Z0-9]{8}\./u, "-HASH.")).toSorted()).toEqual([
      "/assets/icon-HASH.svg",
      "/assets/licences-HASH.txt",
      "/assets/reference-HASH.css",
      "/assets/reference-HASH.js",
    ]);
    for (const path of links) {
      const { status, headers } = await get(path);
      expect([status, headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
    }
  });

  it("passes on the licence of Swagger UI", async () => {
    const { body } = await get("/docs");
    const [licences = ""] = /\/assets\/licences-[^"]+/u.exec(String(body)) ?? [];

    expect((await get(licences)).body).toContain("Apache License");
  });

  it("is not sent again to a browser that has it, by servers that state no tags of files, too", async () => {
    const ASSETS = { fetch: () => Promise.resolve(new Response("<p>The page")) };
    const ask = async (headers: Record<string, string>) => {
      const ctx = createExecutionContext();
      const response = await app.request("/docs", { headers }, { ...env, ASSETS }, ctx);
      await waitOnExecutionContext(ctx);
      return response;
    };

    const first = await ask({});
    const again = await ask({ "if-none-match": first.headers.get("etag") ?? "" });

    expect([first.status, await first.text()]).toEqual([200, "<p>The page"]);
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("names no other host", async () => {
    const { body } = await get("/docs");

    expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
  });
});

describe("the reference as text", () => {
  it.each([
    ["/docs.md", {}],
    ["/docs", { accept: "text/markdown, text/html;q=0.9" }],
  ])("is Markdown at %s %j", async (path, headers) => {
    const answer = await get(path, headers);

    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    expect(answer.body).toContain("# Dynamic Agent Builder API");
    expect(answer.body).toContain("`POST /agents/{agentId}/{conversationId}/send-message`");
  });

  it("has a short map at /llms.txt", async () => {
    const { status, headers, body } = await get("/llms.txt");

    expect([status, headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
    expect(body).toContain("[Reference as Markdown](/docs.md)");
  });

  it("is chosen only by those who ask for it before HTML", () => {
    expect(prefersMarkdown("text/markdown")).toBe(true);
    expect(prefersMarkdown("application/json, TEXT/MARKDOWN;q=0.8")).toBe(true);
    expect(prefersMarkdown("text/html, text/markdown")).toBe(false);
    expect(prefersMarkdown(BROWSER)).toBe(false);
    expect(prefersMarkdown(undefined)).toBe(false);
  });
});
