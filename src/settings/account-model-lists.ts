import { modelFacts } from "../llm/model-facts.ts";
import type { ModelList, ModelLists } from "../llm/model-lists.ts";
import { isShown, type ModelInfo, type Provider } from "../llm/provider.ts";
import type { Credentials, ProviderSettings } from "./model.ts";
import type { StoredModelList } from "./model-list-model.ts";
import type { ProviderSettingsRepository } from "./repository.ts";

/** Whose models are listed: those of a provider for these credentials. */
interface Source {
  readonly provider: Provider;
  /** `undefined` for a provider that needs no credentials. Its lists are not stored. */
  readonly settings: ProviderSettings | undefined;
  readonly values: Credentials;
}

/** How long a list may take and how old it may be, and whether windows are asked for as well; see `ModelLists`. */
interface Listing {
  readonly timeMs: number;
  readonly maxAgeMs?: number;
  readonly withWindows?: boolean;
}

interface AccountModelListsDeps {
  readonly modelLists: ModelLists;
  readonly settings: ProviderSettingsRepository;
  /** Keeps the request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** Lists models, and stores what was listed, so that agents can be checked without waiting for their providers. */
export class AccountModelLists {
  readonly #modelLists: ModelLists;
  readonly #settings: ProviderSettingsRepository;
  readonly #later: (work: Promise<void>) => void;

  constructor({ modelLists, settings, later }: AccountModelListsDeps) {
    this.#modelLists = modelLists;
    this.#settings = settings;
    this.#later = later;
  }

  /** Returns the provider's list, or the built-in list. Never throws. A new list is stored after the answer. */
  async list(
    { provider, settings, values }: Source,
    { timeMs, maxAgeMs, withWindows = false }: Listing,
  ): Promise<ModelList & { readonly stored: StoredModelList }> {
    const list = withWindows
      ? await this.#modelLists.listWithWindows(provider, values, timeMs)
      : await this.#modelLists.list(provider, values, timeMs, maxAgeMs);
    const stored = storedList(list, provider, values);
    if (settings && list.isLive && list.requestedAt !== undefined) this.#later(this.#store(settings, stored));
    return { ...list, stored };
  }

  async #store(settings: ProviderSettings, list: StoredModelList): Promise<void> {
    try {
      await this.#settings.saveModelList(settings, list);
    } catch (error) {
      // The next list is stored again.
      console.warn({
        message: "The models of a provider were not stored.",
        provider: settings.provider,
        error: String(error),
      });
    }
  }
}

function storedList(list: ModelList, provider: Provider, values: Credentials): StoredModelList {
  const idsOf = (models: readonly ModelInfo[]): readonly string[] => models.map(({ id }) => id);
  return {
    ids: idsOf(list.models),
    hiddenIds: idsOf(list.listed.filter((model) => !isShown(model))),
    withoutTools: idsOf(list.listed.filter((model) => withAbilities(model, provider).tools === false)),
    isComplete: provider.listsAll(values) && !list.isCut,
    listedAt: list.requestedAt ?? 0,
  };
}

/** Adds whether the model can call tools, if its provider has not said so and it is known. */
export function withAbilities(model: ModelInfo, { facts }: Provider): ModelInfo {
  const tools = model.tools ?? modelFacts(model.id, facts)?.tools;
  return { ...model, ...(tools !== undefined && { tools }) };
}
