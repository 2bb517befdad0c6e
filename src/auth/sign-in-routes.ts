import type { Context } from "hono";
import { clearHostCookie, readHostCookie, setHostCookie } from "../http/cookies.ts";
import type { AppEnv } from "../http/env.ts";
import { operation } from "../http/openapi.ts";
import { logProblem } from "../http/problem-document.ts";
import { contextOf } from "../http/problem.ts";
import { publicRouter } from "../http/router.ts";
import { AppError } from "../shared/errors.ts";
import { deviceFrom } from "./device.ts";
import { failureOf, SignInRefused } from "./refusals.ts";
import { setRefreshCookie } from "./session-cookie.ts";
import type { SignIn } from "./sign-in.ts";
import { TRANSACTION_SECONDS } from "./transactions.ts";

const TRANSACTION_COOKIE = "dab_signin";

/** Sign-in by way of the issuer's pages. A browser walks these routes, so they answer with redirects, not with problems. */
export const signInRoutes = publicRouter()
  .get(
    "/google",
    operation(
      "signIn",
      "Sign in: redirects to the issuer",
      { 302: "empty" },
      { access: "public", burst: "public" },
    ),
    (c) =>
      redirected(c, async (signIn) => {
        const { location, cookie } = await signIn.begin();
        setHostCookie(c, TRANSACTION_COOKIE, cookie, TRANSACTION_SECONDS);
        return location;
      }),
  )
  .get(
    "/callback",
    operation(
      "finishSignIn",
      "The way back from the issuer",
      { 302: "empty" },
      { access: "public", burst: "public" },
    ),
    (c) => finish(c),
  )
  .get(
    "/callback/google",
    operation("finishSignInGoogle", "The same", { 302: "empty" }, { access: "public", burst: "public" }),
    (c) => finish(c),
  );

const finish = (c: Context<AppEnv>): Promise<Response> =>
  redirected(c, async (signIn) => {
    const issued = await signIn.finish({
      answer: new URL(c.req.url).searchParams,
      cookie: readHostCookie(c, TRANSACTION_COOKIE),
      device: deviceFrom(c.req.header("user-agent")),
    });
    clearHostCookie(c, TRANSACTION_COOKIE);
    setRefreshCookie(c, issued);
    // The page gets its access token by `POST /auth/refresh`: no address ever holds one.
    return signIn.successPage;
  });

/** Redirects to what `step` gives, and to the application's login page, with a fixed text, when it fails. */
async function redirected(c: Context<AppEnv>, step: (signIn: SignIn) => Promise<string>): Promise<Response> {
  // Where nothing is configured there is no login page either: that is answered with a problem.
  const signIn = c.var.deps.signIn();
  try {
    return c.redirect(await step(signIn), 302);
  } catch (thrown) {
    const error = AppError.from(thrown);
    logProblem(error, contextOf(c));
    if (error instanceof SignInRefused) logRefusal(error, c.var.requestId);
    return c.redirect(signIn.failurePage(failureOf(error)), 302);
  }
}

/** The person is told next to nothing; why it was is for whoever runs the service. */
const logRefusal = ({ message, failure, cause }: SignInRefused, requestId: string): void =>
  console.warn({ message, requestId, failure, reason: cause instanceof Error ? cause.message : undefined });
