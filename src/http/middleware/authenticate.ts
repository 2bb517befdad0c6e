import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Caller } from "../../auth/caller.ts";
import { AppError } from "../../shared/errors.ts";
import type { AppEnv, UserEnv } from "../env.ts";
import { operationOf, type Who } from "../openapi.ts";
import type { Space } from "../../users/space.ts";

/** Longer headers are refused unread: no token of ours comes near. */
const MAX_HEADER_CHARS = 8 * 1024;

/**
 * Lets only those pass whom the route is for, by a valid token or key of an active account; routes that say `public` are
 * open. Everything else is closed, paths that do not exist included. The account is read beside what a GET reads, and
 * before anything is written.
 */
export const authenticate = createMiddleware<UserEnv>(async (c, next) => {
  const operation = operationOf(c);
  if (operation?.access === "public" || c.req.method === "OPTIONS") return next();

  const { callers } = c.var.deps;
  const { caller, hasExpired, note } = await callers.identify(bearerToken(c.req.header("authorization")));
  c.set("caller", caller);
  c.set("space", caller.space);
  requireOrigin(caller, c.req.header("origin"));
  if (hasExpired) throw new AppError("unauthenticated", "Token expired");
  if (operation) requireAccess(operation.access, caller);
  if (note) c.executionCtx.waitUntil(note().catch(warn));
  if (operation?.account === "itself") return next();

  const standing = callers.requireStanding(caller.space);
  if (c.req.method !== "GET" || operation?.account === "before") {
    await standing;
    return next();
  }

  // A refusal must not count as unhandled while the handler runs.
  standing.catch(() => undefined);
  await next();
  // The handler has already told of whatever keeps the account from being read, too.
  if (!isOutage(c.error)) await standing;
});

/** Who is signed in, on a route that is open to everybody; what is sent to show it has to be valid. */
export async function signedIn(c: Context<AppEnv>): Promise<Space | undefined> {
  const header = c.req.header("authorization");
  if (header === undefined) return undefined;

  const { callers } = c.var.deps;
  const { caller } = await callers.identify(bearerToken(header));
  requireAccess(["user"], caller);
  await callers.requireStanding(caller.space);
  return caller.space;
}

/** An end user's token is for the pages that it names, or, where it names none, for what is no page. */
function requireOrigin({ kind, origins }: Caller, origin: string | undefined): void {
  if (kind !== "end-user") return;
  if (origin === undefined ? origins.length === 0 : origins.includes(origin)) return;
  throw new AppError("forbidden", "This token is not for this origin");
}

/** Refuses callers that none of these names. */
export function requireAccess(access: readonly Who[], { kind, scopes }: Caller): void {
  if (kind !== "key") {
    if (access.includes(kind)) return;
    throw new AppError("forbidden", "This is not for end users");
  }
  if (scopes.some((scope) => access.includes(scope))) return;

  const needed = access.find((who) => who !== "user" && who !== "end-user");
  throw new AppError(
    "forbidden",
    needed ? `This API key lacks the scope ${needed}` : "This is not for API keys",
  );
}

const warn = (error: unknown): void =>
  console.warn({ message: "The use of an API key was not noted.", error: String(error) });

const isOutage = (error: unknown): boolean => error instanceof AppError && error.status >= 500;

function bearerToken(header: string | undefined): string {
  const token =
    header && header.length <= MAX_HEADER_CHARS ? /^Bearer +(\S+)$/iu.exec(header)?.[1] : undefined;
  if (!token) throw new AppError("unauthenticated", "Missing or invalid authorization header");
  return token;
}
