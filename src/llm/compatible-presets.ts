import { isAzure } from "./azure.ts";
import type { FactsProvider } from "./model-facts.ts";
import type { Dialect } from "./openai-body.ts";
import type { Option } from "./provider.ts";

/** Placeholders in preset URLs that users replace with what is theirs. */
const PLACEHOLDERS = ["ACCOUNT_ID", "GATEWAY_ID", "RESOURCE"] as const;

/** Returns the first placeholder in a URL, or `undefined`. */
export const placeholderIn = (url: string): (typeof PLACEHOLDERS)[number] | undefined =>
  PLACEHOLDERS.find((placeholder) => url.includes(placeholder));

/** A service with an OpenAI-compatible API. */
interface Preset extends Option {
  /** What its API does differently. */
  readonly dialect?: Dialect;
  /** Where its models are described. */
  readonly facts?: FactsProvider;
  /** False if a key can use models that the list lacks, such as deployments, or fine-tuned models. By default true. */
  readonly listsAll?: boolean;
}

const AZURE = "https://RESOURCE.openai.azure.com";

/** As of 2026-11-22. What each can do is in `docs/providers.md`. */
export const PRESETS: readonly Preset[] = [
  { value: "https://openrouter.ai/api/v1", label: "OpenRouter" },
  { value: "https://api.groq.com/openai/v1", label: "Groq", facts: "groq" },
  { value: "https://api.together.xyz/v1", label: "Together", facts: "togetherai", listsAll: false },
  { value: "https://api.mistral.ai/v1", label: "Mistral", facts: "mistral" },
  { value: "https://api.deepseek.com/v1", label: "DeepSeek", dialect: "deepseek", facts: "deepseek" },
  {
    value: "https://generativelanguage.googleapis.com/v1beta/openai",
    label: "Google Gemini",
    dialect: "gemini",
    facts: "google",
  },
  { value: "https://api.x.ai/v1", label: "xAI", facts: "xai" },
  {
    value: "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1",
    label: "Cloudflare Workers AI",
    facts: "cloudflare-workers-ai",
    listsAll: false,
  },
  {
    value: "https://api.fireworks.ai/inference/v1",
    label: "Fireworks",
    facts: "fireworks-ai",
    listsAll: false,
  },
  { value: "https://api.cerebras.ai/v1", label: "Cerebras", facts: "cerebras" },
  { value: "https://api.moonshot.ai/v1", label: "Moonshot", facts: "moonshotai" },
  { value: "https://router.huggingface.co/v1", label: "Hugging Face" },
  { value: AZURE, label: "Azure OpenAI", facts: "openai", listsAll: false },
  {
    value: "https://gateway.ai.cloudflare.com/v1/ACCOUNT_ID/GATEWAY_ID/compat",
    label: "Cloudflare AI Gateway",
    listsAll: false,
  },
];

/** Self-hosted servers at their default addresses. */
export const LOCAL_PRESETS: readonly Option[] = [
  { value: "http://localhost:11434/v1", label: "Ollama" },
  { value: "http://localhost:8000/v1", label: "vLLM" },
  { value: "http://localhost:1234/v1", label: "LM Studio" },
  { value: "http://localhost:8080/v1", label: "llama.cpp" },
];

/** Returns the preset at the host of a URL, or `undefined`. Every resource of Azure has a host of its own. */
export function serverOf(baseUrl: string): Preset | undefined {
  const host = URL.parse(isAzure(baseUrl) ? AZURE : baseUrl)?.hostname;
  return PRESETS.find(({ value }) => URL.parse(value)?.hostname === host);
}
