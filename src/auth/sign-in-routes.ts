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
import { failureOf, failurePage, SignInRefused, successPage } from "./refusals.ts";
import { setRefreshCookie } from "./session-cookie.ts";
import type { SignInService } from "./sign-in.ts";
import { TRANSACTION_SECONDS } from "./sign-in-transactions.ts";

const TRANSACTION_COOKIE = "dab_signin";
/** Says that the sign-in was begun by the playground. It chooses between two pages of ours, so it needs no signature. */
const HOME_COOKIE = "dab_home";
const PLAYGROUND = "playground";

/** Sign-in through the issuer's pages. Browsers navigate to these routes, so they answer with redirects, not problem documents. */
export const signInRoutes = new Hono<AppEnv>()
  .get(
    "/google",
    operation("signIn", { 302: "empty" }),
    anyQuery(),
    publicAccess,
    limitBursts("public"),
    (c) => {
      const isPlayground = new URL(c.req.url).searchParams.get("to") === PLAYGROUND;
      return redirected(c, homeOf(c, isPlayground), async (signIn) => {
        const { location, cookie } = await signIn.begin();
        setHostCookie(c, TRANSACTION_COOKIE, cookie, TRANSACTION_SECONDS);
        if (isPlayground) setHostCookie(c, HOME_COOKIE, PLAYGROUND, TRANSACTION_SECONDS);
        // Of a sign-in that was not finished.
        else if (readHostCookie(c, HOME_COOKIE) !== undefined) clearHostCookie(c, HOME_COOKIE);
        return location;
      });
    },
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

/** Returns the origin of the page that the browser returns to; `undefined` if none is configured. */
const homeOf = (c: Context<AppEnv>, isPlayground: boolean): string | undefined =>
  isPlayground ? c.var.deps.publicOrigin : c.var.deps.frontend;

function finish(c: Context<AppEnv>) {
  const isPlayground = readHostCookie(c, HOME_COOKIE) === PLAYGROUND;
  const home = homeOf(c, isPlayground);
  return redirected(c, home, async (signIn) => {
    const issued = await signIn.finish({
      answer: new URL(c.req.url).searchParams,
      cookie: readHostCookie(c, TRANSACTION_COOKIE),
      device: deviceFrom(c.req.header("user-agent")),
    });
    clearHostCookie(c, TRANSACTION_COOKIE);
    if (isPlayground) clearHostCookie(c, HOME_COOKIE);
    setRefreshCookie(c, issued);
    // The page gets its access token from `POST /auth/refresh`. No URL ever contains a token.
    return successPage(home ?? signIn.frontend);
  });
}

/** Redirects to the URL that `step` returns or, if it throws, to the login page of `home` with an error code. */
async function redirected(
  c: Context<AppEnv>,
  home: string | undefined,
  step: (signIn: SignInService) => Promise<string>,
) {
  const { requireSignInService } = c.var.deps;
  try {
    return c.redirect(await step(requireSignInService()), 302);
  } catch (thrown) {
    const error = AppError.from(thrown);
    // Without a login page to redirect to, the answer is a problem.
    if (home === undefined) throw error;
    logProblem(error, contextOf(c));
    if (error instanceof SignInRefused) logRefusal(error, c.var.requestId);
    return c.redirect(failurePage(home, failureOf(error)), 302);
  }
}

/** Users get only an error code. The log has the reason, for operators. */
const logRefusal = ({ message, failure, cause }: SignInRefused, requestId: string): void =>
  console.warn({ message, requestId, failure, reason: cause instanceof Error ? cause.message : undefined });
