import type {
  AccountDeletion,
  ApiKey,
  AuthSession,
  DeletionRequested,
  ExportLine,
  Me,
  Model,
  MonthlyUsage,
  NewApiKey,
  Provider,
  ProviderCredentials,
  ProviderListing,
  ProviderTrial,
  ShownApiKey,
  SubscriptionStatus,
  TokenUsageReport,
  Usage,
} from "./api.ts";
import { type ApiCalls, split, type WithSettings } from "./api-calls.ts";
import type { QueryOf, RequestSettings } from "./operations.ts";
import type { Pages } from "./pages.ts";

const PROVIDER = "/settings/providers/{providerName}";

type ListOptions = WithSettings<{ readonly limit?: number | undefined }>;

/** The credentials of the providers of models. */
export class Settings {
  readonly #api: ApiCalls;

  /** @internal */
  constructor(api: ApiCalls) {
    this.#api = api;
  }

  /** Returns all providers with the forms that ask for their credentials. */
  async providers(settings: RequestSettings = {}): Promise<ProviderListing[]> {
    return await this.#api.request("GET", "/settings/providers", settings);
  }

  /** Returns what is stored for a provider. */
  async provider(providerName: string, settings: RequestSettings = {}): Promise<Provider> {
    return await this.#api.request("GET", PROVIDER, { ...settings, path: { providerName } });
  }

  /** Stores the credentials of a provider. */
  async configure(
    providerName: string,
    credentials: ProviderCredentials,
    settings: RequestSettings = {},
  ): Promise<Provider> {
    const options = { ...settings, path: { providerName }, body: credentials };
    return await this.#api.request("POST", PROVIDER, options);
  }

  /** Deletes the credentials of a provider. */
  async remove(providerName: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", PROVIDER, { ...settings, path: { providerName } });
  }

  /** Tries the stored credentials out. */
  async test(
    providerName: string,
    options: WithSettings<{ readonly model?: string | undefined }> = {},
  ): Promise<ProviderTrial> {
    const { query, ...settings } = split(options);
    return await this.#api.request("POST", `${PROVIDER}/test`, {
      ...settings,
      path: { providerName },
      query,
    });
  }

  /** Returns the models of a provider. */
  async models(provider: string, settings: RequestSettings = {}): Promise<Model[]> {
    return await this.#api.request("GET", "/llm/models/{provider}", { ...settings, path: { provider } });
  }
}

/** What the account has used, and may use. */
export class UsageClient {
  readonly #api: ApiCalls;

  /** @internal */
  constructor(api: ApiCalls) {
    this.#api = api;
  }

  /** Returns the limits of the plan and what is used of them. */
  async current(options: WithSettings<Omit<QueryOf<"GET", "/usage">, "end_user">> = {}): Promise<Usage> {
    const { query, ...settings } = split(options);
    return await this.#api.request("GET", "/usage", { ...settings, query });
  }

  /** The use of each month, newest first. */
  history(options: ListOptions = {}): Pages<MonthlyUsage> {
    const { query, ...settings } = split(options);
    return this.#api.list("/usage/history", { ...settings, query });
  }

  /** Returns the tokens that were used, by day, model, agent or otherwise. */
  async tokens(options: WithSettings<QueryOf<"GET", "/usage/tokens">> = {}): Promise<TokenUsageReport> {
    const { query, ...settings } = split(options);
    return await this.#api.request("GET", "/usage/tokens", { ...settings, query });
  }

  /** Returns the account's subscription. */
  async subscription(settings: RequestSettings = {}): Promise<SubscriptionStatus> {
    return await this.#api.request("GET", "/payments/stripe/subscription/status", settings);
  }
}

/** The API keys of the account. */
export class ApiKeys {
  readonly #api: ApiCalls;

  /** @internal */
  constructor(api: ApiCalls) {
    this.#api = api;
  }

  /** All keys, without their secrets. */
  list(options: ListOptions = {}): Pages<ApiKey> {
    const { query, ...settings } = split(options);
    return this.#api.list("/api-keys", { ...settings, query });
  }

  /**
   * Creates a key. Its secret is in this answer only. If the answer is lost, the error of the repeat has the key's id as
   * `problem.key_id`: revoke it.
   */
  async create(key: NewApiKey, settings: RequestSettings = {}): Promise<ShownApiKey> {
    return await this.#api.request("POST", "/api-keys", { ...settings, body: key });
  }

  /** Revokes a key, which stops working at once. */
  async revoke(keyId: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", "/api-keys/{keyId}", { ...settings, path: { keyId } });
  }
}

/** The account itself. */
export class Account {
  readonly #api: ApiCalls;

  /** @internal */
  constructor(api: ApiCalls) {
    this.#api = api;
  }

  /** Returns who is signed in. */
  async me(settings: RequestSettings = {}): Promise<Me> {
    return await this.#api.request("GET", "/auth/me", settings);
  }

  /** Everything that is stored about the account, line by line. The last line is `end`; without it, the export is incomplete. */
  export(settings: RequestSettings = {}): AsyncGenerator<ExportLine, void, void> {
    return this.#api.events("GET", "/users/me/export", settings);
  }

  /** Deletes the account and everything it owns. This can't be undone. */
  async delete(settings: RequestSettings = {}): Promise<DeletionRequested> {
    return await this.#api.request("DELETE", "/users/me", settings);
  }

  /** Returns the progress of the deletion. */
  async deletion(settings: RequestSettings = {}): Promise<AccountDeletion> {
    return await this.#api.request("GET", "/users/me/deletion", settings);
  }

  /** Where the account is signed in. */
  sessions(options: ListOptions = {}): Pages<AuthSession> {
    const { query, ...settings } = split(options);
    return this.#api.list("/auth/sessions", { ...settings, query });
  }

  /** Signs out elsewhere. */
  async endSession(sessionId: string, settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("DELETE", "/auth/sessions/{sessionId}", { ...settings, path: { sessionId } });
  }

  /** Signs out here. Needs the session's cookie: set `credentials` to `include` unless the page has the API's origin. */
  async signOut(settings: RequestSettings = {}): Promise<void> {
    await this.#api.request("POST", "/auth/logout", settings);
  }
}
