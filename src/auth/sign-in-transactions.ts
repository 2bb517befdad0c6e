import { jwtVerify, SignJWT } from "jose";
import { deriveRing } from "./derived-keys.ts";
import type { SigningKey } from "./tokens.ts";

/** The values that tie the issuer's answer to the browser that began the sign-in. */
export interface SignInTransaction {
  /** Returned in the URL of the redirect. */
  readonly state: string;
  /** Returned in the ID token. */
  readonly nonce: string;
  /** Proves to the issuer that the same client requested and redeems the code (PKCE). */
  readonly verifier: string;
}

/** How long a person may take to sign in at the issuer. */
export const TRANSACTION_SECONDS = 600;

const PURPOSE = "sign-in transactions";
const TYPE = "signin+jwt";
const ALGORITHM = "HS256";

interface SignInTransactionsDeps {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly now: () => number;
}

/**
 * Writes and reads the cookie that binds a sign-in to the browser that began it. It is signed, so that an attacker can't plant
 * a forged one, and expires after ten minutes.
 */
export class SignInTransactions {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #now: () => number;

  constructor({ keys, now }: SignInTransactionsDeps) {
    this.#keys = keys;
    this.#now = now;
  }

  /** Returns the text of a cookie. */
  async seal({ state, nonce, verifier }: SignInTransaction): Promise<string> {
    const [{ id, key }] = await deriveRing(this.#keys, PURPOSE);
    const seconds = Math.floor(this.#now() / 1000);
    return new SignJWT({ state, nonce, verifier })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: id })
      .setExpirationTime(seconds + TRANSACTION_SECONDS)
      .sign(key);
  }

  /** Returns the transaction of a cookie, or `undefined` if it is missing, forged or expired. */
  async open(cookie: string | undefined): Promise<SignInTransaction | undefined> {
    if (cookie === undefined) return undefined;

    const ring = await deriveRing(this.#keys, PURPOSE);
    const keyOf = (kid: string | undefined): CryptoKey => {
      const found = ring.find(({ id }) => id === kid);
      if (!found) throw new Error("The cookie names an unknown key.");
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
