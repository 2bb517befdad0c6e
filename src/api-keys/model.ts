import { type AccountEmail, type AgentId, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { SCOPES, type Scope } from "../access/caller.ts";
import { sha256, toBase64Url, toHex } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { idAfter, optionalText, text, texts } from "../table/fields.ts";
import { API_KEY_PREFIX, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** What an API key grants. */
interface KeyGrant {
  readonly accountEmail: AccountEmail;
  readonly scopes: readonly Scope[];
  /** The only agents that the key may use; null for all of the owner's. */
  readonly agentIds: readonly AgentId[] | null;
  readonly expiresAt: string | null;
  /** Accurate to the hour. */
  readonly lastUsedAt: string | null;
}

/** An API key as its owner sees it. The secret is never stored. */
export interface ApiKey extends KeyGrant {
  readonly id: string;
  readonly name: string;
  /** The last characters of the secret, to tell keys apart by. */
  readonly lastFour: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly hash: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** The key that a secret looks up. */
export interface KnownKey extends KeyGrant {
  readonly id: string;
  readonly hash: string;
}

const SECRET_PREFIX = "dab_";
const SECRET_BYTES = 32;

/** Returns a new secret: 256 random bits, with a prefix that secret scanners can recognize. */
export const newSecret = (): string =>
  SECRET_PREFIX + toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** Returns whether a bearer token has the prefix of an API key. */
export const looksLikeKey = (bearer: string): boolean => bearer.startsWith(SECRET_PREFIX);

export const hashOfSecret = async (secret: string): Promise<string> => toHex(await sha256(secret));

export const apiKeyKey = (accountEmail: AccountEmail, id: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${API_KEY_PREFIX}${id}`,
});

/** The key of the look-up item, by the hash of the secret. */
export const lookUpKey = (hash: string): Key => ({ pk: `ApiKey#${hash}`, sk: `ApiKey#${hash}` });

export const apiKeyItem = (key: ApiKey): Item => ({
  ...apiKeyKey(key.accountEmail, key.id),
  entity_type: "ApiKey",
  name: key.name,
  last_four: key.lastFour,
  key_hash: key.hash,
  created_at: key.createdAt,
  ...grantAttributes(key),
});

/** The item that a request's secret looks up. Revoking the key removes it. */
export const lookUpItem = (key: ApiKey): Item => ({
  ...lookUpKey(key.hash),
  entity_type: "ApiKeyLookUp",
  key_hash: key.hash,
  ...grantAttributes(key),
});

const grantAttributes = ({ id, accountEmail, scopes, agentIds, expiresAt }: ApiKey): Item => ({
  key_id: id,
  created_by: accountEmail,
  scopes,
  agent_ids: agentIds,
  expires_at: expiresAt,
});

export const apiKeyFrom = (item: Item): ApiKey => ({
  ...knownKeyFrom(item),
  id: text(item, "key_id") || idAfter(item, API_KEY_PREFIX),
  name: text(item, "name"),
  lastFour: text(item, "last_four"),
  createdAt: text(item, "created_at"),
  revokedAt: optionalText(item, "revoked_at"),
});

export const knownKeyFrom = (item: Item): KnownKey => ({
  id: text(item, "key_id"),
  hash: text(item, "key_hash"),
  accountEmail: accountEmailOf(text(item, "created_by")),
  scopes: SCOPES.filter((scope) => texts(item, "scopes").includes(scope)),
  // Fail closed: a malformed list grants no agents, not all of them.
  agentIds: item["agent_ids"] === null ? null : texts(item, "agent_ids").map(agentIdOf),
  expiresAt: optionalText(item, "expires_at"),
  lastUsedAt: optionalText(item, "last_used_at"),
});

/** The error for a repeated creation: the secret was in the first answer and is not stored. */
export const alreadyMade = (id: string): AppError =>
  new AppError(
    "conflict",
    "This API key already exists, and its secret is shown only once. Revoke it and create a new one.",
    {
      extensions: { key_id: id },
    },
  );
