import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { requireKnownQuery } from "../http/query-names.ts";
import { AppError } from "../shared/errors.ts";
import type { KeyEnv, VisitorEnv } from "./env.ts";
import type { KeyGrant } from "./publishable-key.ts";
import {
  type AccessOptions,
  bearerToken,
  nextIfActive,
  noteUse,
  requireOrigin,
  withAccess,
} from "./require-access.ts";

/**
 * Requires a publishable key of an active account that may be used by the page that sends the request, and sets `keyGrant` on the
 * context. Throws `unauthenticated` or `forbidden` otherwise.
 */
export const requirePublishableKey: MiddlewareHandler<KeyEnv> = withAccess(
  createMiddleware<KeyEnv>(async (c, next) => {
    const grant = await keyGrantOf(c);
    c.set("keyGrant", grant);
    requireKnownQuery(c);
    await c.var.deps.callerService.requireActiveScope({ accountEmail: grant.accountEmail });
    await next();
  }),
  ["page"],
);

/**
 * Requires a publishable key as `requirePublishableKey` does, and a token of a visitor of the key's agent. Sets `keyGrant`, `caller`,
 * `scope` and `visitor` on the context. The token may also be a client token, which the agent's owner has issued for the person.
 */
export function requireVisitor({ account }: AccessOptions = {}): MiddlewareHandler<VisitorEnv> {
  return withAccess(
    createMiddleware<VisitorEnv>(async (c, next) => {
      const grant = await keyGrantOf(c);
      c.set("keyGrant", grant);
      const { caller, visitor } = await visitorOf(c, grant);
      c.set("caller", caller);
      c.set("scope", caller.scope);
      c.set("visitor", visitor);
      requireKnownQuery(c);
      await nextIfActive(c, next, account);
    }),
    ["visitor"],
  );
}

/**
 * Returns the visitor whom the `Authorization` header identifies. Throws `unauthenticated` without a valid token for the agent of the
 * key, and `forbidden` if the token is not for this page, or if visitors have to sign in and this one has not. Does not check whether
 * the visitor still exists.
 */
export async function visitorOf({ req, var: { deps } }: WidgetContext, grant: KeyGrant) {
  const token = bearerToken(req.header("authorization"), "Missing or invalid Authorization header");
  const identified = await deps.callerService.identifyVisitor(token, grant);
  requireOrigin(identified.caller, req.header("origin"));
  if (grant.requiresSignIn && identified.visitor.isAnonymous) throw mustSignIn();
  return identified;
}

/** Returns the error for a visitor who has to sign in first. */
export const mustSignIn = (): AppError => new AppError("forbidden", "Visitors must sign in to use this chat");

/** Returns what the publishable key of a request opens, and counts the request in the background. */
async function keyGrantOf(c: WidgetContext): Promise<KeyGrant> {
  const { publishableKeyService: keys } = c.var.deps;
  const grant = await keys.identify(c.req.header("x-api-key"), c.req.header("origin"));
  noteUse(c, () => keys.touch(grant));
  return grant;
}

type WidgetContext = Context<KeyEnv> | Context<VisitorEnv>;
