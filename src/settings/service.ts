import type { AccountEmail } from "../shared/id-types.ts";
import { builtIn, type ModelList } from "../llm/model-lists.ts";
import type { ModelInfo, Provider, ProviderContext } from "../llm/provider.ts";
import { wantsCredentials } from "../llm/providers.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { Form } from "../shared/forms.ts";
import { type AccountModelLists, withAbilities } from "./account-model-lists.ts";
import { areValid, checkCredentials, type Submitted } from "./check.ts";
import { providerForm } from "./forms.ts";
import type { Credentials, ProviderSettings } from "./model.ts";
import { notConfigured, unreadable } from "./problems.ts";
import type { OpenedCredentials, ProviderCredentials } from "./provider-credentials.ts";
import type { ProviderSettingsRepository } from "./repository.ts";
import { type Trial, tryProvider } from "./trial.ts";

/** How often settings are read again after a concurrent change. */
const ATTEMPTS = 5;
/** How long forms wait for model lists, and how long a request for one list waits. */
const FORM_MS = 1_500;
const LIST_MS = 8_000;

/** A provider and what a user stored for it. */
export interface ProviderStatus {
  readonly provider: Provider;
  readonly settings: ProviderSettings | undefined;
  /** `undefined` if none are stored, or if they can no longer be used. */
  readonly credentials: Credentials | undefined;
}

/** A provider that a user can choose, and its models. */
export interface ProviderOffer {
  readonly name: string;
  readonly models: readonly ModelInfo[];
}

/** The models that an account's agents use. */
interface UsedModels {
  list(
    accountEmail: AccountEmail,
  ): Promise<readonly { readonly provider: string; readonly model: string | null }[]>;
}

interface ProviderServiceDeps {
  readonly settings: ProviderSettingsRepository;
  readonly credentials: ProviderCredentials;
  readonly providers: readonly Provider[];
  readonly context: ProviderContext;
  readonly modelLists: AccountModelLists;
  readonly clock: Clock;
  readonly agents: UsedModels;
}

/** Manages users' credentials for model providers. */
export class ProviderService {
  readonly #settings: ProviderSettingsRepository;
  readonly #credentials: ProviderCredentials;
  readonly #providers: readonly Provider[];
  readonly #context: ProviderContext;
  readonly #modelLists: AccountModelLists;
  readonly #clock: Clock;
  readonly #agents: UsedModels;

