import { Hono } from "hono";
import * as z from "zod";
import { modelFacts } from "../llm/model-facts.ts";
import type { ModelInfo, Provider } from "../llm/provider.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { notFound } from "../shared/errors.ts";
import { validate } from "../http/validate.ts";

const ModelView = z
  .object({
    model_id: z.string(),
    model_name: z.string(),
    display_name: z.string(),
    provider: z.string(),
    context_tokens: z.number().nullable(),
    max_output_tokens: z.number().nullable(),
    tools: z.boolean().nullable(),
    vision: z.boolean().nullable(),
    price: z.object({ input: z.number(), output: z.number() }).nullable(),
    is_live: z.boolean(),
  })
  .meta({ id: "Model" });

function toModelView(
  provider: Provider,
  { id, name, contextTokens, tools }: ModelInfo,
  isLive: boolean,
): z.infer<typeof ModelView> {
  const facts = modelFacts(id, provider.facts);
  return {
    model_id: id,
    model_name: name,
    display_name: name,
    provider: provider.name,
    context_tokens: contextTokens ?? facts?.contextTokens ?? null,
    max_output_tokens: facts?.outputTokens ?? null,
    tools: tools ?? facts?.tools ?? null,
    vision: facts?.vision ?? null,
    price: facts?.price ?? null,
    is_live: isLive,
  };
}

export const modelListRoutes = new Hono<AppEnv>().get(
  "/models/:provider",
  operation("listModels", {
    200: z.array(ModelView),
  }),
  requireAccess("user"),
  validate("param", z.object({ provider: z.string() })),
  async (c) => {
    const found = await c.var.deps.providerService.models(
      c.var.scope.accountEmail,
      c.req.valid("param").provider,
    );
    if (!found) throw notFound("Provider");

    const { provider, models, isLive } = found;
    return c.json(
      models.map((model) => toModelView(provider, model, isLive)),
      200,
    );
  },
);
