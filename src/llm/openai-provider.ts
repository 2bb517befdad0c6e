import * as z from "zod";
import { contextTokensOf, isOnlyInResponses } from "./model-facts.ts";
import { openAiEmbedder } from "./embeddings.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, numberAt, objectsAt, textAt } from "../shared/json.ts";
import { openAiModel } from "./openai.ts";
import { openAiError } from "./openai-errors.ts";
import { defineProvider, described, keyText, type ModelInfo } from "./provider.ts";

const BASE_URL = "https://api.openai.com/v1";

/** Used if the live list is unavailable. As of 2026-11-22. */
const MODELS: readonly ModelInfo[] = [
  { id: "gpt-6.1-sol", name: "GPT-6.1 Sol" },
  { id: "gpt-6.1-terra", name: "GPT-6.1 Terra" },
  { id: "gpt-6-luna", name: "GPT-6 Luna" },
  { id: "gpt-5.4-mini", name: "GPT-5.4 mini" },
  { id: "gpt-4.1", name: "GPT-4.1" },
  { id: "gpt-4.1-mini", name: "GPT-4.1 mini" },
  { id: "gpt-4o", name: "GPT-4o" },
  { id: "gpt-4o-mini", name: "GPT-4o mini" },
];
const DEFAULT_MODEL = "gpt-4.1-mini";
/** The model supports shorter vectors. They make searches faster, which read every vector. */
const EMBEDDINGS = { model: "text-embedding-3-small", dimensions: 512 } as const;

/** The live list also holds models that do not chat, or that need tools of OpenAI's own. */
const CHATS = /^(?:gpt-|chatgpt-|o\d|codex-)/u;
const DOES_NOT_CHAT = /audio|realtime|image|tts|transcribe|search|instruct|deep-research|live|translate/u;

const chats = (id: string): boolean => CHATS.test(id) && !DOES_NOT_CHAT.test(id);

/** OpenAI's own API. */
export const openAi = defineProvider({
  name: "OpenAI",
  label: "OpenAI",
  credentials: z.object({
    api_key: described(keyText, {
      title: "OpenAI API Key",
      help: "From platform.openai.com, under API keys.",
      placeholder: "sk-…",
      secret: true,
    }),
  }),
  models: MODELS,
  facts: "openai",
  open({ api_key: apiKey }, model, settings, { fetch, timeouts, amendments: known }) {
    const id = model ?? DEFAULT_MODEL;
    const contextTokens = contextTokensOf(id, "openai");
    const amendments = known.of({ server: BASE_URL, model: id, credential: apiKey });
    return openAiModel({
      apiKey,
      model: id,
      contextTokens,
      settings,
      fetch,
      timeouts,
      dialect: "openai",
      isOnlyInResponses: isOnlyInResponses(id),
      amendments,
    });
  },
  openEmbedder: ({ api_key: apiKey }, { fetch }) =>
    openAiEmbedder({ url: BASE_URL, apiKey, ...EMBEDDINGS }, fetch),
  async listModels({ api_key: apiKey }, { fetch }, signal) {
    const headers = { authorization: `Bearer ${apiKey}` };
    const list = await fetchJson(
      fetch,
      new Request(`${BASE_URL}/models`, { headers }),
      (cause) => openAiError(cause),
      signal,
    );
    return (isObject(list) ? objectsAt(list, "data") : [])
      .toSorted((one, other) => (numberAt(other, "created") ?? 0) - (numberAt(one, "created") ?? 0))
      .map((model) => textAt(model, "id"))
      .map((id) => ({
        id,
        name: id,
        contextTokens: contextTokensOf(id, "openai"),
        ...(!chats(id) && { isHidden: true }),
      }));
  },
  listsAll: () => true,
});
