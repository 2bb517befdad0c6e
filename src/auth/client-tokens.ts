import { EncryptJWT, errors, jwtDecrypt } from "jose";
import { deriveEncryptionKey } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import type { EndUserRef } from "../users/space.ts";
import type { SigningKey } from "./tokens.ts";

/** What a client token says: an end user of an account's agent, and the pages that may use it. */
export interface ClientGrant {
  readonly owner: string;
  readonly endUser: EndUserRef;
  readonly generation: string;
  readonly origins: readonly string[];
}

interface ClientTokenOptions {
  /** The first encrypts; all decrypt. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const ISSUER = "dynamic-agent-builder";
const AUDIENCE = "dynamic-agent-builder-api";
/** Of its own kind, and under a key of its own: it can't pass for an access token, nor one for it. */
const TYPE = "client+jwt";
const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const CLOCK_TOLERANCE_SECONDS = 5;

/** Derived once per isolate and secret. */
const derived = new Map<string, CryptoKey>();

/** Whether a token is a client token by its looks: an encrypted JWT has five parts, a signed one three. */
export const looksLikeClientToken = (token: string): boolean => token.split(".").length === 5;

/**
 * Issues and reads the tokens of end users. They are encrypted (JWE, `dir` with A256GCM), because they go to browsers
 * of people who should not learn whose account they talk to.
 */
export class ClientTokens {
  readonly #keys: ClientTokenOptions["keys"];
  readonly #now: () => number;

  constructor({ keys, now }: ClientTokenOptions) {
    this.#keys = keys;
    this.#now = now;
  }

  /** `expiresAt` is in seconds since the epoch. */
  async issue({ owner, endUser, generation, origins }: ClientGrant, expiresAt: number): Promise<string> {
    const [key] = this.#keys;

    return new EncryptJWT({ account: owner, agent: endUser.agentId, gen: generation, origins: [...origins] })
      .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, typ: TYPE, kid: key.id })
      .setSubject(endUser.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setJti(crypto.randomUUID())
      .setIssuedAt(Math.floor(this.#now() / 1000))
      .setExpirationTime(expiresAt)
      .encrypt(await keyFrom(key.secret));
  }

  /** What a token grants, and whether it has expired. Throws a 401 for one that was not issued here. */
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
      // Only what was decrypted is looked at so closely that it can be found expired.
      if (cause instanceof errors.JWTExpired) return { grant: grantFrom(cause.payload), hasExpired: true };
      throw new AppError("unauthenticated", "Invalid token", { cause });
    }
  }

  async #keyOf(kid: string | undefined): Promise<CryptoKey> {
    const key = this.#keys.find(({ id }) => id === kid);
    if (!key) throw new errors.JWEInvalid("The token names no key that is known here.");
    return keyFrom(key.secret);
  }
}

/** Only `issue` can have written it: nobody else has the key. */
function grantFrom(payload: Readonly<Record<string, unknown>>): ClientGrant {
  const { sub, account, agent, gen, origins } = payload;
  return {
    owner: String(account),
    endUser: { agentId: String(agent), id: String(sub) },
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
