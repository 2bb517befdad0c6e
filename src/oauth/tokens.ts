import { EncryptJWT, errors, jwtDecrypt } from "jose";
import type { SigningKey } from "../auth/tokens.ts";
import { deriveEncryptionKey } from "../shared/crypto.ts";
import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { isPlausibleId } from "../shared/ids.ts";

/** What a client of OAuth holds: a code that it redeems once, an access token, or a refresh token. */
export type TokenKind = "code" | "access" | "refresh";

/** The content of a token. */
export interface ConnectionToken {
  readonly accountEmail: AccountEmail;
  readonly connectionId: string;
  /** The generation of the connection that the token belongs to; 0 for a code. */
  readonly generation: number;
  /** What a code is bound to: the hash of client, redirect address and challenge. Empty for other tokens. */
  readonly binding: string;
}

interface ConnectionTokensDeps {
  /** The first key encrypts; all of them decrypt. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Tells these tokens from API keys and from the service's other tokens, also for scanners of secrets. */
const PREFIX = "dabo_";
const ISSUER = "dynamic-agent-builder";
const AUDIENCE = "dynamic-agent-builder-mcp";
const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const CLOCK_TOLERANCE_SECONDS = 5;
/** Longer text is refused unread; this service's own tokens are far shorter. */
const MAX_CHARS = 2_048;

/** Derived once per isolate and secret. */
const derived = new Map<string, CryptoKey>();

/** Returns whether a bearer token has the prefix of these tokens. */
export const looksLikeConnectionToken = (bearer: string): boolean => bearer.startsWith(PREFIX);

/**
 * Issues and reads the codes and tokens of MCP clients. Privacy: they are encrypted (JWE, `dir` with A256GCM), because they name the
 * account, and a code is part of an address. Each kind has a type of its own, so that none passes as another.
 */
export class ConnectionTokens {
  readonly #keys: ConnectionTokensDeps["keys"];
  readonly #now: () => number;

  constructor({ keys, now }: ConnectionTokensDeps) {
    this.#keys = keys;
    this.#now = now;
  }

  /** Returns a new token. `expiresAt` is in seconds since the epoch. */
  async issue(kind: TokenKind, token: ConnectionToken, expiresAt: number): Promise<string> {
    const [key] = this.#keys;
    const jwe = await new EncryptJWT({
      con: token.connectionId,
      gen: token.generation,
      ...(token.binding !== "" && { bind: token.binding }),
    })
      .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, typ: typeOf(kind), kid: key.id })
      .setSubject(token.accountEmail)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(Math.floor(this.#now() / 1000))
      .setExpirationTime(expiresAt)
      .encrypt(await keyFrom(key.secret));
    return PREFIX + jwe;
  }

  /** Returns the content of a token, or `undefined` if this service did not issue it as this kind, or it has expired. */
  async read(kind: TokenKind, text: string): Promise<ConnectionToken | undefined> {
    if (!looksLikeConnectionToken(text) || text.length > MAX_CHARS) return undefined;
    try {
      const { payload } = await jwtDecrypt(text.slice(PREFIX.length), async ({ kid }) => this.#keyOf(kid), {
        keyManagementAlgorithms: [ALGORITHM],
        contentEncryptionAlgorithms: [ENCRYPTION],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: typeOf(kind),
        requiredClaims: ["sub", "exp", "iat"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#now()),
      });
      return tokenFrom(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async #keyOf(kid: string | undefined): Promise<CryptoKey> {
    const key = this.#keys.find(({ id }) => id === kid);
    if (!key) throw new errors.JWEInvalid("The token names an unknown key.");
    return keyFrom(key.secret);
  }
}

const typeOf = (kind: TokenKind): string => `mcp-${kind}+jwt`;

/** The payload needs no further validation: decryption proves that `issue` wrote it. */
function tokenFrom({ sub, con, gen, bind }: Readonly<Record<string, unknown>>): ConnectionToken | undefined {
  const connectionId = String(con);
  if (!isPlausibleId(connectionId)) return undefined;
  return {
    accountEmail: accountEmailOf(String(sub)),
    connectionId,
    generation: Number(gen),
    binding: typeof bind === "string" ? bind : "",
  };
}

async function keyFrom(secret: string): Promise<CryptoKey> {
  const known = derived.get(secret);
  if (known) return known;

  const key = await deriveEncryptionKey(secret, "tokens of MCP clients");
  derived.set(secret, key);
  return key;
}
