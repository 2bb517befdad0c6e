import type { Agent } from "../agents/model.ts";
import { withFallback } from "../llm/fallback.ts";
import type { ModelChoice, OpenModel } from "../llm/model.ts";
import type { ModelSettings } from "../llm/provider.ts";
import type { ProviderSettings } from "../settings/model.ts";
import { notConfigured, unreadable } from "../settings/problems.ts";
import type { LearnedWindow } from "./learned-window.ts";
import { type ServedWindow, storedWindow } from "./served-window.ts";
import type { TurnDeps } from "./turn-deps.ts";

type ModelName = Pick<ModelChoice, "provider" | "model">;
/** The dependencies for opening models. */
export interface Opening extends Pick<TurnDeps, "models" | "credentials"> {
  /**
   * Limits a model that the deployment pays for, and what end users learn from errors. Absent if the model is not going to be
   * asked.
   */
  readonly limited?: (model: OpenModel) => OpenModel;
}

/** What is stored about the models of an account. */
interface StoredModels {
  readonly providers: readonly ProviderSettings[];
  readonly learnedWindows: readonly LearnedWindow[];
  readonly servedWindows: readonly ServedWindow[];
}

/**
 * Opens an agent's model with its owner's credentials. Its window is the one that a user has set, that the server states, or
 * that is known for the model, in this order, or a smaller one that was learned from an overflow. Throws a 409 if the
 * credentials are missing or can no longer be decrypted. A fallback that can't be opened is ignored.
 */
export async function requireModel(agent: Agent, stored: StoredModels, deps: Opening): Promise<OpenModel> {
  const settings = settingsOf(agent);
  const fallback = fallbackOf(agent);
  const [first, second] = await Promise.all([
    openModel(agent, settings, stored.providers, deps),
    fallback && openModel(fallback, settings, stored.providers, deps).catch(() => undefined),
  ]);
  const own = await withWindow(first, agent.contextWindow, stored);
  return second ? withFallback(own, await withWindow(second, null, stored)) : own;
}

/** Returns the model with its actual window. */
async function withWindow(
  model: OpenModel,
  configured: number | null,
  { learnedWindows, servedWindows }: StoredModels,
): Promise<OpenModel> {
  const served = await storedWindow(model, servedWindows);
  const learned = learnedWindows.find(
    (window) => window.provider === model.provider && window.model === model.id,
  );
  const contextTokens = Math.min(
    configured ?? served?.contextTokens ?? model.contextTokens,
    learned?.contextTokens ?? Number.POSITIVE_INFINITY,
  );
  // The server need not be asked for what the agent sets.
  return { ...model, contextTokens, servedWindow: configured === null ? model.servedWindow : undefined };
}

/** A fallback model without a provider uses the agent's own provider. */
const fallbackOf = ({ provider, fallbackProvider, fallbackModel }: Agent): ModelName | undefined =>
  fallbackProvider === null && fallbackModel === null
    ? undefined
    : { provider: fallbackProvider ?? provider, model: fallbackModel };

async function openModel(
  { provider, model }: ModelName,
  settings: ModelSettings,
  stored: readonly ProviderSettings[],
  { models, credentials, limited = (model) => model }: Opening,
): Promise<OpenModel> {
  const own = stored.find((candidate) => candidate.provider === provider);
  const opened = own && (await credentials.open(own));
  if (own && !opened) throw unreadable(provider);

  const chat = models.open({ provider, model, settings, credentials: opened?.values });
  if (!chat) throw notConfigured(provider);
  // Not awaited: the turn does not depend on the re-encrypted credentials.
  if (own && opened) void credentials.refresh(own, opened);
  return limited(chat);
}

const settingsOf = ({ temperature, maxOutputTokens }: Agent): ModelSettings => ({
  ...(temperature !== null && { temperature }),
  ...(maxOutputTokens !== null && { maxOutputTokens }),
});
