import type { AccessScope, EndUserRef } from "../access/access-scope.ts";
import type { KeyGrant, VisitorProfile } from "../access/publishable-key.ts";
import type { VisitorGrant } from "../auth/visitor-tokens.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { ANONYMOUS_SECONDS } from "../end-users/model.ts";
import { ANONYMOUS, newVisitorId, SIGNED_IN_SECONDS, type VisitorToken } from "./model.ts";

/** The end users of agents. */
interface VisitorEndUsers {
  /** Returns the scope of an end user, and creates the end user if necessary. Throws `not-found` if the agent does not exist. */
  open(accountEmail: AccountEmail, ref: EndUserRef, member: string): Promise<AccessScope>;
  /** Returns the scope of a new end user, and stores nothing. Throws `not-found` if the agent does not exist. */
  announce(accountEmail: AccountEmail, ref: EndUserRef): Promise<AccessScope>;
}

/** Issues the tokens of visitors; `expiresAt` is in seconds since the epoch. */
interface Tokens {
  issue(grant: VisitorGrant, expiresAt: number): Promise<string>;
}

interface VisitorServiceDeps {
  readonly endUsers: VisitorEndUsers;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** Issues the tokens of visitors of web pages. Each visitor is an end user of the agent. */
export class VisitorService {
  readonly #endUsers: VisitorEndUsers;
  readonly #tokens: Tokens;
  readonly #clock: Clock;

  constructor({ endUsers, tokens, clock }: VisitorServiceDeps) {
    this.#endUsers = endUsers;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /**
   * Returns a token for a new visitor who has not signed in. Stores nothing: the visitor is stored with the first conversation. Throws
   * `not-found` if the key's agent does not exist.
   */
  async create({ accountEmail, agentId }: KeyGrant): Promise<VisitorToken> {
    const scope = await this.#endUsers.announce(accountEmail, { agentId, id: newVisitorId() });
    return this.#issue(scope, ANONYMOUS, ANONYMOUS_SECONDS);
  }

  /** Returns a token for a visitor who has signed in, whose id is `id`. Throws `not-found` like `create`. */
  async signIn(
    { accountEmail, agentId }: KeyGrant,
    id: string,
    profile: VisitorProfile,
  ): Promise<VisitorToken> {
    const scope = await this.#endUsers.open(accountEmail, { agentId, id }, "visitor_id");
    return this.#issue(scope, profile, SIGNED_IN_SECONDS);
  }

  /**
   * Returns a new token for a visitor who has shown a valid one. Throws `forbidden` if others vouch for the visitor: their tokens are
   * renewed by those.
   */
  renew(scope: AccessScope, profile: VisitorProfile): Promise<VisitorToken> {
    if (!profile.isAnonymous)
      throw new AppError("forbidden", "Only tokens of visitors who have not signed in can be renewed.");
    return this.#issue(scope, profile, ANONYMOUS_SECONDS);
  }

  async #issue(
    { accountEmail, endUser, generation }: AccessScope,
    profile: VisitorProfile,
    expiresInSeconds: number,
  ): Promise<VisitorToken> {
    if (!endUser) throw new Error("A visitor is an end user.");
    const grant = { accountEmail, endUser, generation: generation ?? "", profile };
    const expiresAt = Math.floor(this.#clock.now() / 1000) + expiresInSeconds;
    const token = await this.#tokens.issue(grant, expiresAt);
    return { token, expiresInSeconds, visitorId: endUser.id, profile };
  }
}
