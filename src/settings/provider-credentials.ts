import type { Opened, Vault } from "../shared/encryption.ts";
import type { FernetReader } from "../shared/fernet.ts";
import type { Credentials, ProviderSettings } from "./model.ts";
import type { ProviderSettingsRepository } from "./repository.ts";

/** Ciphertexts of these credentials are good for nothing else. */
const PURPOSE = "provider credentials";

/** Credentials that could be read; `isCurrent` is false where their ciphertext should be renewed. */
export interface OpenedCredentials {
  readonly values: Credentials;
  readonly isCurrent: boolean;
}

/** Encrypts users' credentials, and reads them back for the user and the provider that they were stored for. */
export class ProviderCredentials {
  readonly #settings: ProviderSettingsRepository;
  readonly #vault: Vault;
  readonly #legacy: FernetReader | undefined;

  /** Without `legacy`, tokens of the service before can't be read, and those kept beside are removed. */
  constructor(settings: ProviderSettingsRepository, vault: Vault, legacy: FernetReader | undefined) {
    this.#settings = settings;
    this.#vault = vault;
    this.#legacy = legacy;
  }

  seal(owner: string, provider: string, values: Credentials): Promise<string> {
    return this.#vault.seal(JSON.stringify(values), { purpose: PURPOSE, owner, subject: provider });
  }

  /** Nothing where they can't be read: their key is gone, or they were not stored for this user and provider. */
  async open(settings: ProviderSettings): Promise<OpenedCredentials | undefined> {
    const opened = (await this.#openSealed(settings)) ?? (await this.#openToken(settings));
    const values = opened && parse(opened.text);
    return values && { values, isCurrent: opened.isCurrent && (settings.legacy === null || !!this.#legacy) };
  }

  /**
   * Renews a ciphertext that is not current. Nobody has to wait for it and nothing depends on it: it never throws, and
   * the next use tries again.
   */
  async refresh(settings: ProviderSettings, { values, isCurrent }: OpenedCredentials): Promise<void> {
    if (isCurrent) return;

    const { owner, provider } = settings;
    try {
      const isToken = (await this.#openSealed(settings)) === undefined;
      const legacy = isToken ? settings.encrypted : settings.legacy;
      const encrypted = await this.seal(owner, provider, values);
      await this.#settings.reencrypt(settings, encrypted, this.#legacy ? legacy : null);
    } catch (error) {
      console.warn({ message: "Credentials were not encrypted anew.", provider, error: String(error) });
    }
  }

  #openSealed({ owner, provider, encrypted }: ProviderSettings): Promise<Opened | undefined> {
    return this.#vault.open(encrypted, { purpose: PURPOSE, owner, subject: provider });
  }

  async #openToken({ encrypted }: ProviderSettings): Promise<Opened | undefined> {
    const text = await this.#legacy?.open(encrypted);
    return text === undefined ? undefined : { text, isCurrent: false };
  }
}

/** The texts of a JSON object; whatever else a writer left in it is no credential. */
function parse(text: string): Credentials | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
