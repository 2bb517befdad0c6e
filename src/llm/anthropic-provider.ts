import * as z from "zod";
import { ANTHROPIC_URL, anthropicError, anthropicHeaders, anthropicModel } from "./anthropic.ts";
import { contextTokensOf } from "./model-facts.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, type Json, numberAt, objectsAt, textAt } from "../shared/json.ts";
import { defineProvider, described, keyText, type ModelInfo } from "./provider.ts";

/** Used if the live list is unavailable. As of 2026-11-22. */
const MODELS: readonly ModelInfo[] = [
  { id: "claude-sonnet-5-5", name: "Claude Sonnet 5.5" },
  { id: "claude-opus-5-5", name: "Claude Opus 5.5" },
  { id: "claude-haiku-5-5", name: "Claude Haiku 5.5" },
  { id: "claude-sonnet-4-6", name: "Claude Sonnet 4.6" },
  { id: "claude-opus-4-6", name: "Claude Opus 4.6" },
  { id: "claude-haiku-4-5", name: "Claude Haiku 4.5" },
];
const DEFAULT_MODEL = "claude-sonnet-5-5";

/** Anthropic's own API. */
export const anthropic = defineProvider({
  name: "Anthropic",
  label: "Anthropic",
  credentials: z.object({
    api_key: described(keyText, {
      title: "Anthropic API Key",
      help: "From console.anthropic.com, under API keys.",
      placeholder: "sk-ant-…",
      secret: true,
    }),
  }),
  models: MODELS,
  facts: "anthropic",
  open({ api_key: apiKey }, model, settings, { fetch, timeouts, amendments }) {
    const id = model ?? DEFAULT_MODEL;
    return anthropicModel({
      apiKey,
      model: id,
      contextTokens: contextTokensOf(id, "anthropic"),
      settings,
      fetch,
      timeouts,
      amendments: amendments.of({ server: ANTHROPIC_URL, model: id, credential: apiKey }),
    });
  },
  async listModels({ api_key: apiKey }, { fetch }, signal) {
    const request = new Request(`${ANTHROPIC_URL}/models?limit=1000`, { headers: anthropicHeaders(apiKey) });
    const list = await fetchJson(fetch, request, anthropicError, signal);
    return (isObject(list) ? objectsAt(list, "data") : [])
      .filter((model) => textAt(model, "lifecycle") !== "retired")
      .map(toModelInfo);
  },
  listsAll: () => true,
});

function toModelInfo(model: Json): ModelInfo {
  const id = textAt(model, "id");
  const contextTokens = numberAt(model, "max_input_tokens") ?? contextTokensOf(id, "anthropic");
  return { id, name: textAt(model, "display_name") || id, contextTokens };
}
