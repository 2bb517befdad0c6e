import type { Option } from "./provider.ts";

/** Stands in an address where a part of it is the user's own. */
export const TO_FILL_IN = "ACCOUNT_ID";

/** Services that speak OpenAI's protocol, as of 2026-11-22. */
export const PRESETS: readonly Option[] = [
  { value: "https://openrouter.ai/api/v1", label: "OpenRouter" },
  { value: "https://api.groq.com/openai/v1", label: "Groq" },
  { value: "https://api.together.xyz/v1", label: "Together" },
  { value: "https://api.mistral.ai/v1", label: "Mistral" },
  { value: "https://api.deepseek.com/v1", label: "DeepSeek" },
  { value: "https://generativelanguage.googleapis.com/v1beta/openai", label: "Google Gemini" },
  { value: "https://api.x.ai/v1", label: "xAI" },
  {
    value: `https://api.cloudflare.com/client/v4/accounts/${TO_FILL_IN}/ai/v1`,
    label: "Cloudflare Workers AI",
  },
];

/** Servers that people run themselves, where they listen unless told otherwise. */
export const LOCAL_PRESETS: readonly Option[] = [
  { value: "http://localhost:11434/v1", label: "Ollama" },
  { value: "http://localhost:8000/v1", label: "vLLM" },
  { value: "http://localhost:1234/v1", label: "LM Studio" },
];
