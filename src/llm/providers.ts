import { anthropic } from "./anthropic-provider.ts";
import { bedrock } from "./bedrock-provider.ts";
import { openAiCompatible } from "./compatible-provider.ts";
import { demo, DEMO_MODEL } from "./demo.ts";
import type { ChatModel, Models, ModelTimeouts } from "./model.ts";
import { openAiModel } from "./openai.ts";
import { openAi } from "./openai-provider.ts";
import type { Provider } from "./provider.ts";

/** Providers that an agent may name. Existing agents carry those of the service before, so all are accepted. */
export const PROVIDER_NAMES = ["Demo", "OpenAI", "OpenAICompatible", "Anthropic", "Bedrock"] as const;

/** In the order in which they are offered. */
const PROVIDERS: readonly Provider[] = [bedrock, anthropic, openAi, openAiCompatible];

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

/** The provider of this name, spelled exactly so; the demo model is there in local development only. */
export const findProvider = (name: string, isLocal: boolean): Provider | undefined =>
  available(isLocal).find((provider) => provider.name === name);

/** The names of all providers, in the order in which they are offered. */
export const providerNames = (isLocal: boolean): readonly string[] =>
  available(isLocal).map(({ name }) => name);

const available = (isLocal: boolean): readonly Provider[] => (isLocal ? [...PROVIDERS, demo] : PROVIDERS);

/** The models that can be opened with what is configured. */
export function createModels({ demoModelUrl, fetch, timeouts }: ProviderConfig): Models {
  return {
    open(provider, model): ChatModel | undefined {
      if (provider !== "Demo" || demoModelUrl === undefined) return undefined;
      return openAiModel({
        apiKey: "demo",
        baseUrl: demoModelUrl,
        model: model ?? DEMO_MODEL.id,
        contextTokens: DEMO_MODEL.contextTokens,
        fetch,
        timeouts,
      });
    },
  };
}

/** The providers that a form offers: those that answer as things are configured. */
export const providerOptions = (isLocal: boolean): readonly ProviderOption[] =>
  isLocal ? [{ name: "Demo", models: [{ value: DEMO_MODEL.id, label: `[Demo] ${DEMO_MODEL.name}` }] }] : [];
