import { type Context, Hono } from "hono";
import * as z from "zod";
import { rule } from "../shared/violations.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess, requireAccess } from "../access/require-access.ts";
import { validate } from "../http/validate.ts";
import { requireActive } from "../access/account-status.ts";
import { accountEmailOf } from "../shared/id-types.ts";
import { deviceFrom } from "./device.ts";
import { setRefreshCookie } from "./session-cookie.ts";

const LocalCredentials = z
  .strictObject({
    // The name becomes the local part of an e-mail address, which is part of table keys.
    username: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/u, {
        error: rule(
          "must consist of 1 to 64 letters, digits, dots, hyphens and underscores, and begin and end with a letter or digit.",
        ),
      }),
    password: z.string().min(1).max(1_024),
  })
  .meta({ id: "LocalCredentials" });

const Session = z.object({ token: z.string(), email: z.string(), name: z.string() }).meta({ id: "Session" });

const Me = z
  .object({ email: z.string(), name: z.string(), picture: z.string().nullable() })
  .meta({ id: "Me" });

const SignInMethods = z
  .object({
    local: z.boolean(),
    issuer: z.object({ name: z.string(), url: z.string() }).nullable(),
  })
  .meta({ id: "SignInMethods" });

export const localAuthRoutes = new Hono<AppEnv>()
  .post(
    "/signup",
    operation("localSignup", { 200: Session }),
    publicAccess,
    limitBursts("public"),
    validate("json", LocalCredentials),
    async (c) => {
      const session = await c.var.deps.localAccountService.signUp(c.req.valid("json"));
      await rememberOwnPage(c, session.email);
      return c.json(session, 200);
    },
  )
  .post(
    "/login",
    operation("localLogin", { 200: Session }),
    publicAccess,
    limitBursts("public"),
    validate("json", LocalCredentials),
    async (c) => {
      const session = await c.var.deps.localAccountService.logIn(c.req.valid("json"));
      await rememberOwnPage(c, session.email);
      return c.json(session, 200);
    },
  );

/**
 * Begins a session with a refresh cookie if the request comes from a page of this service, so that a reload does not sign the person
 * out. Programs keep their token, and a session for each of their sign-ins would only fill the table.
 */
async function rememberOwnPage(c: Context<AppEnv>, email: string): Promise<void> {
  if (c.req.header("sec-fetch-site") !== "same-origin") return;
  const device = deviceFrom(c.req.header("user-agent"));
  setRefreshCookie(c, await c.var.deps.sessionService.begin(accountEmailOf(email), device));
}

export const meRoutes = new Hono<AppEnv>()
  .get("/methods", operation("getSignInMethods", { 200: SignInMethods }), publicAccess, (c) =>
    c.json(c.var.deps.signInMethods, 200),
  )
  .get("/me", operation("getMe", { 200: Me }), requireAccess("user", { account: "itself" }), async (c) => {
    const { accountEmail, issuedAt } = c.var.scope;
    const user = requireActive(await c.var.deps.users.find(accountEmail), issuedAt);
    return c.json({ email: user.accountEmail, name: user.name, picture: user.picture }, 200);
  });
