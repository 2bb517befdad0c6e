import * as z from "zod";
import { requireKnownOrigin } from "../http/middleware/known-origin.ts";
import { operation } from "../http/openapi.ts";
import { publicRouter, userRouter } from "../http/router.ts";
import { Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { readRefreshToken } from "./refresh-token.ts";
import { clearRefreshCookie, readRefreshCookie, setRefreshCookie } from "./session-cookie.ts";
import type { AuthSession } from "./session-model.ts";

const RefreshedToken = z
  .object({
    token: z.string(),
    expires_in: z.number().int().meta({ description: "Seconds" }),
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
    expires_at: z.string().meta({ description: "Unless it is used before" }),
    current: z.boolean().meta({ description: "Whether it is the session of the request's own cookie" }),
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

/** What a browser does with its cookie. */
export const cookieRoutes = publicRouter()
  .post(
    "/refresh",
    operation(
      "refreshSession",
      "A new access token for the session of the cookie, which is replaced",
      { 200: RefreshedToken },
      { access: "public", burst: "public" },
    ),
    requireKnownOrigin,
    async (c) => {
      const { sessions, tokens } = c.var.deps;
      const { user, issued } = await sessions.refresh(readRefreshCookie(c));
      const token = await tokens.issue(user);
      setRefreshCookie(c, issued);
      const { email, name, picture } = user;
      return c.json({ token, expires_in: tokens.lifetimeSeconds, email, name, picture }, 200);
    },
  )
  .post(
    "/logout",
    operation(
      "logOut",
      "End the session of the cookie",
      { 204: "empty" },
      { access: "public", burst: "public" },
    ),
    requireKnownOrigin,
    async (c) => {
      await c.var.deps.sessions.end(readRefreshCookie(c));
      clearRefreshCookie(c);
      return c.body(null, 204);
    },
  );

/** Where a person is signed in. */
export const sessionRoutes = userRouter()
  .get(
    "/sessions",
    operation(
      "listSessions",
      "Where you are signed in, the latest first",
      { 200: pageOf(AuthSessionView) },
      { access: ["user"] },
    ),
    validate("query", pageQuery(50)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.sessions.list(c.var.space.owner, limit, cursor);
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
    operation("endSession", "Sign out elsewhere, or here", { 204: "empty" }, { access: ["user"] }),
    validate("param", z.object({ sessionId: Id })),
    async (c) => {
      const { sessionId } = c.req.valid("param");
      await c.var.deps.sessions.revoke(c.var.space.owner, sessionId);
      if (readRefreshToken(readRefreshCookie(c))?.sessionId === sessionId) clearRefreshCookie(c);
      return c.body(null, 204);
    },
  );
