import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** A longer header is not read at all: no cookies of ours come near. */
const MAX_HEADER_CHARS = 8 * 1024;

/**
 * `__Host-` ties a cookie to this host and to TLS; scripts can't read it, and other sites' requests don't carry it,
 * except when a person follows a link.
 */
const OPTIONS = { prefix: "host", httpOnly: true, sameSite: "Lax" } as const;

/** The value of one of our cookies, if the request carries it. */
export function readHostCookie(c: Context, name: string): string | undefined {
  const header = c.req.header("cookie");
  return header !== undefined && header.length <= MAX_HEADER_CHARS ? getCookie(c, name, "host") : undefined;
}

export const setHostCookie = (c: Context, name: string, value: string, maxAge: number): void =>
  setCookie(c, name, value, { ...OPTIONS, maxAge });

export const clearHostCookie = (c: Context, name: string): void =>
  setCookie(c, name, "", { ...OPTIONS, maxAge: 0 });
