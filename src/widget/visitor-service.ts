import type { AccessScope, EndUserRef } from "../access/access-scope.ts";
import type { KeyGrant, VisitorProfile } from "../access/publishable-key.ts";
import type { VisitorGrant } from "../auth/visitor-tokens.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { ANONYMOUS, ANONYMOUS_SECONDS, newVisitorId, SIGNED_IN_SECONDS, type VisitorToken } from "./model.ts";

/** The end users of agents. */
interface VisitorEndUsers {
  /** Returns the scope of an end user, and creates the end user if necessary. Throws `not-found` if the agent does not exist. */
  open(accountEmail: AccountEmail, ref: EndUserRef, member: string): Promise<AccessScope>;
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

  /** Creates a visitor who has not signed in. Throws `not-found` if the key's agent does not exist. */
  async create(grant: KeyGrant): Promise<VisitorToken> {
    return this.#enter(grant, newVisitorId(), ANONYMOUS, ANONYMOUS_SECONDS);
  }

  /** Returns a token for a visitor who has signed in, whose id is `visitorId`. Throws `not-found` like `create`. */
  signIn(grant: KeyGrant, visitorId: string, profile: VisitorProfile): Promise<VisitorToken> {
    return this.#enter(grant, visitorId, profile, SIGNED_IN_SECONDS);
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

  async #enter(
    { accountEmail, agentId }: KeyGrant,
    id: string,
    profile: VisitorProfile,
    seconds: number,
  ): Promise<VisitorToken> {
    const scope = await this.#endUsers.open(accountEmail, { agentId, id }, "visitor_id");
    return this.#issue(scope, profile, seconds);
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
