import type { ModelInfo } from "./provider.ts";

/** Used if the live list is unavailable. As of 2026-11-22. Profiles that begin with `global.` work in every region. */
export const BEDROCK_MODELS: readonly ModelInfo[] = [
  {
    id: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    name: "Claude Sonnet 4.5",
  },
  { id: "global.anthropic.claude-haiku-4-5-20251001-v1:0", name: "Claude Haiku 4.5" },
  { id: "claude-3-7-sonnet", name: "Claude 3.7 Sonnet" },
  { id: "claude-3-sonnet", name: "Claude 3 Sonnet" },
  { id: "claude-3-haiku", name: "Claude 3 Haiku (Fast)" },
];

export const BEDROCK_DEFAULT_MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";

/** The short model names that agents of the legacy Python service use. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "claude-3-opus": "anthropic.claude-3-opus-20240229-v1:0",
  "claude-3-sonnet": "anthropic.claude-3-sonnet-20240229-v1:0",
  "claude-3-haiku": "anthropic.claude-3-haiku-20240307-v1:0",
  "claude-3-5-sonnet": "anthropic.claude-3-5-sonnet-20240620-v1:0",
  "claude-3-5-haiku": "anthropic.claude-3-5-haiku-20241022-v1:0",
  "claude-3-7-sonnet": "anthropic.claude-3-7-sonnet-20250219-v1:0",
};

/** Short names of models that are available only through the inference profile of a geographic area. */
const PROFILED: Readonly<Record<string, string>> = {
  "claude-sonnet-4": "anthropic.claude-sonnet-4-20250514-v1:0",
  "claude-opus-4": "anthropic.claude-opus-4-20250514-v1:0",
};

/** Returns the Bedrock id for a short model name. Any other text is returned unchanged, as it is taken to be an id. */
export function bedrockIdOf(model: string, region: string): string {
  if (Object.hasOwn(SHORT_NAMES, model)) return SHORT_NAMES[model] ?? model;
  if (!Object.hasOwn(PROFILED, model)) return model;

  const [area = ""] = region.split("-");
  return `${area === "ap" ? "apac" : area}.${PROFILED[model]}`;
}
