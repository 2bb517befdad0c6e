import { Hono } from "hono";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { webPage } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import { serveAsset } from "./assets.ts";

/**
 * Scripts and styles come from this service only, and requests go nowhere else. Threat: somebody types a token into the page, which no
 * other script must be able to read and no request to another host may carry.
 */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Swagger UI's style has its pictures within itself.
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** Cacheable for 5 minutes, as the description: both texts are made of it. */
const PUBLIC = "public, max-age=300";

/** The reference: a page for people who try things, a text and a map of it for programs that read. */
export const referenceRoutes = new Hono<AppEnv>()
  .get("/docs", webPage, anyQuery(), publicAccess, (c) => {
    c.header("Vary", "Accept", { append: true });
    return prefersMarkdown(c.req.header("accept"))
      ? serveAsset(c, "/docs.md", { cache: PUBLIC })
      : serveAsset(c, "/reference/index.html", { csp: CSP });
  })
  .get("/docs.md", webPage, anyQuery(), publicAccess, (c) => serveAsset(c, "/docs.md", { cache: PUBLIC }))
  .get("/llms.txt", webPage, anyQuery(), publicAccess, (c) => serveAsset(c, "/llms.txt", { cache: PUBLIC }));

/** Returns whether an `Accept` header names Markdown before HTML, as programs do that read pages for a model. */
export const prefersMarkdown = (accept: string | undefined): boolean =>
  accept !== undefined &&
  accept
    .split(",")
    .map((entry) => entry.split(";", 1)[0]?.trim().toLowerCase())
    .find((type) => type === "text/html" || type === "text/markdown") === "text/markdown";
