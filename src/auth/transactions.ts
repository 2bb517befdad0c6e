import { jwtVerify, SignJWT } from "jose";
import { deriveRing } from "./derived-keys.ts";
import type { SigningKey } from "./tokens.ts";

/** What a browser has to bring back from the issuer, and what the issuer's answer has to fit to. */
export interface SignInTransaction {
  /** Comes back in the address. */
  readonly state: string;
  /** Comes back in the ID token. */
  readonly nonce: string;
  /** Proves to the issuer that who redeems the code is who asked for it (PKCE). */
  readonly verifier: string;
}

/** How long a person may take at the issuer. */
export const TRANSACTION_SECONDS = 600;

const PURPOSE = "sign-in transactions";
const TYPE = "signin+jwt";
const ALGORITHM = "HS256";

/**
 * Makes and reads the cookie that binds a sign-in to the browser that began it. It is signed, so that nobody can plant
 * one of their own making, and lives for ten minutes.
 */
export class SignInTransactions {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #now: () => number;

  constructor(keys: readonly [SigningKey, ...SigningKey[]], now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  async seal({ state, nonce, verifier }: SignInTransaction): Promise<string> {
    const [{ id, key }] = await deriveRing(this.#keys, PURPOSE);
    const seconds = Math.floor(this.#now() / 1000);
    return new SignJWT({ state, nonce, verifier })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: id })
      .setExpirationTime(seconds + TRANSACTION_SECONDS)
      .sign(key);
  }

  /** The transaction of a cookie; nothing where there is none, or one that is not ours or too old. */
  async open(cookie: string | undefined): Promise<SignInTransaction | undefined> {
    if (cookie === undefined) return undefined;

    const ring = await deriveRing(this.#keys, PURPOSE);
    const keyOf = (kid: string | undefined): CryptoKey => {
      const found = ring.find(({ id }) => id === kid);
      if (!found) throw new Error("The cookie names no key that is known here.");
      return found.key;
    };
    try {
      const { payload } = await jwtVerify(cookie, ({ kid }) => keyOf(kid), {
        algorithms: [ALGORITHM],
        typ: TYPE,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#now()),
      });
      const { state, nonce, verifier } = payload;
      return typeof state === "string" && typeof nonce === "string" && typeof verifier === "string"
        ? { state, nonce, verifier }
        : undefined;
    } catch {
      return undefined;
    }
  }
}
