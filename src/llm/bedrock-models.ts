import type { ModelInfo } from "./provider.ts";

/** As of 2026-11-22, for when the live list can't be had. Profiles that begin with `global.` answer in every region. */
export const BEDROCK_MODELS: readonly ModelInfo[] = [
  {
    id: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    name: "Claude Sonnet 4.5",
    contextTokens: 200_000,
  },
  { id: "global.anthropic.claude-haiku-4-5-20251001-v1:0", name: "Claude Haiku 4.5", contextTokens: 200_000 },
  { id: "claude-3-7-sonnet", name: "Claude 3.7 Sonnet", contextTokens: 200_000 },
  { id: "claude-3-sonnet", name: "Claude 3 Sonnet", contextTokens: 200_000 },
  { id: "claude-3-haiku", name: "Claude 3 Haiku (Fast)", contextTokens: 200_000 },
];

export const BEDROCK_DEFAULT_MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";

/** The short names that agents of the service before carry. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "claude-3-opus": "anthropic.claude-3-opus-20240229-v1:0",
  "claude-3-sonnet": "anthropic.claude-3-sonnet-20240229-v1:0",
  "claude-3-haiku": "anthropic.claude-3-haiku-20240307-v1:0",
  "claude-3-5-sonnet": "anthropic.claude-3-5-sonnet-20240620-v1:0",
  "claude-3-5-haiku": "anthropic.claude-3-5-haiku-20241022-v1:0",
  "claude-3-7-sonnet": "anthropic.claude-3-7-sonnet-20250219-v1:0",
};

/** Those of them that answer only through the profile of a part of the world. */
const PROFILED: Readonly<Record<string, string>> = {
  "claude-sonnet-4": "anthropic.claude-sonnet-4-20250514-v1:0",
  "claude-opus-4": "anthropic.claude-opus-4-20250514-v1:0",
};

/** The id that Bedrock knows a model by, for its short name; everything else is taken for an id. */
export function bedrockIdOf(model: string, region: string): string {
  if (Object.hasOwn(SHORT_NAMES, model)) return SHORT_NAMES[model] ?? model;
  if (!Object.hasOwn(PROFILED, model)) return model;

  const [area = ""] = region.split("-");
  return `${area === "ap" ? "apac" : area}.${PROFILED[model]}`;
}
