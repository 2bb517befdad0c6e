import { EncryptJWT, errors, jwtDecrypt } from "jose";
import { deriveEncryptionKey } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import type { SigningKey } from "./tokens.ts";

interface SealedTokensDeps {
  /** The first key encrypts; all of them decrypt. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The type in the header. A token of one type can't pass as one of another. */
  readonly type: string;
  /** What the encryption key is derived for: each type has a key of its own. */
  readonly purpose: string;
  /** The part of the service that the tokens are for; the API if absent. */
  readonly audience?: string;
}

/** The claims of a token. They need no further validation: decryption proves that `seal` wrote them. */
export type Claims = Readonly<Record<string, unknown>>;

const ISSUER = "dynamic-agent-builder";
const API = "dynamic-agent-builder-api";
const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const CLOCK_TOLERANCE_SECONDS = 5;

/** Derived once per isolate, purpose and secret. */
const derived = new Map<string, CryptoKey>();

/** Returns whether a token has the form of a sealed one: an encrypted JWT has five parts, a signed one three. */
export const looksSealed = (token: string): boolean => token.split(".").length === 5;

/**
 * Seals and opens tokens of one type. Privacy: they are encrypted (JWE, `dir` with A256GCM), because their bearers must not learn
 * which account they talk to.
 */
export class SealedTokens {
  readonly #keys: SealedTokensDeps["keys"];
  readonly #now: () => number;
  readonly #type: string;
  readonly #purpose: string;
  readonly #audience: string;

  constructor({ keys, now, type, purpose, audience = API }: SealedTokensDeps) {
    this.#keys = keys;
    this.#now = now;
    this.#type = type;
    this.#purpose = purpose;
    this.#audience = audience;
  }

  /** Returns a new token about a subject. `expiresAt` is in seconds since the epoch. */
  async seal(subject: string, claims: Claims, expiresAt: number): Promise<string> {
    const [key] = this.#keys;
    return new EncryptJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, typ: this.#type, kid: key.id })
      .setSubject(subject)
      .setIssuer(ISSUER)
      .setAudience(this.#audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt(Math.floor(this.#now() / 1000))
      .setExpirationTime(expiresAt)
      .encrypt(await this.#keyFrom(key.secret));
  }

  /** Returns the claims of a token and whether it has expired. Throws `unauthenticated` if this service did not seal it. */
  async open(token: string): Promise<{ readonly claims: Claims; readonly hasExpired: boolean }> {
    try {
      const { payload } = await jwtDecrypt(token, async ({ kid }) => this.#keyOf(kid), {
        keyManagementAlgorithms: [ALGORITHM],
        contentEncryptionAlgorithms: [ENCRYPTION],
        issuer: ISSUER,
        audience: this.#audience,
        typ: this.#type,
        requiredClaims: ["sub", "exp", "iat"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      return { claims: payload, hasExpired: false };
    } catch (cause) {
      // The claims can be trusted: expiry is checked only after decryption has succeeded.
      if (cause instanceof errors.JWTExpired) return { claims: cause.payload, hasExpired: true };
      if (!(cause instanceof errors.JOSEError)) throw cause;
      throw new AppError("unauthenticated", "Invalid token", { cause });
    }
  }

  async #keyOf(kid: string | undefined): Promise<CryptoKey> {
    const key = this.#keys.find(({ id }) => id === kid);
    if (!key) throw new errors.JWEInvalid("The token names an unknown key.");
    return this.#keyFrom(key.secret);
  }

  async #keyFrom(secret: string): Promise<CryptoKey> {
    const name = JSON.stringify([this.#purpose, secret]);
    const key = derived.get(name) ?? (await deriveEncryptionKey(secret, this.#purpose));
    derived.set(name, key);
    return key;
  }
}
