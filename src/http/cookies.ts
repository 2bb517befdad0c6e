import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** Longer `Cookie` headers are ignored; this service's own cookies are far shorter. */
const MAX_HEADER_CHARS = 8 * 1024;

/**
 * `__Host-` binds a cookie to this host and to TLS, `httpOnly` hides it from scripts, and `Lax` keeps it out of other sites'
 * requests, except when a user follows a link.
 */
const OPTIONS = { prefix: "host", httpOnly: true, sameSite: "Lax" } as const;

/** Returns the value of a `__Host-` cookie, or `undefined` if the request has none. */
export function readHostCookie(c: Context, name: string): string | undefined {
  const header = c.req.header("cookie");
  return header !== undefined && header.length <= MAX_HEADER_CHARS ? getCookie(c, name, "host") : undefined;
}

/** Sets a `__Host-` cookie; `maxAge` is in seconds. */
export const setHostCookie = (c: Context, name: string, value: string, maxAge: number): void =>
  setCookie(c, name, value, { ...OPTIONS, maxAge });

export const clearHostCookie = (c: Context, name: string): void =>
  setCookie(c, name, "", { ...OPTIONS, maxAge: 0 });
