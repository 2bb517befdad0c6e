import { type AccountEmail, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { EncryptJWT, errors, jwtDecrypt } from "jose";
import { deriveEncryptionKey } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import type { SigningKey } from "./tokens.ts";

/** The content of a client token: an end user of an account's agent, and the origins of the pages that may use it. */
export interface ClientGrant {
  readonly accountEmail: AccountEmail;
  readonly endUser: EndUserRef;
  readonly generation: string;
  readonly origins: readonly string[];
}

interface ClientTokensDeps {
  /** The first key encrypts; all of them decrypt. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const ISSUER = "dynamic-agent-builder";
const AUDIENCE = "dynamic-agent-builder-api";
/** Its own type and its own key: a client token can't pass as an access token, nor the other way round. */
const TYPE = "client+jwt";
const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const CLOCK_TOLERANCE_SECONDS = 5;

/** Derived once per isolate and secret. */
const derived = new Map<string, CryptoKey>();

/** Returns whether a token has the form of a client token: an encrypted JWT has five parts, a signed one three. */
export const looksLikeClientToken = (token: string): boolean => token.split(".").length === 5;

/**
 * Issues and reads the tokens of end users. Privacy: they are encrypted (JWE, `dir` with A256GCM), because end users must not
 * learn which account they talk to.
 */
export class ClientTokens {
  readonly #keys: ClientTokensDeps["keys"];
  readonly #now: () => number;

  constructor({ keys, now }: ClientTokensDeps) {
    this.#keys = keys;
    this.#now = now;
  }

  /** Returns a new token. `expiresAt` is in seconds since the epoch. */
  async issue(
    { accountEmail, endUser, generation, origins }: ClientGrant,
    expiresAt: number,
  ): Promise<string> {
    const [key] = this.#keys;

    return new EncryptJWT({
      account: accountEmail,
      agent: endUser.agentId,
      gen: generation,
      origins: [...origins],
    })
      .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, typ: TYPE, kid: key.id })
      .setSubject(endUser.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setJti(crypto.randomUUID())
      .setIssuedAt(Math.floor(this.#now() / 1000))
      .setExpirationTime(expiresAt)
      .encrypt(await keyFrom(key.secret));
  }

  /** Returns the content of a token and whether it has expired. Throws `unauthenticated` if this service did not issue it. */
  async read(token: string): Promise<{ readonly grant: ClientGrant; readonly hasExpired: boolean }> {
    try {
      const { payload } = await jwtDecrypt(token, async ({ kid }) => this.#keyOf(kid), {
        keyManagementAlgorithms: [ALGORITHM],
        contentEncryptionAlgorithms: [ENCRYPTION],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ["sub", "exp", "iat", "jti"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      return { grant: grantFrom(payload), hasExpired: false };
    } catch (cause) {
      // The claims can be trusted: expiry is checked only after decryption has succeeded.
      if (cause instanceof errors.JWTExpired) return { grant: grantFrom(cause.payload), hasExpired: true };
      throw new AppError("unauthenticated", "Invalid token", { cause });
    }
  }

  async #keyOf(kid: string | undefined): Promise<CryptoKey> {
    const key = this.#keys.find(({ id }) => id === kid);
    if (!key) throw new errors.JWEInvalid("The token names an unknown key.");
    return keyFrom(key.secret);
  }
}

/** The payload needs no further validation: decryption proves that `issue` wrote it. */
function grantFrom(payload: Readonly<Record<string, unknown>>): ClientGrant {
  const { sub, account, agent, gen, origins } = payload;
  return {
    accountEmail: accountEmailOf(String(account)),
    endUser: { agentId: agentIdOf(String(agent)), id: String(sub) },
    generation: String(gen),
    origins: Array.isArray(origins) ? origins.map(String) : [],
  };
}

async function keyFrom(secret: string): Promise<CryptoKey> {
  const known = derived.get(secret);
  if (known) return known;

  const key = await deriveEncryptionKey(secret, "client tokens");
  derived.set(secret, key);
  return key;
}
