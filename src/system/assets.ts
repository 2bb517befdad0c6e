import type { Context } from "hono";
import type { AppEnv } from "../access/env.ts";
import { isKnown } from "../http/etag.ts";
import { toHex } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** How an asset is served. */
export interface AssetOptions {
  /** The content security policy, for pages. Without it, the policy of the API applies, which allows nothing. */
  readonly csp?: string;
  /** Replaces the `Cache-Control` that follows from the name. */
  readonly cache?: string;
  /** Whether pages of other sites embed the file. */
  readonly isShared?: boolean;
}

/** By extension. Types are stated here, because not every server behind the binding knows them. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  md: "text/markdown; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  woff2: "font/woff2",
};

/** Names that end in a hash of the content: what they stand for never changes. */
const HASHED = /-[A-Z0-9]{8}\.[a-z0-9]+$/u;
/** One year, in seconds: the most that caches honour. */
const FOREVER = "public, max-age=31536000, immutable";
/** By default, browsers load what this service sends for its own pages only. The file is public, so that no page needs credentials. */
const SHARED = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
} as const;
/** May be stored, but is compared with the server's before each use. */
const REVALIDATED = "no-cache";

/**
 * Serves a file of the built assets. `path` is its absolute path in their folder, such as `/playground/index.html`; it must not contain
 * text of the caller that has not been checked. Throws `not-found` if there is no such file or its type is unknown.
 *
 * A file whose name contains a hash of its content may be kept forever. Others carry an entity tag, and a request that names it is
 * answered with 304.
 */
export async function serveAsset(
  c: Context<AppEnv>,
  path: string,
  { csp, cache, isShared = false }: AssetOptions = {},
): Promise<Response> {
  const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)];
  const found = await c.env.ASSETS.fetch(new URL(path, c.req.url));
  if (!found.ok || contentType === undefined) {
    await found.body?.cancel();
    throw new AppError("not-found", "Nothing was found at this path.");
  }

  const isHashed = HASHED.test(path);
  const body = isHashed || found.headers.has("etag") ? found.body : await found.arrayBuffer();
  const etag = isHashed ? undefined : await tagOf(found, body);
  const headers = {
    "content-type": contentType,
    "cache-control": cache ?? (isHashed ? FOREVER : REVALIDATED),
    ...(etag !== undefined && { etag }),
    ...(isShared && SHARED),
    ...(csp !== undefined && { "content-security-policy": csp }),
  };
  if (etag === undefined || !isKnown(c.req.header("if-none-match"), etag))
    return c.newResponse(body, 200, headers);

  if (body instanceof ReadableStream) await body.cancel();
  return c.newResponse(null, 304, headers);
}

/** Returns the entity tag that the binding has sent, without the mark of a weak one, or one of the content. */
async function tagOf(found: Response, body: ReadableStream | ArrayBuffer | null): Promise<string> {
  if (!(body instanceof ArrayBuffer)) return (found.headers.get("etag") ?? "").replace(/^W\//u, "");
  return `"${toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body)).slice(0, 16))}"`;
}
