import { builtIn, type ModelList, type ModelLists } from "../llm/model-lists.ts";
import type { ModelInfo, Provider, ProviderContext } from "../llm/provider.ts";
import { wantsCredentials } from "../llm/providers.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { Form } from "../shared/forms.ts";
import { checkCredentials, fits, type Submitted } from "./check.ts";
import { providerForm } from "./forms.ts";
import type { Credentials, ProviderSettings } from "./model.ts";
import { notConfigured, unreadable } from "./problems.ts";
import type { OpenedCredentials, ProviderCredentials } from "./provider-credentials.ts";
import type { ProviderSettingsRepository } from "./repository.ts";
import { type Trial, tryProvider } from "./trial.ts";

/** How often settings are read again because somebody else has changed them in between. */
const ATTEMPTS = 5;
/** How long a form waits for the lists of models, and who asks for one of them. */
const FORM_MS = 1_500;
const LIST_MS = 8_000;

/** A provider, and what a user keeps for it. */
export interface ProviderStatus {
  readonly provider: Provider;
  readonly settings: ProviderSettings | undefined;
  /** Nothing where none are stored, or where they can't be used any more. */
  readonly credentials: Credentials | undefined;
}

/** A provider that a user can choose, with its models. */
export interface ProviderOffer {
  readonly name: string;
  readonly models: readonly ModelInfo[];
}

interface ProviderServiceParts {
  readonly settings: ProviderSettingsRepository;
  readonly credentials: ProviderCredentials;
  readonly providers: readonly Provider[];
  readonly context: ProviderContext;
  readonly modelLists: ModelLists;
  readonly clock: Clock;
}

/** What users keep for the providers of models. */
export class ProviderService {
  readonly #parts: ProviderServiceParts;

  constructor(parts: ProviderServiceParts) {
    this.#parts = parts;
  }

  /** All providers that can be configured. */
  async list(owner: string): Promise<readonly ProviderStatus[]> {
    const stored = await this.#parts.settings.list(owner);
    const providers = this.#parts.providers.filter(wantsCredentials);
    return Promise.all(
      providers.map(async (provider) => {
        const settings = stored.find((candidate) => candidate.provider === provider.name);
        return this.#status(provider, settings, await this.#open(provider, settings));
      }),
    );
  }

  /** The form that changes it. */
  formOf({ provider, credentials = {} }: ProviderStatus): Form {
    return providerForm(provider, credentials, this.#parts.context.isLocal);
  }

  /** Throws a 404 for a provider that is not there. */
  async get(owner: string, name: string): Promise<ProviderStatus> {
    const provider = this.#require(name);
    const settings = await this.#parts.settings.find(owner, provider.name);
    return this.#status(provider, settings, await this.#open(provider, settings));
  }

  /**
   * Stores credentials in the place of those that were there. Blank fields keep what is stored as long as nothing is
   * changed by that. Throws a 422 that tells what is wrong with them.
   */
  async save(owner: string, name: string, submitted: Submitted): Promise<ProviderStatus> {
    const { settings, credentials, context, clock } = this.#parts;
    const provider = this.#require(name);

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await settings.find(owner, provider.name);
      const known = await this.#open(provider, stored);
      const values = checkCredentials(provider, submitted, known?.values, context);
      if (stored && known?.isCurrent && isSame(values, known.values))
        return this.#status(provider, stored, known);

      const encrypted = await credentials.seal(owner, provider.name, values);
      const next: ProviderSettings = {
        owner,
        provider: provider.name,
        encrypted,
        revision: encrypted,
        legacy: null,
        createdAt: stored?.createdAt || clock.timestamp(),
        updatedAt: stored ? clock.timestamp() : null,
      };
      if (await settings.save(next, stored)) return { provider, settings: next, credentials: values };
    }
    throw new AppError("conflict", "These settings are being changed elsewhere. Please try again.", {
      retryable: true,
    });
  }

  async remove(owner: string, name: string): Promise<void> {
    await this.#parts.settings.remove(owner, this.#require(name).name);
  }

  /**
   * Asks the provider whether the stored credentials work: for its list of models, or for a word of the given model.
   * Throws a 409 where there are none.
   */
  async try(owner: string, name: string, model: string | undefined): Promise<Trial> {
    const { settings, credentials, context } = this.#parts;
    const provider = this.#require(name);
    const stored = await settings.find(owner, provider.name);
    const opened = await this.#open(provider, stored);
    if (!stored) throw notConfigured(name);
    if (!opened) throw unreadable(name);

    const [trial] = await Promise.all([
      tryProvider(provider, opened.values, model, context),
      credentials.refresh(stored, opened),
    ]);
    return trial;
  }

  /** The models of a provider, by its name in any case; nothing for a provider that is not there. */
  async models(owner: string, name: string): Promise<(ModelList & { provider: Provider }) | undefined> {
    const { settings, modelLists } = this.#parts;
    const provider = this.#parts.providers.find(
      (candidate) => candidate.name.toLowerCase() === name.toLowerCase(),
    );
    if (!provider) return undefined;

    const stored = await settings.find(owner, provider.name);
    const values = await this.#usable(provider, stored);
    const list = values ? await modelLists.list(provider, values, LIST_MS) : builtIn(provider);
    return { provider, ...list };
  }

  /** The providers that would answer this user, with their models. Takes a moment at most, whoever does not answer. */
  async offers(owner: string): Promise<readonly ProviderOffer[]> {
    const { settings, providers, modelLists } = this.#parts;
    const stored = await settings.list(owner);
    const offers = await Promise.all(
      providers.map(async (provider) => {
        const own = stored.find((candidate) => candidate.provider === provider.name);
        const values = await this.#usable(provider, own);
        return values && { name: provider.name, ...(await modelLists.list(provider, values, FORM_MS)) };
      }),
    );
    return offers.filter((offer) => offer !== undefined);
  }

  async #usable(
    provider: Provider,
    settings: ProviderSettings | undefined,
  ): Promise<Credentials | undefined> {
    if (!wantsCredentials(provider)) return {};
    return (await this.#open(provider, settings))?.values;
  }

  /** Stored credentials that can be used: they can be read, and the provider would take them. */
  async #open(
    provider: Provider,
    settings: ProviderSettings | undefined,
  ): Promise<OpenedCredentials | undefined> {
    const opened = settings && (await this.#parts.credentials.open(settings));
    return opened && fits(provider, opened.values) ? opened : undefined;
  }

  #status(
    provider: Provider,
    settings: ProviderSettings | undefined,
    opened: OpenedCredentials | undefined,
  ): ProviderStatus {
    return { provider, settings, credentials: opened?.values };
  }

  #require(name: string): Provider {
    const provider = this.#parts.providers.find((candidate) => candidate.name === name);
    if (provider && wantsCredentials(provider)) return provider;
    throw notFound("Provider");
  }
}

const isSame = (a: Credentials, b: Credentials): boolean => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
};
