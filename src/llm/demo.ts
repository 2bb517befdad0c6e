import * as z from "zod";
import { providerError } from "./errors.ts";
import { openAiModel } from "./openai.ts";
import { defineProvider } from "./provider.ts";

/** Small, so that the effects of a long conversation show early in development. */
const DEMO_CONTEXT_TOKENS = 32_000;

const DEMO_MODEL = {
  id: "demo",
  name: "Demo model (pattern matching, no AI)",
  contextTokens: DEMO_CONTEXT_TOKENS,
};

/** The demo model for local development. It needs no key. */
export const demo = defineProvider({
  name: "Demo",
  label: "Demo",
  credentials: z.object({}),
  models: [DEMO_MODEL],
  open(_credentials, model, settings, { demoModelUrl, fetch, timeouts }) {
    if (demoModelUrl === undefined)
      throw providerError.unavailable(
        new Error("The demo model has no URL. It exists in local development only."),
      );
    return openAiModel({
      apiKey: "demo",
      baseUrl: demoModelUrl,
      model: model ?? DEMO_MODEL.id,
      contextTokens: DEMO_CONTEXT_TOKENS,
      fetch,
      timeouts,
      settings,
    });
  },
  listModels: () => Promise.resolve([DEMO_MODEL]),
});
