import { Hono } from "hono";
import * as z from "zod";
import { rule } from "../shared/violations.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess, requireAccess } from "../access/require-access.ts";
import { validate } from "../http/validate.ts";
import { requireActive } from "../access/account-status.ts";

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

export const localAuthRoutes = new Hono<AppEnv>()
  .post(
    "/signup",
    operation("localSignup", { 200: Session }),
    publicAccess,
    limitBursts("public"),
    validate("json", LocalCredentials),
    async (c) => c.json(await c.var.deps.localAccountService.signUp(c.req.valid("json")), 200),
  )
  .post(
    "/login",
    operation("localLogin", { 200: Session }),
    publicAccess,
    limitBursts("public"),
    validate("json", LocalCredentials),
    async (c) => c.json(await c.var.deps.localAccountService.logIn(c.req.valid("json")), 200),
  );

export const meRoutes = new Hono<AppEnv>().get(
  "/me",
  operation("getMe", { 200: Me }),
  requireAccess("user", { account: "itself" }),
  async (c) => {
    const { accountEmail, issuedAt } = c.var.scope;
    const user = requireActive(await c.var.deps.users.find(accountEmail), issuedAt);
    return c.json({ email: user.accountEmail, name: user.name, picture: user.picture }, 200);
  },
);
