import { looksLikeKey } from "../api-keys/model.ts";
import type { ApiKeyService } from "../api-keys/service.ts";
import { type EndUserStatuses, requireActiveScope } from "../access/end-user-status.ts";
import type { UserRepository } from "../users/repository.ts";
import type { AccessScope } from "../access/access-scope.ts";
import type { Identified } from "../access/caller.ts";
import { type ClientTokens, looksLikeClientToken } from "./client-tokens.ts";
import type { AccessTokens } from "./tokens.ts";

/** Recognises MCP clients that people have connected. */
interface McpClients {
  recognizes(bearer: string): boolean;
  /** Throws `unauthenticated` if the token is not valid. */
  identify(bearer: string): Promise<Identified>;
}

interface CallerServiceDeps {
  readonly tokens: AccessTokens;
  readonly clientTokens: ClientTokens;
  readonly apiKeys: ApiKeyService;
  readonly mcpClients: McpClients;
  readonly users: Pick<UserRepository, "find" | "findBeside">;
  readonly endUsers: EndUserStatuses & { findBeside: EndUserStatuses["find"] };
}

/** Identifies callers by their credentials and checks that their accounts are active. */
export class CallerService {
  readonly #tokens: AccessTokens;
  readonly #clientTokens: ClientTokens;
  readonly #apiKeys: ApiKeyService;
  readonly #mcpClients: McpClients;
  readonly #users: Pick<UserRepository, "find" | "findBeside">;
  readonly #endUsers: EndUserStatuses & { findBeside: EndUserStatuses["find"] };

  constructor({ tokens, clientTokens, apiKeys, mcpClients, users, endUsers }: CallerServiceDeps) {
    this.#tokens = tokens;
    this.#clientTokens = clientTokens;
    this.#apiKeys = apiKeys;
    this.#mcpClients = mcpClients;
    this.#users = users;
    this.#endUsers = endUsers;
  }

  /** Returns the caller that an API key, the token of an MCP client, a client token or an access token identifies. Throws `unauthenticated` if it is not valid. */
  async identify(bearer: string): Promise<Identified> {
    if (looksLikeKey(bearer)) return this.#apiKeys.identify(bearer);

    if (this.#mcpClients.recognizes(bearer)) return this.#mcpClients.identify(bearer);

    if (looksLikeClientToken(bearer)) {
      const { grant, hasExpired } = await this.#clientTokens.read(bearer);
      const { accountEmail, endUser, generation, origins } = grant;
      const scope = { accountEmail, endUser, generation, agentIds: [endUser.agentId] };
      return { caller: { kind: "end-user", id: endUser.id, scope, scopes: [], origins }, hasExpired };
    }

    const { accountEmail, issuedAt = null } = await this.#tokens.verify(bearer);
    const scope = { accountEmail, issuedAt };
    return { caller: { kind: "user", id: accountEmail, scope, scopes: [], origins: [] }, hasExpired: false };
  }

  /** Throws `unauthenticated` if the account or the end user is gone and `forbidden` if the account is deactivated. */
  requireActiveScope(scope: AccessScope): Promise<void> {
    return requireActiveScope(scope, this.#users, this.#endUsers);
  }

  /** Like `requireActiveScope`, but what it reads shares the request of the handler's first read. */
  requireActiveScopeBeside(scope: AccessScope): Promise<void> {
    return requireActiveScope(
      scope,
      { find: (accountEmail) => this.#users.findBeside(accountEmail) },
      { find: (ref) => this.#endUsers.findBeside(ref) },
    );
  }
}
