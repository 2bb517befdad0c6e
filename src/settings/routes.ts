import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { ProviderListing, ProviderView, toListing, toView } from "./views.ts";

const ProviderParam = z.object({ providerName: z.string() });

/** Which fields there are depends on the provider; its own schema checks them. */
const Credentials = z
  .record(z.string(), z.unknown())
  .meta({ id: "ProviderCredentials", description: "The fields of the provider's form." });

const TrialQuery = z.object({ model: blankAsAbsent(z.string().trim().max(200).optional()) });

const Trial = z
  .object({ ok: z.boolean(), message: z.string(), code: z.string().nullable() })
  .meta({ id: "ProviderTrial" });

export const providerRoutes = userRouter()
  .get(
    "/",
    operation(
      "listProviders",
      "The providers of models, and the forms that configure them",
      {
        200: z.array(ProviderListing),
      },
      { access: ["user"] },
    ),
    async (c) => {
      const { providers } = c.var.deps;
      const all = await providers.list(c.var.space.owner);
      return c.json(
        all.map((status) => toListing(status, providers.formOf(status))),
        200,
      );
    },
  )
  .get(
    "/:providerName",
    operation("getProvider", "Whether a provider is configured", { 200: ProviderView }, { access: ["user"] }),
    validate("param", ProviderParam),
    async (c) => {
      const { providerName } = c.req.valid("param");
      return c.json(toView(await c.var.deps.providers.get(c.var.space.owner, providerName)), 200);
    },
  )
  .post(
    "/:providerName",
    operation(
      "configureProvider",
      "Store the credentials for a provider",
      { 201: ProviderView },
      { access: ["user"] },
    ),
    validate("param", ProviderParam),
    validate("json", Credentials),
    async (c) => {
      const { providerName } = c.req.valid("param");
      const status = await c.var.deps.providers.save(c.var.space.owner, providerName, c.req.valid("json"));
      return c.json(toView(status), 201);
    },
  )
  .delete(
    "/:providerName",
    operation(
      "removeProvider",
      "Forget the credentials for a provider",
      { 204: "empty" },
      { access: ["user"] },
    ),
    validate("param", ProviderParam),
    async (c) => {
      await c.var.deps.providers.remove(c.var.space.owner, c.req.valid("param").providerName);
      return c.body(null, 204);
    },
  )
  .post(
    "/:providerName/test",
    operation(
      "testProvider",
      "Ask the provider whether the stored credentials work",
      { 200: Trial },
      { access: ["user"], burst: "costly" },
    ),
    validate("param", ProviderParam),
    validate("query", TrialQuery),
    async (c) => {
      const { providerName } = c.req.valid("param");
      const { model } = c.req.valid("query");
      return c.json(await c.var.deps.providers.try(c.var.space.owner, providerName, model), 200);
    },
  );
