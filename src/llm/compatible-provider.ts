import * as z from "zod";
import { OUT_OF_BOUNDS, outOfBounds } from "../shared/outbound.ts";
import { contextTokensOf } from "./context-windows.ts";
import { LOCAL_PRESETS, PRESETS, TO_FILL_IN } from "./compatible-presets.ts";
import { openAiEmbedder } from "./embeddings.ts";
import { providerError } from "./errors.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, type Json, numberAt, objectsAt, textAt } from "./json.ts";
import { openAiError, openAiModel } from "./openai.ts";
import { outboundFetch } from "./outbound-fetch.ts";
import { defineProvider, described, keyText, type ModelInfo } from "./provider.ts";

const credentials = z.object({
  base_url: described(z.string().trim().min(1).max(2_000), {
    title: "Base URL",
    help: "Where the API begins; most end in /v1. Changing it asks for the key again.",
    placeholder: "https://api.example.com/v1",
    presets: PRESETS,
    localPresets: LOCAL_PRESETS,
  }),
  api_key: described(keyText.optional(), { title: "API Key", secret: true }),
  model: described(z.string().trim().min(1).max(200).optional(), {
    title: "Default Model",
    help: "Used by agents that name none.",
    keepsSecrets: true,
  }),
  context_tokens: described(
    z
      .string()
      .trim()
      .regex(/^[1-9]\d{3,6}$/u, "Enter a number from 1000 to 9999999")
      .optional(),
    {
      title: "Context Window (Tokens)",
      help: "How much its models read; guessed from their names otherwise.",
      keepsSecrets: true,
    },
  ),
  embedding_model: described(z.string().trim().min(1).max(200).optional(), {
    title: "Embedding Model",
    help: "Finds memories by what they mean, where the server has such a model.",
    keepsSecrets: true,
  }),
});

/** Any server that speaks OpenAI's protocol. */
export const openAiCompatible = defineProvider({
  name: "OpenAICompatible",
  label: "OpenAI-Compatible",
  credentials,
  models: [],
  objection({ base_url: baseUrl, api_key: apiKey }, context) {
    const reason = outOfBounds(baseUrl, context);
    if (reason) return `This base URL can't be used. ${OUT_OF_BOUNDS[reason]}`;
    if (baseUrl.includes(TO_FILL_IN)) return `Put your own account id in place of ${TO_FILL_IN}.`;
    if (/[?#]/u.test(baseUrl)) return "The base URL must not contain a query or a fragment.";
    return apiKey === undefined && !context.isLocal ? "Enter an API key." : undefined;
  },
  open(entered, model, settings, context) {
    const id = model ?? entered.model;
    if (id === undefined) throw providerError.noModel();
    return openAiModel({
      apiKey: entered.api_key ?? NO_KEY,
      baseUrl: baseOf(entered.base_url),
      model: id,
      contextTokens: Number(entered.context_tokens ?? contextTokensOf(id)),
      settings,
      fetch: outboundFetch(context),
      timeouts: context.timeouts,
    });
  },
  openEmbedder(entered, context) {
    const { embedding_model: model, api_key: apiKey, base_url: url } = entered;
    if (model === undefined) return undefined;
    return openAiEmbedder(
      { url: baseOf(url), apiKey: apiKey ?? NO_KEY, model, dimensions: undefined },
      outboundFetch(context),
    );
  },
  async listModels(entered, context, signal) {
    const headers = { authorization: `Bearer ${entered.api_key ?? NO_KEY}` };
    const request = new Request(`${baseOf(entered.base_url)}/models`, { headers });
    const list = await fetchJson(outboundFetch(context), request, openAiError, signal);
    // Together sends the list itself.
    const models = objectsAt({ data: isObject(list) ? list["data"] : list }, "data");
    return models.filter((model) => textAt(model, "id") !== "").map(toModelInfo);
  },
});

/** Servers of one's own take any key, but the protocol has it sent. */
const NO_KEY = "none";

/** Many documents show the address of the endpoint where that of the API is meant. */
const baseOf = (baseUrl: string): string => baseUrl.replace(/\/+$/u, "").replace(/\/chat\/completions$/u, "");

/** The size of the window has as many names as there are servers. */
function toModelInfo(model: Json): ModelInfo {
  const id = textAt(model, "id");
  const names = ["context_length", "context_window", "max_context_length", "max_model_len"];
  const contextTokens = names.map((name) => numberAt(model, name)).find((tokens) => tokens !== undefined);
  return { id, name: textAt(model, "name") || id, ...(contextTokens !== undefined && { contextTokens }) };
}
