import { looksLikeKey } from "../api-keys/model.ts";
import type { ApiKeyService } from "../api-keys/service.ts";
import type { EndUserRepository } from "../end-users/repository.ts";
import { requireStanding } from "../end-users/standing.ts";
import type { UserRepository } from "../users/repository.ts";
import type { Space } from "../users/space.ts";
import type { Caller } from "./caller.ts";
import { type ClientTokens, looksLikeClientToken } from "./client-tokens.ts";
import type { AccessTokens } from "./tokens.ts";

interface Collaborators {
  readonly tokens: AccessTokens;
  readonly clientTokens: ClientTokens;
  readonly apiKeys: ApiKeyService;
  readonly users: UserRepository;
  readonly endUsers: EndUserRepository;
}

/** Who calls, by what a request has shown. */
export interface Identified {
  readonly caller: Caller;
  /** An end user's token that has expired still tells which pages may know. */
  readonly hasExpired: boolean;
  /** What is to be noted of the call, when nobody waits for it. */
  readonly note?: () => Promise<void>;
}

/** Tells who calls, and whether they are still welcome. */
export class Callers {
  readonly #with: Collaborators;

  constructor(collaborators: Collaborators) {
    this.#with = collaborators;
  }

  /** Throws a 401 for what is no key, no token, or none that is valid. */
  async identify(bearer: string): Promise<Identified> {
    const { tokens, clientTokens, apiKeys } = this.#with;
    if (looksLikeKey(bearer)) return apiKeys.identify(bearer);

    if (looksLikeClientToken(bearer)) {
      const { grant, hasExpired } = await clientTokens.read(bearer);
      const { owner, endUser, generation, origins } = grant;
      const space = { owner, endUser, generation, agentIds: [endUser.agentId] };
      return { caller: { kind: "end-user", id: endUser.id, space, scopes: [], origins }, hasExpired };
    }

    const { email, issuedAt = null } = await tokens.verify(bearer);
    const space = { owner: email, issuedAt };
    return { caller: { kind: "user", id: email, space, scopes: [], origins: [] }, hasExpired: false };
  }

  /** Refuses accounts, and end users, that are gone, however long their tokens still run. */
  requireStanding(space: Space): Promise<void> {
    return requireStanding(space, this.#with.users, this.#with.endUsers);
  }
}
