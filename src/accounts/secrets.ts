import { optionalText, text } from "../table/fields.ts";
import type { Item, Value } from "../table/marshal.ts";

/**
 * What never leaves with an export: passwords, tokens, keys and credentials, also hashed or encrypted. The one list; a
 * feature that stores a new secret adds its attribute here.
 */
const SECRET_ATTRIBUTES: ReadonlySet<string> = new Set([
  "password_hash",
  "password_salt",
  // Of the sign-in with Google of the service before, and of sign-in sessions.
  "refresh_token",
  "token_hash",
  "previous_hash",
  // Of providers.
  "encrypted_credentials",
  "encrypted_credentials_legacy",
  "agent_provider_api_key",
  // Of API keys; those of the service before stand in the clear.
  "key_hash",
  "public_key",
  "gsi2_pk",
]);

/** The sort keys of whose items the last part is the hash of a secret, and that is no loss to leave out. */
const SECRET_KEYS = /^ApiKey#[0-9a-f]{64}$/u;

/** An item as its owner may have it: its kind, and everything but secrets. */
export function exported(item: Item): { readonly type: string } & { readonly [attribute: string]: Value } {
  const attributes = Object.entries(item).filter(
    ([name, value]) => !SECRET_ATTRIBUTES.has(name) && !(isKeyPart(name) && isSecretKey(value)),
  );
  return { ...Object.fromEntries(attributes), type: typeOf(item) };
}

const isKeyPart = (name: string): boolean => name === "pk" || name === "sk";

const isSecretKey = (value: Value): boolean => typeof value === "string" && SECRET_KEYS.test(value);

/** The kind of an item as it says itself, or as its sort key begins. */
const typeOf = (item: Item): string =>
  optionalText(item, "entity_type") ?? (text(item, "sk").split("#", 1)[0] || "Item");
