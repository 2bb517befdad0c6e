import type { EndUserRef } from "../access/access-scope.ts";
import type { VisitorProfile } from "../access/publishable-key.ts";
import { type AccountEmail, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { type Claims, SealedTokens } from "./sealed-tokens.ts";
import type { SigningKey } from "./tokens.ts";

/** The content of a visitor's token: an end user of an account's agent, and what is known about the person. */
export interface VisitorGrant {
  readonly accountEmail: AccountEmail;
  readonly endUser: EndUserRef;
  readonly generation: string;
  readonly profile: VisitorProfile;
}

interface VisitorTokensDeps {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly now: () => number;
}

/** The type in the header of a visitor's token. */
export const VISITOR_TOKEN_TYPE = "visitor+jwt";

/** Issues and reads the tokens of visitors. They are valid beside a publishable key of the agent only, on the routes of the widget. */
export class VisitorTokens {
  readonly #tokens: SealedTokens;

  constructor({ keys, now }: VisitorTokensDeps) {
    this.#tokens = new SealedTokens({ keys, now, type: VISITOR_TOKEN_TYPE, purpose: "visitor tokens" });
  }

  /** Returns a new token. `expiresAt` is in seconds since the epoch. */
  issue({ accountEmail, endUser, generation, profile }: VisitorGrant, expiresAt: number): Promise<string> {
    const { name, email, picture, isAnonymous } = profile;
    const claims = {
      account: accountEmail,
      agent: endUser.agentId,
      gen: generation,
      name,
      email,
      picture,
      anonymous: isAnonymous,
    };
    return this.#tokens.seal(endUser.id, claims, expiresAt);
  }

  /** Returns the content of a token and whether it has expired. Throws `unauthenticated` if this service did not issue it. */
  async read(token: string): Promise<{ readonly grant: VisitorGrant; readonly hasExpired: boolean }> {
    const { claims, hasExpired } = await this.#tokens.open(token);
    return { grant: grantFrom(claims), hasExpired };
  }
}

const grantFrom = (claims: Claims): VisitorGrant => ({
  accountEmail: accountEmailOf(String(claims["account"])),
  endUser: { agentId: agentIdOf(String(claims["agent"])), id: String(claims["sub"]) },
  generation: String(claims["gen"]),
  profile: {
    name: textOrNull(claims["name"]),
    email: textOrNull(claims["email"]),
    picture: textOrNull(claims["picture"]),
    isAnonymous: claims["anonymous"] === true,
  },
});

const textOrNull = (claim: unknown): string | null => (typeof claim === "string" ? claim : null);
