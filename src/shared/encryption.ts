import { fromBase64Url, toBase64Url, utf8 } from "./crypto.ts";

/** A key of the ring: 32 random bytes under a name. */
export interface VaultKey {
  readonly id: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** What a text was sealed for; opened for anything else, it can't be read. */
export interface Binding {
  /** Each purpose has a key of its own. */
  readonly purpose: string;
  readonly owner: string;
  readonly subject: string;
}

/** A text that was opened; `isCurrent` is false where another key than today's had sealed it. */
export interface Opened {
  readonly text: string;
  readonly isCurrent: boolean;
}

const VERSION = "v1";
const IV_BYTES = 12;

/**
 * Seals texts with AES-256-GCM under a random IV each. The keys are derived from a ring: the first one seals, all of
 * them open, so a key is replaced by putting another one before it.
 */
export class Vault {
  readonly #keys: readonly [VaultKey, ...VaultKey[]];
  /** Derived once, by key and purpose. */
  readonly #derived = new Map<string, CryptoKey>();

  constructor(keys: readonly [VaultKey, ...VaultKey[]]) {
    this.#keys = keys;
  }

  /** The text as `v1.{key}.{iv}.{ciphertext}`. */
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

  /** Nothing where the text was changed, was sealed for something else, or its key has left the ring. */
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
      // The tag does not fit; the platform says no more than that, and nobody should.
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

/** The binding goes in as additional data: as JSON, because no two bindings have the same. */
const parameters = (iv: Uint8Array<ArrayBuffer>, keyId: string, { purpose, owner, subject }: Binding) => ({
  name: "AES-GCM",
  iv,
  additionalData: utf8(JSON.stringify([purpose, VERSION, keyId, owner, subject])),
});

/**
 * The ring that `id:base64,id:base64` spells; a key may stand alone, without a name. Nothing where there is none, where
 * one has not exactly 32 bytes, or where two have the same name.
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
