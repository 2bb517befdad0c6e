import type { Agent } from "../agents/model.ts";
import type { Embedder } from "../llm/embeddings.ts";
import type { Provider, ProviderContext } from "../llm/provider.ts";
import { AppError } from "../shared/errors.ts";
import type { Credentials, ProviderSettings } from "../settings/model.ts";

/** What an agent's own embedder is found by. */
export interface EmbedderSources {
  /** Throws a 404 where there is no such agent. */
  readonly agents: { get(owner: string, id: string): Promise<Agent> };
  readonly settings: { list(owner: string): Promise<readonly ProviderSettings[]> };
  readonly credentials: {
    open(settings: ProviderSettings): Promise<{ readonly values: Credentials } | undefined>;
  };
  readonly providers: readonly Provider[];
  readonly context: ProviderContext;
}

/**
 * What turns an agent's memories into vectors, with the credentials that its owner keeps for the agent's provider.
 * Nothing where the provider offers no embeddings, or can't be asked. Two reads at the same time.
 */
export async function embedderOfAgent(
  account: string,
  agentId: string,
  { agents, settings, credentials, providers, context }: EmbedderSources,
): Promise<Embedder | undefined> {
  const [agent, stored] = await Promise.all([
    agents.get(account, agentId).catch(unlessAbsent),
    settings.list(account),
  ]);
  const provider = providers.find(({ name }) => name === agent?.provider);
  const own = stored.find((candidate) => candidate.provider === agent?.provider);
  const opened = own && (await credentials.open(own));
  return opened && provider?.openEmbedder(opened.values, context);
}

/** An agent that is gone has no embedder. */
function unlessAbsent(error: unknown): undefined {
  if (AppError.from(error).code !== "not-found") throw error;
}
