import type { Agent } from "../agents/model.ts";
import { withFallback } from "../llm/fallback.ts";
import type { ModelChoice, OpenModel } from "../llm/model.ts";
import type { ModelSettings } from "../llm/provider.ts";
import type { ProviderSettings } from "../settings/model.ts";
import { notConfigured, unreadable } from "../settings/problems.ts";
import type { TurnDeps } from "./turn-deps.ts";

type Wanted = Pick<ModelChoice, "provider" | "model">;
/** What opens models. */
export type Opening = Pick<TurnDeps, "models" | "credentials">;

/**
 * The model that an agent answers with, opened with what its owner keeps for the provider. Throws a 409 where that is
 * nothing, or can't be read any more. A fallback that can't be opened is none: the agent answers without it.
 */
export async function requireModel(
  agent: Agent,
  stored: readonly ProviderSettings[],
  deps: Opening,
): Promise<OpenModel> {
  const settings = settingsOf(agent);
  const fallback = fallbackOf(agent);
  const [first, second] = await Promise.all([
    openModel(agent, settings, stored, deps),
    fallback && openModel(fallback, settings, stored, deps).catch(() => undefined),
  ]);
  return second ? withFallback(first, second) : first;
}

/** A model alone is one of the agent's own provider. */
const fallbackOf = ({ provider, fallbackProvider, fallbackModel }: Agent): Wanted | undefined =>
  fallbackProvider === null && fallbackModel === null
    ? undefined
    : { provider: fallbackProvider ?? provider, model: fallbackModel };

async function openModel(
  { provider, model }: Wanted,
  settings: ModelSettings,
  stored: readonly ProviderSettings[],
  { models, credentials }: Opening,
): Promise<OpenModel> {
  const own = stored.find((candidate) => candidate.provider === provider);
  const opened = own && (await credentials.open(own));
  if (own && !opened) throw unreadable(provider);

  const chat = models.open({ provider, model, settings, credentials: opened?.values });
  if (!chat) throw notConfigured(provider);
  // Nothing waits for it: a turn goes on with the old ciphertext as well.
  if (own && opened) void credentials.refresh(own, opened);
  return chat;
}

const settingsOf = ({ temperature, maxOutputTokens }: Agent): ModelSettings => ({
  ...(temperature !== null && { temperature }),
  ...(maxOutputTokens !== null && { maxOutputTokens }),
});
