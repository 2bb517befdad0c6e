import { type Context, Hono } from "hono";
import { clearHostCookie, readHostCookie, setHostCookie } from "../http/cookies.ts";
import type { AppEnv } from "../access/env.ts";
import { operation } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import { logProblem } from "../http/problem-document.ts";
import { contextOf } from "../http/problem.ts";
import { limitBursts } from "../access/burst-limit.ts";
import { publicAccess } from "../access/require-access.ts";
import { AppError } from "../shared/errors.ts";
import { deviceFrom } from "./device.ts";
import { failureOf, failurePage, SignInRefused } from "./refusals.ts";
import { setRefreshCookie } from "./session-cookie.ts";
import type { SignInService } from "./sign-in.ts";
import { TRANSACTION_SECONDS } from "./sign-in-transactions.ts";

const TRANSACTION_COOKIE = "dab_signin";

/** Sign-in through the issuer's pages. Browsers navigate to these routes, so they answer with redirects, not problem documents. */
export const signInRoutes = new Hono<AppEnv>()
  .get(
    "/google",
    operation("signIn", { 302: "empty" }),
    anyQuery(),
    publicAccess,
    limitBursts("public"),
    (c) =>
      redirected(c, async (signIn) => {
        const { location, cookie } = await signIn.begin();
        setHostCookie(c, TRANSACTION_COOKIE, cookie, TRANSACTION_SECONDS);
        return location;
      }),
  )
  .get(
    "/callback",
    operation("finishSignIn", { 302: "empty" }),
    anyQuery(),
    publicAccess,
    limitBursts("public"),
    (c) => finish(c),
  )
  .get(
    "/callback/google",
    operation("finishSignInGoogle", { 302: "empty" }),
    anyQuery(),
    publicAccess,
    limitBursts("public"),
    (c) => finish(c),
  );

const finish = (c: Context<AppEnv>) =>
  redirected(c, async (signIn) => {
    const issued = await signIn.finish({
      answer: new URL(c.req.url).searchParams,
      cookie: readHostCookie(c, TRANSACTION_COOKIE),
      device: deviceFrom(c.req.header("user-agent")),
    });
    clearHostCookie(c, TRANSACTION_COOKIE);
    setRefreshCookie(c, issued);
    // The page gets its access token from `POST /auth/refresh`. No URL ever contains a token.
    return signIn.successPage;
  });

/** Redirects to the URL that `step` returns or, if it throws, to the application's login page with an error code. */
async function redirected(c: Context<AppEnv>, step: (signIn: SignInService) => Promise<string>) {
  const { frontend, requireSignInService } = c.var.deps;
  try {
    return c.redirect(await step(requireSignInService()), 302);
  } catch (thrown) {
    const error = AppError.from(thrown);
    // Without a login page to redirect to, the answer is a problem.
    if (frontend === undefined) throw error;
    logProblem(error, contextOf(c));
    if (error instanceof SignInRefused) logRefusal(error, c.var.requestId);
    return c.redirect(failurePage(frontend, failureOf(error)), 302);
  }
}

/** Users get only an error code. The log has the reason, for operators. */
const logRefusal = ({ message, failure, cause }: SignInRefused, requestId: string): void =>
  console.warn({ message, requestId, failure, reason: cause instanceof Error ? cause.message : undefined });
