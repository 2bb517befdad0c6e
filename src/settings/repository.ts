import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { absent, equals } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import { modelListFrom, modelListItem, modelListKey, type StoredModelList } from "./model-list-model.ts";
import {
  ENCRYPTED,
  LEGACY,
  PROVIDER_SETTINGS_PREFIX,
  type ProviderSettings,
  settingsFrom,
  settingsItem,
  settingsKey,
} from "./model.ts";

export class ProviderSettingsRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns all provider settings of the account. */
  async list(accountEmail: AccountEmail): Promise<readonly ProviderSettings[]> {
    const range = { beginsWith: PROVIDER_SETTINGS_PREFIX };
    const items = await this.#table.query(userPartition(accountEmail), { range });
    return items.map((item) => settingsFrom(accountEmail, item));
  }

  /** Returns the settings for a provider, or `undefined` if there are none. */
  async find(accountEmail: AccountEmail, provider: string): Promise<ProviderSettings | undefined> {
    const item = await this.#table.get(settingsKey(accountEmail, provider));
    return item && settingsFrom(accountEmail, item);
  }

  /** Replaces the settings that were read as `previous`. Returns false if they have changed since. */
  async save(settings: ProviderSettings, previous: ProviderSettings | undefined): Promise<boolean> {
    const condition = previous ? unchanged(previous) : absent("pk");
    return this.#table.tryPut(settingsItem(settings), condition);
  }

  /** Replaces the ciphertext of unchanged credentials. Does nothing if they have changed since they were read. */
  async reencrypt(settings: ProviderSettings, encrypted: string, legacy: string | null): Promise<void> {
    const changes = {
      set: { [ENCRYPTED]: encrypted, ...(legacy !== null && { [LEGACY]: legacy }) },
      ...(legacy === null && { remove: [LEGACY] }),
    };
    const key = settingsKey(settings.accountEmail, settings.provider);
    await this.#table.tryUpdate(key, changes, unchanged(settings));
  }

  /** Removes the settings, and the models that the provider has listed for them. */
  async remove(accountEmail: AccountEmail, provider: string): Promise<void> {
    await this.#table.transact([
      { remove: settingsKey(accountEmail, provider) },
      { remove: modelListKey(accountEmail, provider) },
    ]);
  }

  /** Returns the settings for a provider, and the models that it has listed for them, as far as they are stored. */
  async findWithModelList(
    accountEmail: AccountEmail,
    provider: string,
  ): Promise<{ readonly settings?: ProviderSettings; readonly list?: StoredModelList | undefined }> {
    const keys = [settingsKey(accountEmail, provider), modelListKey(accountEmail, provider)];
    const [item, listItem] = await this.#table.batchGet(keys);
    if (!item) return {};
    const settings = settingsFrom(accountEmail, item);
    return { settings, list: listItem && modelListFrom(settings, listItem) };
  }

  /** Stores the models that a provider has listed. Does nothing if the settings have changed since they were read. */
  async saveModelList(settings: ProviderSettings, list: StoredModelList): Promise<void> {
    await this.#table.tryTransact([
      { check: settingsKey(settings.accountEmail, settings.provider), if: unchanged(settings) },
      { put: modelListItem(settings, list) },
    ]);
  }
}

const unchanged = ({ revision }: ProviderSettings) =>
  revision === undefined ? absent(ENCRYPTED) : equals(ENCRYPTED, revision);
