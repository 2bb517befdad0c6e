import { toBase64Url, utf8 } from "../../src/shared/crypto.ts";

/** A Fernet token as the Python service writes it: the reverse of what the service reads. */
export async function fernetToken(secret: string, text: string): Promise<string> {
  const root = await crypto.subtle.importKey("raw", utf8(secret), "PBKDF2", false, ["deriveBits"]);
  const pbkdf2 = { name: "PBKDF2", hash: "SHA-256", salt: utf8("innomightlabs_salt"), iterations: 100_000 };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, root, 256));
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const signing = await crypto.subtle.importKey("raw", bits.slice(0, 16), hmac, false, ["sign"]);
  const encryption = await crypto.subtle.importKey("raw", bits.slice(16), "AES-CBC", false, ["encrypt"]);

  const iv = crypto.getRandomValues(new Uint8Array(16));
  const encrypted = await crypto.subtle.encrypt({ name: "AES-CBC", iv }, encryption, utf8(text));
  const time = new Uint8Array(
    new BigUint64Array([BigInt(Math.floor(Date.now() / 1000))]).buffer,
  ).toReversed();
  const body = new Uint8Array([0x80, ...time, ...iv, ...new Uint8Array(encrypted)]);
  const token = new Uint8Array([...body, ...new Uint8Array(await crypto.subtle.sign("HMAC", signing, body))]);
  const base64 = toBase64Url(token);
  return base64 + "=".repeat((4 - (base64.length % 4)) % 4);
}
