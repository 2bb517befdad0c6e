import type { TableClient } from "../table/client.ts";
import { ConditionFailed } from "../table/errors.ts";
import { absent, equals } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
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

  constructor(table: TableClient) {
    this.#table = table;
  }

  async list(owner: string): Promise<readonly ProviderSettings[]> {
    const range = { beginsWith: PROVIDER_SETTINGS_PREFIX };
    const items = await this.#table.query(userPartition(owner), { range });
    return items.map((item) => settingsFrom(owner, item));
  }

  async find(owner: string, provider: string): Promise<ProviderSettings | undefined> {
    const item = await this.#table.get(settingsKey(owner, provider));
    return item && settingsFrom(owner, item);
  }

  /** Stores settings in the place of those that were read; false where somebody else has changed them since. */
  async save(settings: ProviderSettings, previous: ProviderSettings | undefined): Promise<boolean> {
    const condition = previous ? unchanged(previous) : absent("pk");
    return this.#unlessChanged(this.#table.put(settingsItem(settings), condition));
  }

  /** Replaces the ciphertext of the same credentials; does nothing where they have been changed since. */
  async reencrypt(settings: ProviderSettings, encrypted: string, legacy: string | null): Promise<void> {
    const changes = {
      set: { [ENCRYPTED]: encrypted, ...(legacy !== null && { [LEGACY]: legacy }) },
      ...(legacy === null && { remove: [LEGACY] }),
    };
    const key = settingsKey(settings.owner, settings.provider);
    await this.#unlessChanged(this.#table.update(key, changes, unchanged(settings)));
  }

  async remove(owner: string, provider: string): Promise<void> {
    await this.#table.remove(settingsKey(owner, provider));
  }

  async #unlessChanged(write: Promise<unknown>): Promise<boolean> {
    try {
      await write;
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }
}

const unchanged = ({ revision }: ProviderSettings) =>
  revision === undefined ? absent(ENCRYPTED) : equals(ENCRYPTED, revision);
