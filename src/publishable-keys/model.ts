import type { KeyGrant } from "../access/publishable-key.ts";
import { type AgentId, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { toHex } from "../shared/crypto.ts";
import { count, flag, idAfter, optionalText, renamed, text, texts } from "../table/fields.ts";
import { agentPartition, PUBLISHABLE_KEY_PREFIX, publishableKeyLookUpKey } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/**
 * A publishable key: web pages name it to let their visitors chat with one agent. Not to be confused with the API keys of an account,
 * which are secret and open what their scopes say.
 */
export interface PublishableKey extends KeyGrant {
  /** What pages send as `X-API-Key`. */
  readonly publicKey: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly requestCount: number;
  /** Whether the legacy Python service has stored the key and it can't be looked up yet; see `PublishableKeyRepository.adopt`. */
  readonly isLegacy: boolean;
}

/** The members that owners change, and the names of their attributes. */
const SETTINGS = {
  name: "name",
  allowedOrigins: "allowed_origins",
  isActive: "is_active",
  requiresSignIn: "requires_sign_in",
} as const;

/** What owners set of a key. */
export type KeySettings = Pick<PublishableKey, keyof typeof SETTINGS>;

const PUBLIC_PREFIX = "pk_live_";
/** 128 random bits: nobody guesses another page's key. */
const PUBLIC_BYTES = 16;

/** Returns a new value of a publishable key: a prefix that cannot be confused with that of secret keys, and 32 hexadecimal digits. */
export const newPublicKey = (): string =>
  PUBLIC_PREFIX + toHex(crypto.getRandomValues(new Uint8Array(PUBLIC_BYTES)));

/** Returns whether text has the form of a publishable key. */
export const isPublicKey = (text: string): boolean => /^pk_live_[0-9a-f]{32}$/u.test(text);

/** The legacy Python service stores keys under the same key of the table. */
export const publishableKeyKey = (agentId: AgentId, id: string): Key => ({
  pk: agentPartition(agentId),
  sk: `${PUBLISHABLE_KEY_PREFIX}${id}`,
});

export const publishableKeyItem = (key: PublishableKey): Item => ({
  ...publishableKeyKey(key.agentId, key.id),
  entity_type: "AgentApiKey",
  public_key: key.publicKey,
  ...grantAttributes(key),
  created_at: key.createdAt,
  last_used_at: key.lastUsedAt,
  request_count: key.requestCount,
});

/** The item that a request's key looks up. It has all that a request needs, so that one read is enough. */
export const publishableKeyLookUpItem = (key: PublishableKey): Item => ({
  ...publishableKeyLookUpKey(key.publicKey),
  entity_type: "AgentApiKeyLookUp",
  ...grantAttributes(key),
});

const grantAttributes = (key: PublishableKey): Item => ({
  key_id: key.id,
  agent_id: key.agentId,
  created_by: key.accountEmail,
  ...settingAttributes(key),
});

/** Returns settings as attributes of both items of a key. */
export const settingAttributes = (settings: Partial<KeySettings>): Item => renamed(settings, SETTINGS);

export const publishableKeyFrom = (item: Item): PublishableKey => ({
  ...keyGrantFrom(item),
  publicKey: text(item, "public_key"),
  createdAt: text(item, "created_at"),
  lastUsedAt: optionalText(item, "last_used_at"),
  requestCount: count(item, "request_count"),
  isLegacy: item[SETTINGS.requiresSignIn] === undefined,
});

export const keyGrantFrom = (item: Item): KeyGrant => ({
  id: text(item, "key_id") || idAfter(item, PUBLISHABLE_KEY_PREFIX),
  accountEmail: accountEmailOf(text(item, "created_by")),
  agentId: agentIdOf(text(item, "agent_id")),
  name: text(item, "name"),
  allowedOrigins: texts(item, SETTINGS.allowedOrigins),
  isActive: flag(item, SETTINGS.isActive),
  // All visitors of the legacy widget signed in.
  requiresSignIn: item[SETTINGS.requiresSignIn] !== false,
});
