import type { AccountEmail } from "../shared/id-types.ts";
import { idAfter, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key, Value } from "../table/marshal.ts";

/** What a user entered for a provider: values by field name. */
export type Credentials = Readonly<Record<string, string>>;

/** What is stored of a user's credentials for one provider. */
export interface ProviderSettings {
  readonly accountEmail: AccountEmail;
  readonly provider: string;
  /** The encrypted credentials, or a token that the legacy Python service encrypted. */
  readonly encrypted: string;
  /**
   * The raw attribute behind `encrypted`, `undefined` if it is missing. Every ciphertext is unique, so a write can use
   * it as a condition that nothing has changed.
   */
  readonly revision: Value | undefined;
  /** The token of the legacy Python service that `encrypted` was made from; kept while its secret is configured. */
  readonly legacy: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

export const PROVIDER_SETTINGS_PREFIX = "ProviderSettings#";

export const settingsKey = (accountEmail: AccountEmail, provider: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${PROVIDER_SETTINGS_PREFIX}${provider}`,
});

/** Attribute names that other files use. */
export const ENCRYPTED = "encrypted_credentials";
export const LEGACY = "encrypted_credentials_legacy";

export const settingsItem = (settings: ProviderSettings): Item => ({
  ...settingsKey(settings.accountEmail, settings.provider),
  entity_type: "ProviderSettings",
  user_email: settings.accountEmail,
  provider_name: settings.provider,
  [ENCRYPTED]: settings.encrypted,
  ...(settings.legacy !== null && { [LEGACY]: settings.legacy }),
  created_at: settings.createdAt,
  updated_at: settings.updatedAt,
});

/**
 * Reads settings from their stored item. Account and provider come from the item's key, never from its attributes:
 * credentials that were copied to another key must not decrypt there.
 */
export const settingsFrom = (accountEmail: AccountEmail, item: Item): ProviderSettings => ({
  accountEmail,
  provider: idAfter(item, PROVIDER_SETTINGS_PREFIX),
  encrypted: text(item, ENCRYPTED),
  revision: item[ENCRYPTED],
  legacy: optionalText(item, LEGACY),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});

/** Returns whether an item of a user's partition holds provider settings. */
export const isProviderSettings = (item: Item): boolean =>
  text(item, "sk").startsWith(PROVIDER_SETTINGS_PREFIX);
