import { deriveHmacKey } from "../shared/crypto.ts";
import type { SigningKey } from "./tokens.ts";

/** A key for one purpose, derived from a secret of the key ring, with the id of that secret. */
export interface DerivedKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** Derived once per isolate. */
const derived = new Map<string, CryptoKey>();

/** Derives a key for one purpose from each secret, in order: the first key signs, all of them verify. */
export function deriveRing(
  keys: readonly [SigningKey, ...SigningKey[]],
  purpose: string,
): Promise<readonly [DerivedKey, ...DerivedKey[]]> {
  const [first, ...others] = keys;
  return Promise.all([derive(first, purpose), ...others.map((key) => derive(key, purpose))]);
}

async function derive({ id, secret }: SigningKey, purpose: string): Promise<DerivedKey> {
  const name = JSON.stringify([purpose, secret]);
  const key = derived.get(name) ?? (await deriveHmacKey(secret, purpose));
  derived.set(name, key);
  return { id, key };
}
