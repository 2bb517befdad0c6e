import { Hono } from "hono";
import * as z from "zod";
import { requireKnownOrigin } from "../access/known-origin.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess, requireAccess } from "../access/require-access.ts";
import { Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { readRefreshToken } from "./refresh-token.ts";
import { clearRefreshCookie, readRefreshCookie, setRefreshCookie } from "./session-cookie.ts";
import type { AuthSession } from "./session-model.ts";

const RefreshedToken = z
  .object({
    token: z.string(),
    expires_in: z.number().int(),
    email: z.string(),
    name: z.string(),
    picture: z.string().nullable(),
  })
  .meta({ id: "RefreshedToken" });

const AuthSessionView = z
  .object({
    session_id: z.string(),
    device: z.string(),
    created_at: z.string(),
    last_used_at: z.string(),
    expires_at: z.string(),
    current: z.boolean(),
  })
  .meta({ id: "AuthSession" });

const toView = (session: AuthSession, currentId: string | undefined): z.infer<typeof AuthSessionView> => ({
  session_id: session.id,
  device: session.device,
  created_at: session.createdAt,
  last_used_at: session.lastUsedAt,
  expires_at: new Date(session.ttl * 1000).toISOString(),
  current: session.id === currentId,
});

/** Routes that a browser calls with its refresh cookie. */
export const cookieRoutes = new Hono<AppEnv>()
  .post(
    "/refresh",
    operation("refreshSession", {
      200: RefreshedToken,
    }),
    publicAccess,
    limitBursts("public"),
    requireKnownOrigin,
    async (c) => {
      const { sessionService, tokens } = c.var.deps;
      const { user, issued } = await sessionService.refresh(readRefreshCookie(c));
      const token = await tokens.issue(user);
      setRefreshCookie(c, issued);
      const { accountEmail, name, picture } = user;
      return c.json({ token, expires_in: tokens.lifetimeSeconds, email: accountEmail, name, picture }, 200);
    },
  )
  .post(
    "/logout",
    operation("logOut", { 204: "empty" }),
    publicAccess,
    limitBursts("public"),
    requireKnownOrigin,
    async (c) => {
      await c.var.deps.sessionService.end(readRefreshCookie(c));
      clearRefreshCookie(c);
      return c.body(null, 204);
    },
  );

/** Routes that list and end the sessions of a signed-in person. */
export const sessionRoutes = new Hono<AppEnv>()
  .get(
    "/sessions",
    operation("listSessions", { 200: pageOf(AuthSessionView) }),
    requireAccess("user"),
    validate("query", pageQuery(50)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.sessionService.list(c.var.scope.accountEmail, limit, cursor);
      const currentId = readRefreshToken(readRefreshCookie(c))?.sessionId;
      return c.json(
        toPage(
          page.items.map((session) => toView(session, currentId)),
          page.nextCursor,
        ),
        200,
      );
    },
  )
  .delete(
    "/sessions/:sessionId",
    operation("endSession", { 204: "empty" }),
    requireAccess("user"),
    validate("param", z.object({ sessionId: Id })),
    async (c) => {
      const { sessionId } = c.req.valid("param");
      await c.var.deps.sessionService.revoke(c.var.scope.accountEmail, sessionId);
      if (readRefreshToken(readRefreshCookie(c))?.sessionId === sessionId) clearRefreshCookie(c);
      return c.body(null, 204);
    },
  );
