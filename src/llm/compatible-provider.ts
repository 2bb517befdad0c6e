import * as z from "zod";
import { isTrusted, OUT_OF_BOUNDS, outOfBounds } from "../shared/outbound.ts";
import { withoutTrailing } from "../shared/text.ts";
import { contextTokensOf } from "./model-facts.ts";
import { azureListRequest, azureOptions } from "./azure.ts";
import { LOCAL_PRESETS, placeholderIn, PRESETS, serverOf } from "./compatible-presets.ts";
import { openAiEmbedder } from "./embeddings.ts";
import { providerError } from "./errors.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, type Json, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { openAiModel } from "./openai.ts";
import type { Dialect } from "./openai-body.ts";
import { openAiError } from "./openai-errors.ts";
import { outboundFetch } from "./outbound-fetch.ts";
import { defineProvider, described, keyText, type ModelInfo, type ProviderContext } from "./provider.ts";
import { isSameModel, listedWindow, servedWindows } from "./served-windows.ts";

const credentials = z.object({
  base_url: described(z.string().trim().min(1).max(2_000), {
    title: "Base URL",
    help: "The base URL of the API. Most end in /v1. If you change it, enter the key again.",
    placeholder: "https://api.example.com/v1",
    presets: PRESETS,
    localPresets: LOCAL_PRESETS,
  }),
  api_key: described(keyText.optional(), { title: "API Key", secret: true }),
  model: described(z.string().trim().min(1).max(200).optional(), {
    title: "Default Model",
    help: "Used by agents that do not name a model.",
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
      help: "How many tokens the models can read. If empty, the server is asked, or it is estimated from their names.",
      keepsSecrets: true,
    },
  ),
  embedding_model: described(z.string().trim().min(1).max(200).optional(), {
    title: "Embedding Model",
    help: "Enables semantic search in memories, if the server offers an embedding model.",
    keepsSecrets: true,
  }),
});

/** Any server with an OpenAI-compatible API. */
export const openAiCompatible = defineProvider({
  name: "OpenAICompatible",
  label: "OpenAI-Compatible",
  credentials,
  models: [],
  validateCredentials({ base_url: baseUrl, api_key: apiKey }, context) {
    const reason = outOfBounds(baseUrl, context);
    if (reason) return `This base URL can't be used. ${OUT_OF_BOUNDS[reason]}`;
    const placeholder = placeholderIn(baseUrl);
    if (placeholder) return `Replace ${placeholder} in the base URL with your own ${NAME_OF[placeholder]}.`;
    if (/[?#]/u.test(baseUrl)) return "The base URL must not contain a query or a fragment.";
    return apiKey === undefined && !isTrusted(baseUrl, context) ? "Enter an API key." : undefined;
  },
  open(entered, model, settings, context) {
    const id = model ?? entered.model;
    if (id === undefined) throw providerError.noModel();
    const baseUrl = baseOf(entered.base_url);
    return openAiModel({
      apiKey: entered.api_key ?? NO_KEY,
      baseUrl,
      model: id,
      contextTokens: Number(entered.context_tokens ?? contextTokensOf(id, serverOf(baseUrl)?.facts)),
      ...(entered.context_tokens === undefined && {
        servedWindow: { server: baseUrl, ask: (signal) => servedWindowOf(id, entered, context, signal) },
      }),
      settings,
      fetch: outboundFetch(context),
      timeouts: { ...context.timeouts, headersMs: context.timeouts.compatibleHeadersMs },
      dialect: dialectOf(baseUrl, id),
      ...azureOptions(baseUrl, id, entered.api_key),
      amendments: context.amendments.of({ server: baseUrl, model: id, credential: entered.api_key ?? "" }),
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
  listModels: list,
  listsAll: ({ base_url: baseUrl }) => serverOf(baseUrl)?.listsAll ?? true,
  servedWindows: ownWindows,
});

type Entered = z.infer<typeof credentials>;

const headersOf = ({ api_key: apiKey }: Entered) => ({ authorization: `Bearer ${apiKey ?? NO_KEY}` });

async function list(
  entered: Entered,
  context: ProviderContext,
  signal: AbortSignal,
): Promise<readonly ModelInfo[]> {
  const baseUrl = baseOf(entered.base_url);
  const request =
    azureListRequest(baseUrl, entered.api_key) ??
    new Request(`${baseUrl}/models`, { headers: headersOf(entered) });
  const answer = await fetchJson(
    outboundFetch(context),
    request,
    (cause) => openAiError(cause, entered.base_url),
    signal,
  );
  // Together sends a bare list, not an object with `data`.
  const models = objectsAt({ data: isObject(answer) ? answer["data"] : answer }, "data");
  return models.filter((model) => textAt(model, "id") !== "").map(toModelInfo);
}

/** Asks servers other than the presets for windows that are not in their lists. */
async function ownWindows(
  entered: Entered,
  models: readonly string[],
  context: ProviderContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const baseUrl = baseOf(entered.base_url);
  if (serverOf(baseUrl)) return new Map();
  const server = { baseUrl, headers: headersOf(entered), fetch: outboundFetch(context) };
  return servedWindows(server, models, signal);
}

/** See `ServedWindow.ask`. What a server states about a model that it has loaded wins over its list. */
async function servedWindowOf(
  id: string,
  entered: Entered,
  context: ProviderContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const [listed, own] = await Promise.all([
    list(entered, context, signal),
    ownWindows(entered, [id], context, signal),
  ]);
  return own.get(id) ?? listed.find((model) => isSameModel(model.id, id))?.contextTokens;
}

/**
 * Returns what is special about the server at this address. Gateways pass Gemini's signatures on; servers of Gemma refuse
 * them.
 */
const dialectOf = (baseUrl: string, model: string): Dialect =>
  serverOf(baseUrl)?.dialect ?? (/gemini/iu.test(model) ? "gemini" : "compatible");

const NAME_OF = { ACCOUNT_ID: "account id", GATEWAY_ID: "gateway id", RESOURCE: "resource name" } as const;

/** Self-hosted servers accept any key, but the protocol requires one. */
const NO_KEY = "none";

/** Removes the endpoint's path, because users often paste the full URL from a server's documentation. */
const baseOf = (baseUrl: string): string =>
  withoutTrailing(baseUrl, "/").replace(/\/chat\/completions$/u, "");

function toModelInfo(model: Json): ModelInfo {
  const id = textAt(model, "id");
  const contextTokens = listedWindow(model);
  const tools = toolsOf(model);
  return {
    id,
    name: textAt(model, "name") || id,
    ...(contextTokens !== undefined && { contextTokens }),
    ...(tools !== undefined && { tools }),
  };
}

/** OpenRouter lists the parameters of a model, and Mistral its capabilities. Others say nothing about tools. */
function toolsOf(model: Json): boolean | undefined {
  const { supported_parameters: parameters } = model;
  if (Array.isArray(parameters)) return parameters.includes("tools");
  const able = objectAt(model, "capabilities")["function_calling"];
  return typeof able === "boolean" ? able : undefined;
}
