import * as z from "zod";
import { AppError } from "../shared/errors.ts";
import { type Json, objectsAt, textAt } from "../shared/json.ts";
import { openAiEmbedder } from "./embeddings.ts";
import { providerError } from "./errors.ts";
import { contextTokensOf } from "./model-facts.ts";
import type { ChatModel, ModelChunk } from "./model.ts";
import { openAiModel } from "./openai.ts";
import { defineProvider, type ModelInfo, type ProviderContext } from "./provider.ts";
import { type AiBinding, settled, workersAiFetch } from "./workers-ai.ts";

/** The name that agents store. Its models cost the deployment, not the account. */
export const CLOUDFLARE = "Cloudflare";

const DEFAULT_MODEL = "@cf/zai-org/glm-4.7-flash";
const EMBEDDING_MODEL = "@cf/baai/bge-m3";

/** Names the source of provider data. Nothing is sent to it. */
const BASE_URL = "https://workers-ai.invalid/v1";
/** The largest page of the list. */
const MAX_LISTED = 100;

/** Models that can call tools, used if the live list is unavailable. As of 2026-11-22. */
const MODELS: readonly ModelInfo[] = [
  { id: DEFAULT_MODEL, name: "GLM 4.7 Flash" },
  { id: "@cf/openai/gpt-oss-120b", name: "GPT-OSS 120B" },
  { id: "@cf/openai/gpt-oss-20b", name: "GPT-OSS 20B" },
  { id: "@cf/qwen/qwen3-30b-a3b-fp8", name: "Qwen3 30B" },
  { id: "@cf/meta/llama-4-scout-17b-16e-instruct", name: "Llama 4 Scout" },
];

/** Cloudflare Workers AI through the binding of the deployment, which needs no key. */
export const cloudflare = defineProvider({
  name: CLOUDFLARE,
  label: "Cloudflare Workers AI",
  credentials: z.object({}),
  models: MODELS,
  facts: "cloudflare-workers-ai",
  open(_credentials, model, settings, context) {
    const id = model ?? DEFAULT_MODEL;
    return ofDeployment(
      openAiModel({
        apiKey: "binding",
        baseUrl: BASE_URL,
        model: id,
        contextTokens: contextTokensOf(id, "cloudflare-workers-ai"),
        settings,
        fetch: workersAiFetch(requireAi(context)),
        timeouts: context.timeouts,
        amendments: context.amendments.of({ server: BASE_URL, model: id, credential: "" }),
      }),
    );
  },
  openEmbedder: (_credentials, context) =>
    openAiEmbedder(
      { url: BASE_URL, apiKey: undefined, model: EMBEDDING_MODEL, dimensions: undefined },
      workersAiFetch(requireAi(context)),
    ),
  async listModels(_credentials, context, signal) {
    const listing = requireAi(context).models({ task: "Text Generation", per_page: MAX_LISTED });
    try {
      const models = objectsAt({ models: await settled(listing, signal) }, "models");
      return models.filter((model) => textAt(model, "name") !== "").map(toModelInfo);
    } catch (cause) {
      signal.throwIfAborted();
      throw providerError.unavailable(cause);
    }
  },
});

function requireAi({ ai }: ProviderContext): AiBinding {
  if (ai) return ai;
  throw providerError.unavailable(new Error("The deployment has no AI binding."));
}

/** Their ids are `@cf/vendor/name`, and called names. */
function toModelInfo(model: Json): ModelInfo {
  const id = textAt(model, "name");
  const properties = objectsAt(model, "properties");
  const valueOf = (name: string): unknown =>
    properties.find((one) => textAt(one, "property_id") === name)?.["value"];
  const contextTokens = Number(valueOf("context_window"));
  return {
    id,
    name: id.slice(id.lastIndexOf("/") + 1),
    ...(Number.isSafeInteger(contextTokens) && contextTokens > 0 && { contextTokens }),
    // The property is absent from models that can't call functions.
    tools: String(valueOf("function_calling")) === "true",
  };
}

/** Returns the model with errors that do not send users to settings or accounts that they do not have. */
function ofDeployment(model: ChatModel): ChatModel {
  async function* stream(...asked: Parameters<ChatModel["stream"]>): AsyncGenerator<ModelChunk, void, void> {
    try {
      yield* model.stream(...asked);
    } catch (error) {
      throw error instanceof AppError && error.code in SENTENCES ? asDeploymentError(error) : error;
    }
  }
  return { ...model, stream };
}

const SENTENCES: Readonly<Record<string, string>> = {
  "provider-quota":
    "This service's allocation at Cloudflare Workers AI is used up. Please try again tomorrow, or choose another provider.",
  "provider-auth":
    "Cloudflare Workers AI does not let this service use the model. Please choose another model.",
};

const asDeploymentError = (error: AppError): AppError =>
  new AppError(error.code, SENTENCES[error.code] ?? error.message, { cause: error.cause });
