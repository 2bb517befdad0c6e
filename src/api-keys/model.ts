import { SCOPES, type Scope } from "../auth/caller.ts";
import { sha256, toBase64Url, toHex } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { idAfter, optionalText, text, texts } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** What a key opens. */
interface KeyGrant {
  readonly owner: string;
  readonly scopes: readonly Scope[];
  /** The only agents in reach; null for all of the owner's. */
  readonly agentIds: readonly string[] | null;
  readonly expiresAt: string | null;
  /** To the hour. */
  readonly lastUsedAt: string | null;
}

/** A key for a program, as its owner sees it: the secret itself is known to nobody but who was shown it. */
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

/** What is known of a key by its secret alone. */
export interface KnownKey extends KeyGrant {
  readonly id: string;
  readonly hash: string;
}

const SECRET_PREFIX = "dab_";
const SECRET_BYTES = 32;

/** A new secret: 256 random bits, with a beginning that scanners for leaked secrets can know. */
export const newSecret = (): string =>
  SECRET_PREFIX + toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** Whether a bearer is meant to be a key. */
export const looksLikeKey = (bearer: string): boolean => bearer.startsWith(SECRET_PREFIX);

export const hashOfSecret = async (secret: string): Promise<string> => toHex(await sha256(secret));

export const API_KEY_PREFIX = "ApiKey#";

export const apiKeyKey = (owner: string, id: string): Key => ({
  pk: userPartition(owner),
  sk: `${API_KEY_PREFIX}${id}`,
});

/** Where a key is found by its secret. */
export const lookUpKey = (hash: string): Key => ({ pk: `ApiKey#${hash}`, sk: `ApiKey#${hash}` });

export const apiKeyItem = (key: ApiKey): Item => ({
  ...apiKeyKey(key.owner, key.id),
  entity_type: "ApiKey",
  name: key.name,
  last_four: key.lastFour,
  key_hash: key.hash,
  created_at: key.createdAt,
  ...grantAttributes(key),
});

/** The item by which a request's key is found; it goes when the key is revoked. */
export const lookUpItem = (key: ApiKey): Item => ({
  ...lookUpKey(key.hash),
  entity_type: "ApiKeyLookUp",
  key_hash: key.hash,
  ...grantAttributes(key),
});

const grantAttributes = ({ id, owner, scopes, agentIds, expiresAt }: ApiKey): Item => ({
  key_id: id,
  created_by: owner,
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
  owner: text(item, "created_by"),
  scopes: SCOPES.filter((scope) => texts(item, "scopes").includes(scope)),
  // What is no list of agents opens none, not all.
  agentIds: item["agent_ids"] === null ? null : texts(item, "agent_ids"),
  expiresAt: optionalText(item, "expires_at"),
  lastUsedAt: optionalText(item, "last_used_at"),
});

/** What a repeat is told: the secret was shown when the key was made, and is not known here. */
export const alreadyMade = (id: string): AppError =>
  new AppError("conflict", "This key has been made already, and its secret is shown only once.", {
    extensions: { key_id: id },
  });
