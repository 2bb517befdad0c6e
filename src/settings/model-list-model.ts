import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { count, flag, text, texts } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { ProviderSettings } from "./model.ts";

/** What a provider has listed for an account's credentials. */
export interface StoredModelList {
  /** The ids of the models that are offered. */
  readonly ids: readonly string[];
  /** The ids of models that are accepted, but not offered. */
  readonly hiddenIds: readonly string[];
  /** The ids of the models that are known to lack tools. */
  readonly withoutTools: readonly string[];
  /** Whether there are no others, except for aliases. */
  readonly isComplete: boolean;
  /** When the provider was asked, in milliseconds since the epoch. */
  readonly listedAt: number;
}

const KEPT_FOR_MS = 7 * DAY_MS;
/** When the credentials were stored for which the models were listed. */
const SETTINGS_AT = "settings_at";

/** Before the provider settings, and out of the range that turns read. */
export const modelListKey = (accountEmail: AccountEmail, provider: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `ProviderModels#${provider}`,
});

export const modelListItem = (settings: ProviderSettings, list: StoredModelList): Item => ({
  ...modelListKey(settings.accountEmail, settings.provider),
  entity_type: "ProviderModels",
  provider_name: settings.provider,
  model_ids: list.ids,
  hidden_model_ids: list.hiddenIds,
  models_without_tools: list.withoutTools,
  is_complete: list.isComplete,
  listed_at: list.listedAt,
  [SETTINGS_AT]: storedAt(settings),
  ttl: ttlAfter(list.listedAt, KEPT_FOR_MS),
});

/** Reads a list. Returns `undefined` if it was made for other credentials than these. */
export const modelListFrom = (settings: ProviderSettings, item: Item): StoredModelList | undefined =>
  text(item, SETTINGS_AT) === storedAt(settings)
    ? {
        ids: texts(item, "model_ids"),
        hiddenIds: texts(item, "hidden_model_ids"),
        withoutTools: texts(item, "models_without_tools"),
        isComplete: flag(item, "is_complete"),
        listedAt: count(item, "listed_at"),
      }
    : undefined;

/** Renewing the encryption does not change it. */
const storedAt = ({ createdAt, updatedAt }: ProviderSettings): string => updatedAt ?? createdAt;
