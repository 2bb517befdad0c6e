import * as z from "zod";
import { contextTokensOf } from "./context-windows.ts";
import { openAiEmbedder } from "./embeddings.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, numberAt, objectsAt, textAt } from "./json.ts";
import { openAiError, openAiModel } from "./openai.ts";
import { defineProvider, described, keyText, type ModelInfo } from "./provider.ts";

const BASE_URL = "https://api.openai.com/v1";

/** As of 2026-11-22, for when the live list can't be had. */
const MODELS: readonly ModelInfo[] = [
  { id: "gpt-6.1-sol", name: "GPT-6.1 Sol" },
  { id: "gpt-6.1-terra", name: "GPT-6.1 Terra" },
  { id: "gpt-6-luna", name: "GPT-6 Luna" },
  { id: "gpt-5.4-mini", name: "GPT-5.4 mini" },
  { id: "gpt-4.1", name: "GPT-4.1", contextTokens: 1_047_576 },
  { id: "gpt-4.1-mini", name: "GPT-4.1 mini", contextTokens: 1_047_576 },
  { id: "gpt-4o", name: "GPT-4o", contextTokens: 128_000 },
  { id: "gpt-4o-mini", name: "GPT-4o mini", contextTokens: 128_000 },
];
const DEFAULT_MODEL = "gpt-4.1-mini";
/** Shortened as the model allows: searches look at every vector. */
const EMBEDDINGS = { model: "text-embedding-3-small", dimensions: 512 } as const;

/** What the list holds that does not chat, or not by this API. */
const CHATS = /^(?:gpt-|chatgpt-|o\d)/u;
const DOES_NOT_CHAT =
  /audio|realtime|image|tts|transcribe|search|instruct|codex|deep-research|-pro|live|translate/u;

/** OpenAI itself. */
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
  open({ api_key: apiKey }, model, settings, { fetch, timeouts }) {
    const id = model ?? DEFAULT_MODEL;
    const contextTokens = contextTokensOf(id);
    return openAiModel({ apiKey, model: id, contextTokens, settings, fetch, timeouts, dialect: "openai" });
  },
  openEmbedder: ({ api_key: apiKey }, { fetch }) =>
    openAiEmbedder({ url: BASE_URL, apiKey, ...EMBEDDINGS }, fetch),
  async listModels({ api_key: apiKey }, { fetch }, signal) {
    const headers = { authorization: `Bearer ${apiKey}` };
    const list = await fetchJson(fetch, new Request(`${BASE_URL}/models`, { headers }), openAiError, signal);
    return (isObject(list) ? objectsAt(list, "data") : [])
      .filter((model) => CHATS.test(textAt(model, "id")) && !DOES_NOT_CHAT.test(textAt(model, "id")))
      .toSorted((one, other) => (numberAt(other, "created") ?? 0) - (numberAt(one, "created") ?? 0))
      .map((model) => textAt(model, "id"))
      .map((id) => ({ id, name: id, contextTokens: contextTokensOf(id) }));
  },
});
