import { equalBytes, fromHex, toHex, utf8 } from "../shared/crypto.ts";

/** The parameters of the legacy Python service, so that its local accounts keep working: PBKDF2-HMAC-SHA-256, 32 bytes, hexadecimal. */
const ITERATIONS = 100_000;
const BYTES = 32;

/** Returns the hash and the salt to store, in hexadecimal. Only local development has passwords. */
export async function hashPassword(
  password: string,
): Promise<{ readonly hash: string; readonly salt: string }> {
  const salt = crypto.getRandomValues(new Uint8Array(BYTES));
  return { hash: toHex(await derive(password, salt)), salt: toHex(salt) };
}

/** Returns whether a password matches the stored hash. */
export async function isPassword(
  password: string,
  stored: { readonly hash: string; readonly salt: string },
): Promise<boolean> {
  return equalBytes(await derive(password, fromHex(stored.salt)), fromHex(stored.hash));
}

async function derive(password: string, salt: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", utf8(password), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS },
    key,
    BYTES * 8,
  );
  return new Uint8Array(bits);
}
