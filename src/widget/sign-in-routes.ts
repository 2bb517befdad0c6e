import { Hono } from "hono";
import * as z from "zod";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { clearHostCookie, readHostCookie, setHostCookie } from "../http/cookies.ts";
import { operation, webPage } from "../http/openapi.ts";
import { contextOf } from "../http/problem.ts";
import { logProblem } from "../http/problem-document.ts";
import { anyQuery } from "../http/query-names.ts";
import { validate } from "../http/validate.ts";
import { TRANSACTION_SECONDS } from "../auth/sign-in-transactions.ts";
import { emptyPage, handOver, keepOpener } from "./callback-page.ts";
import { toVisitorTokenView, VisitorTokenView } from "./view.ts";

const TRANSACTION_COOKIE = "dab_visitor_signin";

const SignInQuery = z.object({
  api_key: z.string().max(255),
  redirect_uri: z.string().max(2_048).optional(),
  origin: z.string().max(255).optional(),
});

/** Sign-in of visitors. A page with a chat opens these addresses in a window of their own. */
export const visitorSignInRoutes = new Hono<AppEnv>()
  .get(
    "/google",
    operation("signInVisitor", { 307: "empty" }),
    publicAccess,
    limitBursts("public"),
    validate("query", SignInQuery),
    async (c) => {
      const { api_key: apiKey, redirect_uri: redirectUri, origin } = c.req.valid("query");
      const signIn = c.var.deps.requireVisitorSignIn();
      const { location, cookie } = await signIn.begin({ apiKey, redirectUri, origin });
      setHostCookie(c, TRANSACTION_COOKIE, cookie, TRANSACTION_SECONDS);
      keepOpener(c);
      return c.redirect(location, 307);
    },
  )
  .get(
    "/callback",
    operation("finishVisitorSignIn", { 200: VisitorTokenView }),
    anyQuery(),
    publicAccess,
    limitBursts("public"),
    async (c) => {
      const cookie = readHostCookie(c, TRANSACTION_COOKIE);
      // A transaction is for one return only, however it ends.
      clearHostCookie(c, TRANSACTION_COOKIE);
      const answer = new URL(c.req.url).searchParams;
      const outcome = await c.var.deps.requireVisitorSignIn().finish({ answer, cookie });
      if ("token" in outcome) return c.json(toVisitorTokenView(outcome), 200);

      if ("failure" in outcome.outcome) logProblem(outcome.outcome.error, contextOf(c));
      return handOver(c, outcome);
    },
  );

/** The page that the legacy widget names as its redirect address. Nothing is handed over in its address any more. */
export const visitorPageRoutes = new Hono<AppEnv>().get(
  "/callback-page",
  webPage,
  anyQuery(),
  publicAccess,
  emptyPage,
);
