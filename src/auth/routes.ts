import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { publicRouter, userRouter } from "../http/router.ts";
import { validate } from "../http/validate.ts";
import { requireActive } from "../users/account.ts";

const LocalCredentials = z
  .object({
    // The name becomes the local part of an e-mail address, which is part of keys.
    username: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/u, {
        error: "Use 1 to 64 letters, digits, dots, hyphens and underscores",
      }),
    password: z.string().min(1).max(1_024),
  })
  .meta({ id: "LocalCredentials" });

const Session = z.object({ token: z.string(), email: z.string(), name: z.string() }).meta({ id: "Session" });

const Me = z
  .object({ email: z.string(), name: z.string(), picture: z.string().nullable() })
  .meta({ id: "Me" });

export const localAuthRoutes = publicRouter()
  .post(
    "/signup",
    operation(
      "localSignup",
      "Sign up without Google (local development only)",
      { 200: Session },
      { access: "public", burst: "public" },
    ),
    validate("json", LocalCredentials),
    async (c) => c.json(await c.var.deps.localAccounts.signUp(c.req.valid("json")), 200),
  )
  .post(
    "/login",
    operation(
      "localLogin",
      "Sign in without Google (local development only)",
      { 200: Session },
      { access: "public", burst: "public" },
    ),
    validate("json", LocalCredentials),
    async (c) => c.json(await c.var.deps.localAccounts.logIn(c.req.valid("json")), 200),
  );

export const meRoutes = userRouter().get(
  "/me",
  operation("getMe", "The signed-in user", { 200: Me }, { access: ["user"], account: "itself" }),
  async (c) => {
    const { owner, issuedAt } = c.var.space;
    const { email, name, picture } = requireActive(await c.var.deps.users.find(owner), issuedAt);
    return c.json({ email, name, picture }, 200);
  },
);
