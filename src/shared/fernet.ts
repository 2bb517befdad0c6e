import { fromBase64Url, utf8 } from "./crypto.ts";

/** The key derivation of the legacy Python service. */
const SALT = "innomightlabs_salt";
const ITERATIONS = 100_000;

const VERSION = 0x80;
const HALF_KEY_BYTES = 16;
/** Version and creation time. */
const HEADER_BYTES = 1 + 8;
const IV_BYTES = 16;
const BLOCK_BYTES = 16;
const TAG_BYTES = 32;

interface Keys {
  readonly signing: CryptoKey;
  readonly encryption: CryptoKey;
}

/**
 * Decrypts the Fernet tokens of the legacy Python service: AES-128-CBC, then HMAC-SHA-256 over everything. This service writes
 * none.
 */
export class FernetReader {
  readonly #secret: string;
  /** Derived on first use, because it takes milliseconds and most credentials are no longer Fernet tokens. */
  #keys: Keys | undefined;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Returns the text of a token, or `undefined` if it is malformed, was modified, or was made with another secret. */
  async open(token: string): Promise<string | undefined> {
    const bytes = fromBase64Url(token.replace(/={1,2}$/u, ""));
    if (bytes?.[0] !== VERSION) return undefined;
    const length = bytes.byteLength - HEADER_BYTES - IV_BYTES - TAG_BYTES;
    if (length < BLOCK_BYTES || length % BLOCK_BYTES !== 0) return undefined;

    const { signing, encryption } = (this.#keys ??= await deriveKeys(this.#secret));
    const signed = bytes.subarray(0, -TAG_BYTES);
    if (!(await crypto.subtle.verify("HMAC", signing, bytes.subarray(-TAG_BYTES), signed))) return undefined;

    const iv = signed.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
    try {
      const plain = await crypto.subtle.decrypt(
        { name: "AES-CBC", iv },
        encryption,
        signed.subarray(HEADER_BYTES + IV_BYTES),
      );
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(plain);
    } catch {
      return undefined;
    }
  }
}

async function deriveKeys(secret: string): Promise<Keys> {
  const root = await crypto.subtle.importKey("raw", utf8(secret), "PBKDF2", false, ["deriveBits"]);
  const bits = new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "PBKDF2", hash: "SHA-256", salt: utf8(SALT), iterations: ITERATIONS },
      root,
      2 * HALF_KEY_BYTES * 8,
    ),
  );
  const hmac = { name: "HMAC", hash: "SHA-256" };
  return {
    signing: await crypto.subtle.importKey("raw", bits.subarray(0, HALF_KEY_BYTES), hmac, false, ["verify"]),
    encryption: await crypto.subtle.importKey("raw", bits.subarray(HALF_KEY_BYTES), "AES-CBC", false, [
      "decrypt",
    ]),
  };
}
