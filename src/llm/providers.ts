import type { ChatModel, Models, ModelTimeouts } from "./model.ts";
import { openAiModel } from "./openai.ts";

/** Providers that an agent may name. Existing agents carry those of the service before, so all are accepted. */
export const PROVIDER_NAMES = ["Demo", "OpenAI", "OpenAICompatible", "Anthropic", "Bedrock"] as const;

/** The demo model reads little, and a small window shows in development what a long conversation does. */
const DEMO_CONTEXT_TOKENS = 32_000;
const DEMO_MODEL = "demo";

export interface ProviderConfig {
  /** The base URL of the demo model's server; nothing outside local development. */
  readonly demoModelUrl: string | undefined;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
}

/** A provider that can be chosen in a form, with its models. */
export interface ProviderOption {
  readonly name: string;
  readonly models: readonly { readonly value: string; readonly label: string }[];
}

/** The models that can be opened with what is configured. */
export function createModels({ demoModelUrl, fetch, timeouts }: ProviderConfig): Models {
  return {
    open(provider, model): ChatModel | undefined {
      if (provider !== "Demo" || demoModelUrl === undefined) return undefined;
      return openAiModel({
        apiKey: "demo",
        baseUrl: demoModelUrl,
        model: model ?? DEMO_MODEL,
        contextTokens: DEMO_CONTEXT_TOKENS,
        fetch,
        timeouts,
      });
    },
  };
}

/** The providers that a form offers: those that answer as things are configured. */
export const providerOptions = (isLocal: boolean): readonly ProviderOption[] =>
  isLocal
    ? [
        {
          name: "Demo",
          models: [{ value: DEMO_MODEL, label: "[Demo] Demo model (pattern matching, no AI)" }],
        },
      ]
    : [];
