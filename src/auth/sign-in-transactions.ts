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
  /** What is to be remembered until the person is back. */
  readonly note?: string;
}

/** How long a person may take to sign in at the issuer. */
export const TRANSACTION_SECONDS = 600;

const TYPE = "signin+jwt";
const ALGORITHM = "HS256";

interface SignInTransactionsDeps {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly now: () => number;
  /** Who signs in. The cookie of one kind of sign-in is not valid for another. */
  readonly purpose: "sign-in transactions" | "visitor sign-in transactions";
}

/**
 * Writes and reads the cookie that binds a sign-in to the browser that began it. It is signed, so that an attacker can't plant
 * a forged one, and expires after ten minutes.
 */
export class SignInTransactions {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #now: () => number;
  readonly #purpose: SignInTransactionsDeps["purpose"];

  constructor({ keys, now, purpose }: SignInTransactionsDeps) {
    this.#keys = keys;
    this.#now = now;
    this.#purpose = purpose;
  }

  /** Returns the text of a cookie. */
  async seal(transaction: SignInTransaction): Promise<string> {
    const [{ id, key }] = await deriveRing(this.#keys, this.#purpose);
    const seconds = Math.floor(this.#now() / 1000);
    return new SignJWT({ ...transaction })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: id })
      .setExpirationTime(seconds + TRANSACTION_SECONDS)
      .sign(key);
  }

  /** Returns the transaction of a cookie, or `undefined` if it is missing, forged or expired. */
  async open(cookie: string | undefined): Promise<SignInTransaction | undefined> {
    if (cookie === undefined) return undefined;

    const ring = await deriveRing(this.#keys, this.#purpose);
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
      const { state, nonce, verifier, note } = payload;
      return typeof state === "string" && typeof nonce === "string" && typeof verifier === "string"
        ? { state, nonce, verifier, ...(typeof note === "string" && { note }) }
        : undefined;
    } catch {
      return undefined;
    }
  }
}
