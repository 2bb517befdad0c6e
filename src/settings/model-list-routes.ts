import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { validate } from "../http/validate.ts";

const ModelView = z
  .object({
    model_id: z.string(),
    model_name: z.string(),
    display_name: z.string(),
    provider: z.string(),
    /** How many tokens it reads at most; null where that is not known. */
    context_tokens: z.number().nullable(),
    /** Whether the provider lists it for the caller's credentials; otherwise it is from a list that is built in. */
    is_live: z.boolean(),
  })
  .meta({ id: "Model" });

export const modelListRoutes = userRouter().get(
  "/models/:provider",
  operation(
    "listModels",
    "The models of a provider; none for one that is not there",
    {
      200: z.array(ModelView),
    },
    { access: ["user"] },
  ),
  validate("param", z.object({ provider: z.string() })),
  async (c) => {
    const found = await c.var.deps.providers.models(c.var.space.owner, c.req.valid("param").provider);
    if (!found) return c.json([], 200);

    const { provider, models, isLive } = found;
    return c.json(
      models.map(({ id, name, contextTokens }) => ({
        model_id: id,
        model_name: name,
        display_name: name,
        provider: provider.name,
        context_tokens: contextTokens ?? null,
        is_live: isLive,
      })),
      200,
    );
  },
);
