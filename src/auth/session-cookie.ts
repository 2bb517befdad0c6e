import type { Context } from "hono";
import { clearHostCookie, readHostCookie, setHostCookie } from "../http/cookies.ts";
import type { IssuedToken } from "./sessions.ts";

/** The name of the cookie that holds the refresh token. */
const NAME = "dab_refresh";

export const readRefreshCookie = (c: Context): string | undefined => readHostCookie(c, NAME);

export const setRefreshCookie = (c: Context, { token, maxAgeSeconds }: IssuedToken): void =>
  setHostCookie(c, NAME, token, maxAgeSeconds);

export const clearRefreshCookie = (c: Context): void => clearHostCookie(c, NAME);
