import { errors, jwtVerify, SignJWT } from "jose";
import { utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** Who a valid token speaks for. */
export interface Identity {
  readonly email: string;
  readonly name: string;
  readonly picture: string | null;
  /** When the token was issued, in seconds since the epoch; nothing for what is no token. */
  readonly issuedAt?: number;
}

/** A secret that signs tokens, under the id that tokens carry. */
export interface SigningKey {
  readonly id: string;
  readonly secret: string;
}

export interface AccessTokenOptions {
  /** At least one. The first signs; all verify, so a key is replaced by putting the new one in front. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly lifetimeSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Fixed, not derived from a host: a token stays valid when the service moves to another port or name. */
const ISSUER = "dynamic-agent-builder";
const AUDIENCE = "dynamic-agent-builder-api";
/** RFC 9068: keeps other tokens that this service's secrets may sign from passing as access tokens. */
const TYPE = "at+jwt";
const ALGORITHM = "HS256";
const CLOCK_TOLERANCE_SECONDS = 5;
/** Base64url without padding; the library would also take other spellings of the same bytes. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/u;

/** Imported once per isolate: an imported key verifies twice as fast as raw bytes. */
const imported = new Map<string, CryptoKey>();

/** Issues and verifies access tokens (JWT, HS256). */
export class AccessTokens {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly lifetimeSeconds: number;
  readonly #now: () => number;

  constructor({ keys, lifetimeSeconds, now }: AccessTokenOptions) {
    this.#keys = keys;
    this.lifetimeSeconds = lifetimeSeconds;
    this.#now = now;
  }

  async issue({ email, name, picture }: Identity): Promise<string> {
    const [key] = this.#keys;
    const issuedAt = Math.floor(this.#now() / 1000);

    return new SignJWT({ name, picture })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: key.id })
      .setSubject(email)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setJti(crypto.randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.lifetimeSeconds)
      .sign(await importKey(key.secret));
  }

  /** The bearer of a token. Throws a 401 that says no more than that the token is invalid or has expired. */
  async verify(token: string): Promise<Identity> {
    try {
      if (!COMPACT.test(token)) throw new errors.JWSInvalid("The token is not in its one spelling.");
      const { payload } = await jwtVerify(token, async ({ kid }) => this.#keyOf(kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ["sub", "exp", "iat", "jti"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      const { sub, name, picture, iat } = payload;
      return {
        email: String(sub),
        name: typeof name === "string" ? name : "",
        picture: typeof picture === "string" ? picture : null,
        ...(iat !== undefined && { issuedAt: iat }),
      };
    } catch (cause) {
      const expired = cause instanceof errors.JWTExpired;
      throw new AppError("unauthenticated", expired ? "Token expired" : "Invalid token", { cause });
    }
  }

  async #keyOf(kid: string | undefined): Promise<CryptoKey> {
    const key = this.#keys.find(({ id }) => id === kid);
    if (!key) throw new errors.JWSInvalid("The token names no key that is known here.");
    return importKey(key.secret);
  }
}

async function importKey(secret: string): Promise<CryptoKey> {
  const known = imported.get(secret);
  if (known) return known;

  const key = await crypto.subtle.importKey("raw", utf8(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
  imported.set(secret, key);
  return key;
}
