import { anthropic } from "./anthropic-provider.ts";
import { bedrock } from "./bedrock-provider.ts";
import { cloudflare } from "./cloudflare-provider.ts";
import { openAiCompatible } from "./compatible-provider.ts";
import { demo } from "./demo.ts";
import type { OpenModel, Models } from "./model.ts";
import { openAi } from "./openai-provider.ts";
import type { Provider, ProviderContext } from "./provider.ts";

/** Names that an agent's provider may have. All names of the legacy Python service are accepted for existing agents. */
export const PROVIDER_NAMES = [
  "Demo",
  "OpenAI",
  "OpenAICompatible",
  "Anthropic",
  "Bedrock",
  "Cloudflare",
] as const;

/** In the order in which users see them. */
const PROVIDERS: readonly Provider[] = [bedrock, anthropic, openAi, openAiCompatible];

/** Returns the provider with exactly this name, or `undefined` if it is not available. */
export const findProvider = (name: string, isLocal: boolean, hasAi = false): Provider | undefined =>
  availableProviders(isLocal, hasAi).find((provider) => provider.name === name);

/** Returns the names of all available providers, in the order in which users see them. */
export const providerNames = (isLocal: boolean, hasAi = false): readonly string[] =>
  availableProviders(isLocal, hasAi).map(({ name }) => name);

/**
 * Returns all available providers, in the order in which users see them. Cloudflare's needs the `AI` binding, and the
 * demo provider exists in local development only.
 */
export const availableProviders = (isLocal: boolean, hasAi = false): readonly Provider[] => [
  ...PROVIDERS,
  ...(hasAi ? [cloudflare] : []),
  ...(isLocal ? [demo] : []),
];

/** Whether a provider needs credentials. */
export const wantsCredentials = ({ credentials }: Provider): boolean =>
  Object.keys(credentials.shape).length > 0;

/** Creates the port that opens the models of all providers. */
export const createModels = (context: ProviderContext): Models => ({
  open({ provider: name, model, settings, credentials }): OpenModel | undefined {
    const provider = findProvider(name, context.isLocal, context.ai !== undefined);
    if (!provider || (credentials === undefined && wantsCredentials(provider))) return undefined;
    const opened = provider.open(credentials ?? {}, model, settings, context);
    return { ...opened, provider: name };
  },
});
