import { fromBase64Url, toBase64Url, utf8 } from "./crypto.ts";

/** A key of the key ring: 32 random bytes with an id. */
export interface VaultKey {
  readonly id: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** What a text is encrypted for. It can only be decrypted with the same binding. */
export interface Binding {
  /** Each purpose has its own key. */
  readonly purpose: string;
  readonly owner: string;
  readonly subject: string;
}

/** A decrypted text. `isCurrent` is false if it was not encrypted with the first key of the ring. */
export interface Opened {
  readonly text: string;
  readonly isCurrent: boolean;
}

const VERSION = "v1";
const IV_BYTES = 12;

/**
 * Encrypts texts with AES-256-GCM and a random IV each. Keys are derived from a key ring: the first one encrypts, all of them
 * decrypt. To rotate keys, put the new one first.
 */
export class Vault {
  readonly #keys: readonly [VaultKey, ...VaultKey[]];
  /** Derived keys by key id and purpose. */
  readonly #derived = new Map<string, CryptoKey>();

  constructor(keys: readonly [VaultKey, ...VaultKey[]]) {
    this.#keys = keys;
  }

  /** Returns the encrypted text as `v1.{key}.{iv}.{ciphertext}`. */
  async seal(text: string, binding: Binding): Promise<string> {
    const [key] = this.#keys;
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const bytes = await crypto.subtle.encrypt(
      parameters(iv, key.id, binding),
      await this.#derive(key, binding.purpose),
      utf8(text),
    );
    return [VERSION, key.id, toBase64Url(iv), toBase64Url(new Uint8Array(bytes))].join(".");
  }

  /** Decrypts a text. Returns `undefined` if it was modified, has another binding, or its key is no longer in the ring. */
  async open(sealed: string, binding: Binding): Promise<Opened | undefined> {
    const [version, keyId, ivText = "", bytesText = "", ...more] = sealed.split(".");
    const key = this.#keys.find(({ id }) => id === keyId);
    const iv = fromBase64Url(ivText);
    const bytes = fromBase64Url(bytesText);
    if (version !== VERSION || !key || iv?.byteLength !== IV_BYTES || !bytes || more.length > 0)
      return undefined;

    const derived = await this.#derive(key, binding.purpose);
    try {
      const plain = await crypto.subtle.decrypt(parameters(iv, key.id, binding), derived, bytes);
      return { text: new TextDecoder().decode(plain), isCurrent: key === this.#keys[0] };
    } catch {
      // The authentication tag does not match. Security: callers must not learn why.
      return undefined;
    }
  }

  async #derive({ id, secret }: VaultKey, purpose: string): Promise<CryptoKey> {
    const name = JSON.stringify([id, purpose]);
    const known = this.#derived.get(name);
    if (known) return known;

    const root = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(purpose) },
      root,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
    this.#derived.set(name, key);
    return key;
  }
}

/** The binding is additional authenticated data, as JSON, so that two bindings never have the same bytes. */
const parameters = (iv: Uint8Array<ArrayBuffer>, keyId: string, { purpose, owner, subject }: Binding) => ({
  name: "AES-GCM",
  iv,
  additionalData: utf8(JSON.stringify([purpose, VERSION, keyId, owner, subject])),
});

/**
 * Parses a key ring `id:base64,id:base64`; a key without an id gets `default`. Returns `undefined` if there is no key, a key
 * does not have exactly 32 bytes, or two keys share an id.
 */
export function parseVaultKeys(text: string): readonly [VaultKey, ...VaultKey[]] | undefined {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  const keys = entries.flatMap((entry): VaultKey[] => {
    const [, id = "default", base64 = ""] = /^(?:([\w-]{1,32}):)?([\w+/-]{43})=?$/u.exec(entry) ?? [];
    const secret = fromBase64Url(base64.replaceAll("+", "-").replaceAll("/", "_"));
    return secret?.byteLength === KEY_BYTES ? [{ id, secret }] : [];
  });

  const [first, ...others] = keys;
  const areDistinct = new Set(keys.map(({ id }) => id)).size === keys.length;
  return first && areDistinct && keys.length === entries.length ? [first, ...others] : undefined;
}

const KEY_BYTES = 32;
