import { deriveHmacKey } from "../shared/crypto.ts";
import type { SigningKey } from "./tokens.ts";

/** A key for one purpose, derived from a secret of the ring, under that secret's id. */
export interface DerivedKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** Derived once per isolate. */
const derived = new Map<string, CryptoKey>();

/** The ring's keys for one purpose, in the ring's order: the first signs, all verify. */
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
