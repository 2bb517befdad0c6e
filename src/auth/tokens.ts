import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { CompactSign, errors, jwtVerify } from "jose";
import { utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";

/** The person that a valid access token identifies. */
export interface Identity {
  readonly accountEmail: AccountEmail;
  readonly name: string;
  readonly picture: string | null;
  /** When the token was issued, in seconds since the epoch. Absent for identities that do not come from a token. */
  readonly issuedAt?: number;
}

/** A secret that signs tokens, with its id, which tokens name as `kid`. */
export interface SigningKey {
  readonly id: string;
  readonly secret: string;
}

export interface AccessTokensDeps {
  /** The first key signs; all of them verify. To rotate keys, put the new one first. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly lifetimeSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Fixed, not derived from a host: a token stays valid when the service moves to another port or name. */
const ISSUER = "dynamic-agent-builder";
const AUDIENCE = "dynamic-agent-builder-api";
/** RFC 9068. Keeps other tokens signed with this service's secrets from passing as access tokens. */
export const ACCESS_TOKEN_TYPE = "at+jwt";
const ALGORITHM = "HS256";
const CLOCK_TOLERANCE_SECONDS = 5;
/** Base64url without padding. jose also accepts other spellings of the same bytes. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/u;

/** Imported once per isolate: an imported key verifies twice as fast as raw bytes do. */
const imported = new Map<string, CryptoKey>();

/** Issues and verifies access tokens (JWT, HS256). */
export class AccessTokens {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly lifetimeSeconds: number;
  readonly #now: () => number;

  constructor({ keys, lifetimeSeconds, now }: AccessTokensDeps) {
    this.#keys = keys;
    this.lifetimeSeconds = lifetimeSeconds;
    this.#now = now;
  }

  /** Returns a new access token. */
  async issue({ accountEmail, name, picture }: Identity): Promise<string> {
    const [key] = this.#keys;
    const issuedAt = Math.floor(this.#now() / 1000);

    const claims = {
      name,
      picture,
      sub: accountEmail,
      iss: ISSUER,
      aud: AUDIENCE,
      jti: crypto.randomUUID(),
      iat: issuedAt,
      exp: issuedAt + this.lifetimeSeconds,
    };
    return new CompactSign(utf8(toPlainJson(claims)))
      .setProtectedHeader({ alg: ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid: key.id })
      .sign(await importKey(key.secret));
  }

  /** Returns the person that a token identifies. Throws `unauthenticated` if it is invalid or has expired, without further detail. */
  async verify(token: string): Promise<Identity> {
    try {
      if (!COMPACT.test(token)) throw new errors.JWSInvalid("The token is not canonical base64url.");
      const { payload } = await jwtVerify(token, async ({ kid }) => this.#keyOf(kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: ACCESS_TOKEN_TYPE,
        requiredClaims: ["sub", "exp", "iat", "jti"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      const { sub, name, picture, iat } = payload;
      return {
        accountEmail: accountEmailOf(String(sub)),
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
    if (!key) throw new errors.JWSInvalid("The token names an unknown key.");
    return importKey(key.secret);
  }
}

/**
 * The characters that clients which read claims with `JSON.parse(atob(…))` stumble over: non-ASCII ones, which `atob` takes
 * for Latin-1, and those that base64url may spell with `-` or `_`, which `atob` refuses.
 */
const UNPLAIN = /[>?~\u007f-\uffff]/g;

/** Returns JSON in which these characters are escaped. Only texts contain them, so it means the same. */
const toPlainJson = (claims: object): string =>
  // Without the `u` flag, each half of a surrogate pair is matched, and becomes an escape of its own.
  JSON.stringify(claims).replaceAll(UNPLAIN, escaped);

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

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
