import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { anonymous, app } from "../support/app.ts";
import { prefersPage } from "../../src/system/playground.ts";
import { requestIn } from "./route-cases.ts";

/** What Chromium sends when somebody opens a page. */
const BROWSER =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

const pageAt = (path: string, headers: Record<string, string> = {}) =>
  anonymous("GET", path, undefined, { accept: BROWSER, ...headers });

/** Returns the paths of a page's script, style and icon. */
const linksIn = (page: string) => [...page.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, path = ""]) => path);

describe("the playground", () => {
  it.each(["/", "/login", "/login-success?x=1", "/login?error=access_denied"])(
    "is served to browsers at %s, without a token",
    async (path) => {
      const { status, headers, body } = await pageAt(path);

      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(body).toContain('<div id="app"></div>');
    },
  );

  it("allows its own scripts and styles only, and no inline ones", async () => {
    const { headers, body } = await pageAt("/");

    const csp = headers.get("content-security-policy") ?? "";
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("script-src 'self';");
    expect(csp).toContain("style-src 'self';");
    expect(csp).toContain("connect-src 'self';");
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).not.toMatch(/unsafe|\*|https?:/u);
    expect(body).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=/iu);
  });

  it("links to files that may be kept forever, and that never change under their names", async () => {
    const { body } = await pageAt("/");
    const links = linksIn(body);

    expect(links.map((path) => path.replace(/-[A-Z0-9]{8}\./u, "-HASH.")).toSorted()).toEqual([
      "/assets/icon-HASH.svg",
      "/assets/playground-HASH.css",
      "/assets/playground-HASH.js",
    ]);
    const types = {
      svg: "image/svg+xml",
      css: "text/css; charset=utf-8",
      js: "text/javascript; charset=utf-8",
    };
    for (const path of links) {
      const { status, headers } = await anonymous("GET", path);
      expect(status).toBe(200);
      expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(headers.get("content-type")).toBe(types[path.split(".").at(-1) as keyof typeof types]);
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    }
  });

  it("answers 304 to a browser that has the page already", async () => {
    const first = await pageAt("/");
    const etag = first.headers.get("etag") ?? "";

    const again = await pageAt("/", { "if-none-match": etag });
    const other = await pageAt("/", { "if-none-match": '"other"' });

    expect(etag).toMatch(/^"[^"]+"$/u);
    expect(first.headers.get("cache-control")).toBe("no-cache");
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
    expect(other.status).toBe(200);
  });

  it("is answered with 304 where the files are served without entity tags, as by workerd alone", async () => {
    const request = async (headers: Record<string, string>) => {
      const ASSETS = { fetch: () => Promise.resolve(new Response("<p>the page</p>")) };
      const ctx = createExecutionContext();
      const response = await app.request("/login", { headers }, { ...env, ASSETS }, ctx);
      await waitOnExecutionContext(ctx);
      return response;
    };
    const first = await request({});
    const etag = first.headers.get("etag") ?? "";

    const again = await request({ "if-none-match": etag });

    expect(etag).toMatch(/^"[0-9a-f]{32}"$/u);
    expect([first.status, again.status, again.headers.get("etag")]).toEqual([200, 304, etag]);
  });

  it("is kept apart from the JSON of the same address by caches", async () => {
    for (const headers of [{ accept: BROWSER }, { accept: "application/json" }, {}]) {
      const answer = await anonymous("GET", "/", undefined, headers);
      expect(answer.headers.get("vary")).toContain("Accept");
    }
  });
});

describe("the address /", () => {
  it.each(["*/*", "application/json", "application/json, text/html;q=0.5", "text/plain", ""])(
    "answers programs in JSON: Accept %s",
    async (accept) => {
      const { status, body } = await anonymous("GET", "/", undefined, { accept });

      expect([status, body]).toEqual([200, { message: "Dynamic Agent Builder API" }]);
    },
  );

  it("is a page for a browser, whatever the case and the order of its types", () => {
    expect(prefersPage("image/png, TEXT/HTML;q=0.9")).toBe(true);
    expect(prefersPage("application/json, text/html")).toBe(false);
    expect(prefersPage("text/htmlx")).toBe(false);
  });
});

describe("the script that other sites embed", () => {
  const script = "window.chat = 1;";
  const ask = async (headers: Record<string, string> = {}) => {
    const ASSETS = {
      fetch: (url: URL) =>
        Promise.resolve(new Response(script, { status: url.pathname === "/widget.js" ? 200 : 404 })),
    };
    const ctx = createExecutionContext();
    const response = await app.request("/widget.js", { headers }, { ...env, ASSETS }, ctx);
    await waitOnExecutionContext(ctx);
    return response;
  };

  it.each([undefined, "https://shop.example.com"])(
    "may be loaded by pages of %s, without credentials",
    async (origin) => {
      const response = await ask(origin === undefined ? {} : { origin });

      expect([response.status, await response.text()]).toEqual([200, script]);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": "public, max-age=300",
        "x-content-type-options": "nosniff",
      });
    },
  );

  it("is a 304 for a browser that has this version of it", async () => {
    const etag = (await ask()).headers.get("etag") ?? "";

    expect((await ask({ "if-none-match": etag })).status).toBe(304);
  });
});

describe("a file of the assets", () => {
  it.each([
    "/assets/nothing-ABCDEFGH.js",
    "/assets/index.html",
    "/assets/..%2fopenapi.json",
    "/assets/%2e%2e%2fplayground%2findex.html",
    "/assets/a%00b.js",
    `/assets/${"a".repeat(200)}.js`,
  ])("is a 404 or a 422 if it is not there, and never another file: %s", async (path) => {
    const { status, body } = await anonymous("GET", path);

    expect([404, 422]).toContain(status);
    expect(["not-found", "validation-failed"]).toContain(body.code);
  });

  it("is a 404 if nothing has been built", async () => {
    const missing = { fetch: () => Promise.resolve(new Response("", { status: 404 })) };

    const { status } = await requestIn({ ASSETS: missing } as never, "GET", "/login");

    expect(status).toBe(404);
  });

  it("has no writing methods", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status } = await anonymous(method, "/assets/playground.js");
      expect(status).toBe(405);
    }
    expect(app.routes.some(({ path, method }) => path === "/assets/:file" && method === "GET")).toBe(true);
  });
});
