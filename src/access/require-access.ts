import type { Context, MiddlewareHandler, Next } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { requireKnownQuery } from "../http/query-names.ts";
import { AppError } from "../shared/errors.ts";
import type { AccessScope } from "./access-scope.ts";
import { type Caller, SCOPES, type Scope } from "./caller.ts";
import type { AppEnv, UserEnv, VisitorEnv } from "./env.ts";

/**
 * A kind of caller: a signed-in person, an end user of an agent, an MCP client, a program whose API key has this scope, a web page with
 * a publishable key, or its visitor.
 */
export type Who = "user" | "end-user" | "mcp-client" | Scope | "page" | "visitor";

/** Who may call a route: everyone, or these kinds of callers of an active account. */
export type Access = "public" | readonly Who[];

export interface AccessOptions {
  /**
   * When the status of the account is checked: `before` the handler runs, or by the handler `itself`, because it reads the
   * account anyway. By default, before the handler; for a GET in parallel with it, in the same request if it reads one item.
   */
  readonly account?: "before" | "itself";
}

/** Longer headers are refused unread; this service's own tokens are far shorter. */
const MAX_HEADER_CHARS = 8 * 1024;

/** The access rule of each middleware that `requireAccess` has returned. */
const accesses = new WeakMap<object, Access>();

/** Returns the access rule of a handler, or `undefined` if it is not an access check. */
export const accessOf = (handler: object): Access | undefined => accesses.get(handler);

/** Returns the access rule of a request's route, or `undefined` if no route matches. */
export const accessOfRequest = (c: Context): Access | undefined =>
  matchedRoutes(c)
    .map(({ handler }) => accessOf(handler))
    .find((access) => access !== undefined);

/** At least one kind of callers, and options. */
export type AccessRule = readonly [Who, ...Who[]] | readonly [Who, ...Who[], AccessOptions];

/**
 * Requires a valid token or API key of an active account and one of these kinds of callers, and sets `caller` and `scope` on
 * the context. Throws `unauthenticated` or `forbidden` for everyone else. The app does not start with a route that has
 * neither this nor `publicAccess`; see `requireAccessChecks`.
 *
 * @example requireAccess("user", "conversations:write", "end-user", { account: "itself" })
 */
export function requireAccess(...rule: AccessRule): MiddlewareHandler<UserEnv> {
  const parts: readonly (Who | AccessOptions)[] = rule;
  const access = parts.filter((part) => typeof part === "string");
  const options = parts.find((part) => typeof part === "object");
  const middleware = createMiddleware<UserEnv>((c, next) => admit(c, next, access, options));
  return withAccess(middleware, access);
}

/** Notes the access rule of a middleware that checks it, and returns that middleware. */
export function withAccess<M extends object>(middleware: M, access: Access): M {
  accesses.set(middleware, access);
  return middleware;
}

/** Marks a route as open to everyone. */
export const publicAccess = withAccess<MiddlewareHandler<AppEnv>>((c, next) => {
  requireKnownQuery(c);
  return next();
}, "public");

/**
 * Returns the scope of the signed-in person on a public route, or `undefined` without an `Authorization` header. Throws
 * `unauthenticated` or `forbidden` if the header is not a valid token of a person with an active account.
 */
export async function signedIn(c: Context<AppEnv>): Promise<AccessScope | undefined> {
  const header = c.req.header("authorization");
  if (header === undefined) return undefined;

  const { callerService } = c.var.deps;
  const { caller } = await callerService.identify(bearerToken(header));
  requirePermission(["user"], caller);
  await callerService.requireActiveScope(caller.scope);
  return caller.scope;
}

/** Returns whether a part of a rule is a scope of API keys, not a kind of callers. */
export const isScope = (who: Who): who is Scope => SCOPES.some((scope) => scope === who);

/** Returns whether the rule includes the caller. */
export const isPermitted = (access: readonly Who[], { kind, scopes }: Caller): boolean =>
  kind === "key" ? scopes.some((scope) => access.includes(scope)) : access.includes(kind);

/** Throws `forbidden` if the rule does not include the caller. */
export function requirePermission(access: readonly Who[], caller: Caller): void {
  if (isPermitted(access, caller)) return;
  if (caller.kind === "mcp-client")
    throw new AppError("forbidden", "This token is only valid at the MCP address of its agent");
  if (caller.kind !== "key") throw new AppError("forbidden", "End users may not do this");

  const needed = access.find(isScope);
  throw new AppError(
    "forbidden",
    needed ? `This API key lacks the scope ${needed}` : "API keys may not do this",
  );
}

/** Identifies the caller, applies the access rule, and checks the status of the account. */
async function admit(
  c: Context<UserEnv>,
  next: Next,
  access: readonly Who[],
  { account }: AccessOptions = {},
): Promise<void> {
  const { callerService } = c.var.deps;
  const { caller, hasExpired, note } = await callerService.identify(
    bearerToken(c.req.header("authorization")),
  );
  c.set("caller", caller);
  c.set("scope", caller.scope);
  requireOrigin(caller, c.req.header("origin"));
  if (hasExpired) throw new AppError("unauthenticated", "Token expired");
  requirePermission(access, caller);
  requireKnownQuery(c);
  if (note) noteUse(c, note);
  await nextIfActive(c, next, account);
}

/** Records the use of a key in the background. */
export const noteUse = (c: Pick<Context, "executionCtx">, note: () => Promise<void>): void =>
  c.executionCtx.waitUntil(note().catch(warn));

/** Checks the status of the account and of the end user, and runs the handler. */
export async function nextIfActive(
  c: Context<UserEnv> | Context<VisitorEnv>,
  next: Next,
  account: AccessOptions["account"],
): Promise<void> {
  const { caller, deps } = c.var;
  const { callerService } = deps;
  if (account === "itself") return next();

  if (c.req.method !== "GET" || account === "before") {
    await callerService.requireActiveScope(caller.scope);
    return next();
  }

  const isActive = callerService.requireActiveScopeBeside(caller.scope);
  // Without this, a refusal would be an unhandled rejection while the handler runs.
  isActive.catch(() => undefined);
  await next();
  // If the handler failed because of an outage, its error is the answer: the check would only fail the same way.
  if (!isOutage(c.error)) await isActive;
}

/** An end user's token is valid for the origins that it names. If it names none, it is valid outside of browsers only. */
export function requireOrigin({ kind, origins }: Caller, origin: string | undefined): void {
  if (kind !== "end-user") return;
  if (origin === undefined ? origins.length === 0 : origins.includes(origin)) return;
  throw new AppError("forbidden", "This token is not valid for this origin");
}

const warn = (error: unknown): void =>
  console.warn({ message: "The last use of a credential could not be recorded.", error: String(error) });

const isOutage = (error: unknown): boolean => error instanceof AppError && error.status >= 500;

/** Returns the token of an `Authorization` header. Throws `unauthenticated` with `sentence` if there is none. */
export function bearerToken(
  header: string | undefined,
  sentence = "Missing or invalid authorization header",
): string {
  const token =
    header && header.length <= MAX_HEADER_CHARS ? /^Bearer +(\S+)$/iu.exec(header)?.[1] : undefined;
  if (!token) throw new AppError("unauthenticated", sentence);
  return token;
}
