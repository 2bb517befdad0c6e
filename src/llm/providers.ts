import { anthropic } from "./anthropic-provider.ts";
import { bedrock } from "./bedrock-provider.ts";
import { openAiCompatible } from "./compatible-provider.ts";
import { demo } from "./demo.ts";
import type { OpenModel, Models } from "./model.ts";
import { openAi } from "./openai-provider.ts";
import type { Provider, ProviderContext } from "./provider.ts";

/** Providers that an agent may name. Existing agents carry those of the service before, so all are accepted. */
export const PROVIDER_NAMES = ["Demo", "OpenAI", "OpenAICompatible", "Anthropic", "Bedrock"] as const;

/** In the order in which they are offered. */
const PROVIDERS: readonly Provider[] = [bedrock, anthropic, openAi, openAiCompatible];

/** The provider of this name, spelled exactly so; the demo model is there in local development only. */
export const findProvider = (name: string, isLocal: boolean): Provider | undefined =>
  availableProviders(isLocal).find((provider) => provider.name === name);

/** The names of all providers, in the order in which they are offered. */
export const providerNames = (isLocal: boolean): readonly string[] =>
  availableProviders(isLocal).map(({ name }) => name);

/** All providers, in the order in which they are offered. */
export const availableProviders = (isLocal: boolean): readonly Provider[] =>
  isLocal ? [...PROVIDERS, demo] : PROVIDERS;

/** Whether a provider answers only to what a user has entered for it. */
export const wantsCredentials = ({ credentials }: Provider): boolean =>
  Object.keys(credentials.shape).length > 0;

/** The models of all providers. */
export const createModels = (context: ProviderContext): Models => ({
  open({ provider: name, model, settings, credentials }): OpenModel | undefined {
    const provider = findProvider(name, context.isLocal);
    if (!provider || (credentials === undefined && wantsCredentials(provider))) return undefined;
    const opened = provider.open(credentials ?? {}, model, settings, context);
    return { ...opened, provider: name };
  },
});
