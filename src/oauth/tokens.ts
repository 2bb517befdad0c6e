import { SealedTokens } from "../auth/sealed-tokens.ts";
import type { SigningKey } from "../auth/tokens.ts";
import { AppError } from "../shared/errors.ts";
import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";

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
const AUDIENCE = "dynamic-agent-builder-mcp";
const PURPOSE = "tokens of MCP clients";
/** Longer text is refused unread; this service's own tokens are far shorter. */
const MAX_CHARS = 2_048;

/** Returns whether a bearer token has the prefix of these tokens. */
export const looksLikeConnectionToken = (bearer: string): boolean => bearer.startsWith(PREFIX);

/**
 * Issues and reads the codes and tokens of MCP clients. Privacy: they are encrypted, because they name the account, and a code is part of an
 * address. Each kind has a type of its own, so that none passes as another.
 */
export class ConnectionTokens {
  readonly #deps: ConnectionTokensDeps;

  constructor(deps: ConnectionTokensDeps) {
    this.#deps = deps;
  }

  /** Returns a new token. `expiresAt` is in seconds since the epoch. */
  async issue(
    kind: TokenKind,
    { accountEmail, connectionId, generation, binding }: ConnectionToken,
    expiresAt: number,
  ): Promise<string> {
    const claims = { con: connectionId, gen: generation, bind: binding };
    return PREFIX + (await this.#sealed(kind).seal(accountEmail, claims, expiresAt));
  }

  /** Returns the content of a token, or `undefined` if this service did not issue it as this kind, or it has expired. */
  async read(kind: TokenKind, text: string): Promise<ConnectionToken | undefined> {
    if (!looksLikeConnectionToken(text) || text.length > MAX_CHARS) return undefined;
    const opened = await this.#sealed(kind)
      .open(text.slice(PREFIX.length))
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
      });
    if (!opened || opened.hasExpired) return undefined;
    // They need no validation: decryption proves that `issue` wrote them. Other tokens than codes once had no `bind`.
    const { sub, con, gen, bind = "" } = opened.claims;
    return {
      accountEmail: accountEmailOf(String(sub)),
      connectionId: String(con),
      generation: Number(gen),
      binding: String(bind),
    };
  }

  #sealed(kind: TokenKind): SealedTokens {
    return new SealedTokens({
      ...this.#deps,
      type: `mcp-${kind}+jwt`,
      purpose: PURPOSE,
      audience: AUDIENCE,
    });
  }
}
