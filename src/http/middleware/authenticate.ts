import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Identity } from "../../auth/tokens.ts";
import { AppError } from "../../shared/errors.ts";
import { requireActive } from "../../users/account.ts";
import type { AppEnv, UserEnv } from "../env.ts";
import { operationOf } from "../openapi.ts";

/** Longer headers are refused unread: no token of ours comes near. */
const MAX_HEADER_CHARS = 8 * 1024;

/**
 * Lets only requests with a valid token pass, and only for accounts that are active; routes that say `public` are open.
 * Everything else is closed, paths that do not exist included. The account is read beside what a GET reads, and before
 * anything is written.
 */
export const authenticate = createMiddleware<UserEnv>(async (c, next) => {
  const operation = operationOf(c);
  if (operation?.access === "public" || c.req.method === "OPTIONS") return next();

  const { tokens, users } = c.var.deps;
  const user = await tokens.verify(bearerToken(c.req.header("authorization")));
  c.set("user", user);
  if (operation?.account === "itself") return next();

  const account = users.find(user.email).then(requireActive);
  if (c.req.method !== "GET" || operation?.account === "before") {
    await account;
    return next();
  }

  // A refusal must not count as unhandled while the handler runs.
  account.catch(() => undefined);
  await next();
  // The handler has already told of whatever keeps the account from being read, too.
  if (!isOutage(c.error)) await account;
});

/** Who is signed in, on a route that is open to everybody; a token that is sent has to be valid. */
export async function signedIn(c: Context<AppEnv>): Promise<Identity | undefined> {
  const header = c.req.header("authorization");
  if (header === undefined) return undefined;

  const { tokens, users } = c.var.deps;
  const user = await tokens.verify(bearerToken(header));
  requireActive(await users.find(user.email));
  return user;
}

const isOutage = (error: unknown): boolean => error instanceof AppError && error.status >= 500;

function bearerToken(header: string | undefined): string {
  const token =
    header && header.length <= MAX_HEADER_CHARS ? /^Bearer +(\S+)$/iu.exec(header)?.[1] : undefined;
  if (!token) throw new AppError("unauthenticated", "Missing or invalid authorization header");
  return token;
}
