import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import type { Embedder } from "../llm/embeddings.ts";
import type { Provider, ProviderContext } from "../llm/provider.ts";
import { wantsCredentials } from "../llm/providers.ts";
import { AppError } from "../shared/errors.ts";
import type { Credentials, ProviderSettings } from "./model.ts";

/** What `embedderOfAgent` reads from. */
export interface EmbedderSources {
  /** `get` throws `not-found` if there is no such agent. */
  readonly agents: { get(accountEmail: AccountEmail, id: string): Promise<{ readonly provider: string }> };
  readonly settings: { list(accountEmail: AccountEmail): Promise<readonly ProviderSettings[]> };
  readonly credentials: {
    open(settings: ProviderSettings): Promise<{ readonly values: Credentials } | undefined>;
  };
  readonly providers: readonly Provider[];
  readonly context: ProviderContext;
  /** Returns an embedder that the deployment pays for, with a limit. */
  readonly metered: (embedder: Embedder) => Embedder;
}

/**
 * Returns the embedder of an agent's provider, which uses the credentials that the account stored for it. One that needs none
 * is metered. Returns `undefined` if there is no such agent, no usable credentials, or if the provider offers no embeddings.
 */
export async function embedderOfAgent(
  accountEmail: AccountEmail,
  agentId: AgentId,
  { agents, settings, credentials, providers, context, metered }: EmbedderSources,
): Promise<Embedder | undefined> {
  const [agent, stored] = await Promise.all([
    agents.get(accountEmail, agentId).catch(ignoreNotFound),
    settings.list(accountEmail),
  ]);
  const provider = providers.find(({ name }) => name === agent?.provider);
  if (provider && !wantsCredentials(provider)) {
    const embedder = provider.openEmbedder({}, context);
    return embedder && metered(embedder);
  }
  const own = stored.find((candidate) => candidate.provider === agent?.provider);
  const opened = own && (await credentials.open(own));
  return opened && provider?.openEmbedder(opened.values, context);
}

/** Turns `not-found` into `undefined`: a deleted agent has no embedder. Rethrows everything else. */
function ignoreNotFound(error: unknown): undefined {
  if (AppError.from(error).code !== "not-found") throw error;
}
