import { Hono } from "hono";
import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { blankAsAbsent } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { ProviderListing, ProviderView, toListing, toView } from "./views.ts";

const ProviderParam = z.object({ providerName: z.string() });

/** The fields depend on the provider, whose own schema validates them. */
const Credentials = z.record(z.string(), z.unknown()).meta({ id: "ProviderCredentials" });

const TrialQuery = z.object({ model: blankAsAbsent(z.string().trim().max(200).optional()) });

const Trial = z
  .object({
    ok: z.boolean(),
    message: z.string(),
    code: z.string().nullable(),
    checked: z.enum(["list", "message"]).nullable(),
  })
  .meta({ id: "ProviderTrial" });

export const providerRoutes = new Hono<AppEnv>()
  .get(
    "/",
    operation("listProviders", {
      200: z.array(ProviderListing),
    }),
    requireAccess("user"),
    async (c) => {
      const { providerService } = c.var.deps;
      const all = await providerService.list(c.var.scope.accountEmail);
      return c.json(
        all.map((status) => toListing(status, providerService.formOf(status))),
        200,
      );
    },
  )
  .get(
    "/:providerName",
    operation("getProvider", { 200: ProviderView }),
    requireAccess("user"),
    validate("param", ProviderParam),
    async (c) => {
      const { providerName } = c.req.valid("param");
      return c.json(
        toView(await c.var.deps.providerService.get(c.var.scope.accountEmail, providerName)),
        200,
      );
    },
  )
  .post(
    "/:providerName",
    operation("configureProvider", { 201: ProviderView }),
    requireAccess("user"),
    validate("param", ProviderParam),
    validate("json", Credentials),
    async (c) => {
      const { providerName } = c.req.valid("param");
      const status = await c.var.deps.providerService.save(
        c.var.scope.accountEmail,
        providerName,
        c.req.valid("json"),
      );
      return c.json(toView(status), 201);
    },
  )
  .delete(
    "/:providerName",
    operation("removeProvider", { 204: "empty" }),
    requireAccess("user"),
    validate("param", ProviderParam),
    async (c) => {
      await c.var.deps.providerService.remove(c.var.scope.accountEmail, c.req.valid("param").providerName);
      return c.body(null, 204);
    },
  )
  .post(
    "/:providerName/test",
    operation("testProvider", { 200: Trial }),
    requireAccess("user"),
    limitBursts("costly"),
    validate("param", ProviderParam),
    validate("query", TrialQuery),
    async (c) => {
      const { providerName } = c.req.valid("param");
      const { model } = c.req.valid("query");
      return c.json(await c.var.deps.providerService.try(c.var.scope.accountEmail, providerName, model), 200);
    },
  );
