import type { AccountEmail } from "../shared/id-types.ts";
import { objectFrom } from "../shared/json.ts";
import type { Opened, Vault } from "../shared/encryption.ts";
import type { FernetReader } from "../shared/fernet.ts";
import type { Credentials, ProviderSettings } from "./model.ts";
import type { ProviderSettingsRepository } from "./repository.ts";

/** Part of the additional data: a ciphertext for this purpose cannot be opened for another. */
const PURPOSE = "provider credentials";

/** Decrypted credentials. `isCurrent` is false if the ciphertext should be renewed. */
export interface OpenedCredentials {
  readonly values: Credentials;
  readonly isCurrent: boolean;
}

interface ProviderCredentialsDeps {
  readonly settings: ProviderSettingsRepository;
  readonly vault: Vault;
  readonly legacy: FernetReader | undefined;
}

/** Encrypts users' credentials, and decrypts them only for the user and provider that they were stored for. */
export class ProviderCredentials {
  readonly #settings: ProviderSettingsRepository;
  readonly #vault: Vault;
  readonly #legacy: FernetReader | undefined;

  /** Without `legacy`, tokens of the legacy Python service cannot be read, and stored copies of them are removed. */
  constructor({ settings, vault, legacy }: ProviderCredentialsDeps) {
    this.#settings = settings;
    this.#vault = vault;
    this.#legacy = legacy;
  }

  /** Returns the credentials encrypted and bound to the account and provider. */
  seal(accountEmail: AccountEmail, provider: string, values: Credentials): Promise<string> {
    return this.#vault.seal(JSON.stringify(values), {
      purpose: PURPOSE,
      owner: accountEmail,
      subject: provider,
    });
  }

  /**
   * Returns the decrypted credentials, or `undefined` if their key is gone or they belong to another user or provider.
   */
  async open(settings: ProviderSettings): Promise<OpenedCredentials | undefined> {
    const opened = (await this.#openSealed(settings)) ?? (await this.#openToken(settings));
    const values = opened && parse(opened.text);
    return values && { values, isCurrent: opened.isCurrent && (settings.legacy === null || !!this.#legacy) };
  }

  /**
   * Renews a ciphertext that is not current. Never throws: if it fails, the failure is logged and the next use tries
   * again.
   */
  async refresh(settings: ProviderSettings, { values, isCurrent }: OpenedCredentials): Promise<void> {
    if (isCurrent) return;

    const { accountEmail, provider } = settings;
    try {
      const isToken = (await this.#openSealed(settings)) === undefined;
      const legacy = isToken ? settings.encrypted : settings.legacy;
      const encrypted = await this.seal(accountEmail, provider, values);
      await this.#settings.reencrypt(settings, encrypted, this.#legacy ? legacy : null);
    } catch (error) {
      console.warn({
        message: "Could not re-encrypt provider credentials. The next use tries again.",
        provider,
        error: String(error),
      });
    }
  }

  #openSealed({ accountEmail, provider, encrypted }: ProviderSettings): Promise<Opened | undefined> {
    return this.#vault.open(encrypted, { purpose: PURPOSE, owner: accountEmail, subject: provider });
  }

  async #openToken({ encrypted }: ProviderSettings): Promise<Opened | undefined> {
    const text = await this.#legacy?.open(encrypted);
    return text === undefined ? undefined : { text, isCurrent: false };
  }
}

/** Returns the text members of a JSON object, or `undefined` if it is not one. Other members are not credentials. */
function parse(text: string): Credentials | undefined {
  const parsed = objectFrom(text);
  return (
    parsed &&
    Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    )
  );
}
