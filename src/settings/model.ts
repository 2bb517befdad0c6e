import { idAfter, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key, Value } from "../table/marshal.ts";

/** What a user entered for a provider: a value by the name of its field. */
export type Credentials = Readonly<Record<string, string>>;

/** What a user keeps for a provider, as it is stored. */
export interface ProviderSettings {
  readonly owner: string;
  readonly provider: string;
  /** Their credentials, sealed; or a token of the service before. */
  readonly encrypted: string;
  /**
   * What stands in the place of `encrypted`, whatever it is; nothing where the attribute is missing. No two ciphertexts
   * are alike, so it tells whether anything was changed.
   */
  readonly revision: Value | undefined;
  /** The token of the service before that `encrypted` was made of, while its secret is there. */
  readonly legacy: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

export const PROVIDER_SETTINGS_PREFIX = "ProviderSettings#";

export const settingsKey = (owner: string, provider: string): Key => ({
  pk: userPartition(owner),
  sk: `${PROVIDER_SETTINGS_PREFIX}${provider}`,
});

/** Attributes that others than this file speak of. */
export const ENCRYPTED = "encrypted_credentials";
export const LEGACY = "encrypted_credentials_legacy";

export const settingsItem = (settings: ProviderSettings): Item => ({
  ...settingsKey(settings.owner, settings.provider),
  entity_type: "ProviderSettings",
  user_email: settings.owner,
  provider_name: settings.provider,
  [ENCRYPTED]: settings.encrypted,
  ...(settings.legacy !== null && { [LEGACY]: settings.legacy }),
  created_at: settings.createdAt,
  updated_at: settings.updatedAt,
});

/**
 * Owner and provider are those of the place where the item stands, whatever its attributes say: credentials that were
 * copied to another place must not open there.
 */
export const settingsFrom = (owner: string, item: Item): ProviderSettings => ({
  owner,
  provider: idAfter(item, PROVIDER_SETTINGS_PREFIX),
  encrypted: text(item, ENCRYPTED),
  revision: item[ENCRYPTED],
  legacy: optionalText(item, LEGACY),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});

/** Whether an item of a user's partition holds settings of a provider. */
export const isProviderSettings = (item: Item): boolean =>
  text(item, "sk").startsWith(PROVIDER_SETTINGS_PREFIX);
