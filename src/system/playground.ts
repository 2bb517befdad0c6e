import type { Context } from "hono";
import type { AppEnv } from "../access/env.ts";
import { serveAsset } from "./assets.ts";

/**
 * Scripts and styles come from this service only, nothing is written into the page's HTML, and requests go nowhere else. Threat:
 * what models and documents say is shown on the page, and must not be able to run or to send anything.
 */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** Serves the page of the playground. */
export const servePlayground = (c: Context<AppEnv>): Promise<Response> =>
  serveAsset(c, "/playground/index.html", { csp: CSP });

/**
 * Returns whether an `Accept` header is a browser's, which asks for a page: it names HTML, and not JSON before it. Programs name
 * neither, or JSON.
 */
export const prefersPage = (accept: string | undefined): boolean =>
  accept !== undefined &&
  accept
    .split(",")
    .map((entry) => entry.split(";", 1)[0]?.trim().toLowerCase())
    .find((type) => type === "text/html" || type === "application/json") === "text/html";
