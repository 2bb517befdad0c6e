import { type AccountEmail, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import { type Claims, SealedTokens } from "./sealed-tokens.ts";
import type { SigningKey } from "./tokens.ts";

/** The content of a client token: an end user of an account's agent, and the origins of the pages that may use it. */
export interface ClientGrant {
  readonly accountEmail: AccountEmail;
  readonly endUser: EndUserRef;
  readonly generation: string;
  readonly origins: readonly string[];
}

interface ClientTokensDeps {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly now: () => number;
}

/** Issues and reads the tokens of end users. */
export class ClientTokens {
  readonly #tokens: SealedTokens;

  constructor({ keys, now }: ClientTokensDeps) {
    this.#tokens = new SealedTokens({ keys, now, type: "client+jwt", purpose: "client tokens" });
  }

  /** Returns a new token. `expiresAt` is in seconds since the epoch. */
  issue({ accountEmail, endUser, generation, origins }: ClientGrant, expiresAt: number): Promise<string> {
    const claims = { account: accountEmail, agent: endUser.agentId, gen: generation, origins: [...origins] };
    return this.#tokens.seal(endUser.id, claims, expiresAt);
  }

  /** Returns the content of a token and whether it has expired. Throws `unauthenticated` if this service did not issue it. */
  async read(token: string): Promise<{ readonly grant: ClientGrant; readonly hasExpired: boolean }> {
    const { claims, hasExpired } = await this.#tokens.open(token);
    return { grant: grantFrom(claims), hasExpired };
  }
}

function grantFrom({ sub, account, agent, gen, origins }: Claims): ClientGrant {
  return {
    accountEmail: accountEmailOf(String(account)),
    endUser: { agentId: agentIdOf(String(agent)), id: String(sub) },
    generation: String(gen),
    origins: Array.isArray(origins) ? origins.map(String) : [],
  };
}