  constructor({ settings, credentials, providers, context, modelLists, clock, agents }: ProviderServiceDeps) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#providers = providers;
    this.#context = context;
    this.#modelLists = modelLists;
    this.#clock = clock;
    this.#agents = agents;
  }

  /** Returns all providers that can be configured, with the account's settings. */
  async list(accountEmail: AccountEmail): Promise<readonly ProviderStatus[]> {
    const stored = await this.#settings.list(accountEmail);
    const providers = this.#providers.filter(wantsCredentials);
    return Promise.all(
      providers.map(async (provider) => {
        const settings = stored.find((candidate) => candidate.provider === provider.name);
        return this.#status(provider, settings, await this.#open(provider, settings));
      }),
    );
  }

  /** Returns the form that configures the provider. */
  formOf({ provider, credentials = {} }: ProviderStatus): Form {
    return providerForm(provider, credentials, this.#context.isLocal);
  }

  /** Returns a provider with the account's settings. Throws `not-found` if there is no such provider. */
  async get(accountEmail: AccountEmail, name: string): Promise<ProviderStatus> {
    const provider = this.#require(name);
    const settings = await this.#settings.find(accountEmail, provider.name);
    return this.#status(provider, settings, await this.#open(provider, settings));
  }

  /**
   * Stores credentials, replacing earlier ones. See `checkCredentials` for when blank fields keep their stored values.
   * Throws `validation-failed` if a field is wrong, and `conflict` if the settings keep changing.
   */
  async save(accountEmail: AccountEmail, name: string, submitted: Submitted): Promise<ProviderStatus> {
    const provider = this.#require(name);

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await this.#settings.find(accountEmail, provider.name);
      const known = await this.#open(provider, stored);
      const values = checkCredentials(provider, submitted, known?.values, this.#context);
      if (stored && known?.isCurrent && isSame(values, known.values))
        return this.#status(provider, stored, known);

      const encrypted = await this.#credentials.seal(accountEmail, provider.name, values);
      const next: ProviderSettings = {
        accountEmail,
        provider: provider.name,
        encrypted,
        revision: encrypted,
        legacy: null,
        createdAt: stored?.createdAt || this.#clock.timestamp(),
        updatedAt: stored ? this.#clock.timestamp() : null,
      };
      if (await this.#settings.save(next, stored)) return { provider, settings: next, credentials: values };
    }
    throw new AppError("conflict", "These settings are being changed elsewhere. Please try again.", {
      retryable: true,
    });
  }

  /** Deletes the credentials for a provider. Throws `not-found` if there is no such provider. */
  async remove(accountEmail: AccountEmail, name: string): Promise<void> {
    await this.#settings.remove(accountEmail, this.#require(name).name);
  }

  /**
   * Tests the stored credentials; see `tryProvider`. Asks `model`, or a model of the account's agents. Throws
   * `provider-not-configured` if no usable credentials are stored.
   */
  async try(accountEmail: AccountEmail, name: string, model: string | undefined): Promise<Trial> {
    const provider = this.#require(name);
    const stored = await this.#settings.find(accountEmail, provider.name);
    const opened = await this.#open(provider, stored);
    if (!stored) throw notConfigured(provider.name);
    if (!opened) throw unreadable(provider.name);

    const used = model === undefined ? await this.#usedModels(accountEmail, provider) : [];
    const [trial] = await Promise.all([
      tryProvider(provider, opened.values, { model, used }, this.#context),
      this.#credentials.refresh(stored, opened),
    ]);
    return trial;
  }

  /**
   * Returns the models of a provider, whose name is matched without case, or `undefined` if there is no such provider.
   */
  async models(
    accountEmail: AccountEmail,
    name: string,
  ): Promise<(ModelList & { provider: Provider }) | undefined> {
    const provider = this.#find(name);
    if (!provider) return undefined;

    const settings = await this.#settings.find(accountEmail, provider.name);
    const values = await this.#usable(provider, settings);
    const list = values
      ? await this.#modelLists.list({ provider, settings, values }, { timeMs: LIST_MS, withWindows: true })
      : builtIn(provider);
    return { provider, ...list };
  }

  /** Returns the providers that the account can use, with their models. Waits at most `FORM_MS` for slow providers. */
  async offers(accountEmail: AccountEmail): Promise<readonly ProviderOffer[]> {
    const stored = await this.#settings.list(accountEmail);
    const offers = await Promise.all(
      this.#providers.map(async (provider) => {
        const settings = stored.find((candidate) => candidate.provider === provider.name);
        const values = await this.#usable(provider, settings);
        if (!values) return undefined;
        const source = { provider, settings, values };
        const { models } = await this.#modelLists.list(source, { timeMs: FORM_MS });
        return { name: provider.name, models: models.map((model) => withAbilities(model, provider)) };
      }),
    );
    return offers.filter((offer) => offer !== undefined);
  }

  async #usedModels(accountEmail: AccountEmail, provider: Provider): Promise<readonly string[]> {
    const agents = await this.#agents.list(accountEmail);
    return agents.flatMap((agent) =>
      agent.provider === provider.name && agent.model !== null ? [agent.model] : [],
    );
  }

  async #usable(
    provider: Provider,
    settings: ProviderSettings | undefined,
  ): Promise<Credentials | undefined> {
    if (!wantsCredentials(provider)) return {};
    return (await this.#open(provider, settings))?.values;
  }

  /** Returns stored credentials if they can be decrypted and match the provider's schema. */
  async #open(
    provider: Provider,
    settings: ProviderSettings | undefined,
  ): Promise<OpenedCredentials | undefined> {
    const opened = settings && (await this.#credentials.open(settings));
    return opened && areValid(provider, opened.values) ? opened : undefined;
  }

  #status(
    provider: Provider,
    settings: ProviderSettings | undefined,
    opened: OpenedCredentials | undefined,
  ): ProviderStatus {
    return { provider, settings, credentials: opened?.values };
  }

  /** Names are matched without case. */
  #find(name: string): Provider | undefined {
    const wanted = name.toLowerCase();
    return this.#providers.find((candidate) => candidate.name.toLowerCase() === wanted);
  }

  #require(name: string): Provider {
    const provider = this.#find(name);
    if (provider && wantsCredentials(provider)) return provider;
    throw notFound("Provider");
  }
}

const isSame = (a: Credentials, b: Credentials): boolean => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
};
