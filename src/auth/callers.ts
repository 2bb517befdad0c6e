import { decodeProtectedHeader } from "jose";
import { looksLikeKey } from "../api-keys/model.ts";
import type { ApiKeyService } from "../api-keys/service.ts";
import { type EndUserStatuses, requireActiveScope } from "../access/end-user-status.ts";
import type { UserRepository } from "../users/repository.ts";
import type { AccessScope } from "../access/access-scope.ts";
import type { Identified } from "../access/caller.ts";
import type { KeyGrant, VisitorProfile } from "../access/publishable-key.ts";
import { AppError } from "../shared/errors.ts";
import type { ClientTokens } from "./client-tokens.ts";
import { looksSealed } from "./sealed-tokens.ts";
import { ACCESS_TOKEN_TYPE, type AccessTokens } from "./tokens.ts";
import { VISITOR_TOKEN_TYPE, type VisitorTokens } from "./visitor-tokens.ts";

/** Recognises MCP clients that people have connected. */
interface McpClients {
  recognizes(bearer: string): boolean;
  /** Throws `unauthenticated` if the token is not valid. */
  identify(bearer: string): Promise<Identified>;
}

interface CallerServiceDeps {
  readonly tokens: AccessTokens;
  readonly clientTokens: ClientTokens;
  readonly visitorTokens: VisitorTokens;
  readonly apiKeys: ApiKeyService;
  readonly mcpClients: McpClients;
  readonly users: Pick<UserRepository, "find" | "findBeside">;
  readonly endUsers: EndUserStatuses & { findBeside: EndUserStatuses["find"] };
}

/** A visitor whom a token identifies, and what the token says about the person. */
interface IdentifiedVisitor {
  readonly caller: Identified["caller"];
  readonly visitor: VisitorProfile;
}

/** An end user whom the agent's owner knows. The service knows no more than the id. */
const VOUCHED_FOR: VisitorProfile = { name: null, email: null, picture: null, isAnonymous: false };

/** Identifies callers by their credentials and checks that their accounts are active. */
export class CallerService {
  readonly #tokens: AccessTokens;
  readonly #clientTokens: ClientTokens;
  readonly #visitorTokens: VisitorTokens;
  readonly #apiKeys: ApiKeyService;
  readonly #mcpClients: McpClients;
  readonly #users: Pick<UserRepository, "find" | "findBeside">;
  readonly #endUsers: EndUserStatuses & { findBeside: EndUserStatuses["find"] };

  constructor({
    tokens,
    clientTokens,
    visitorTokens,
    apiKeys,
    mcpClients,
    users,
    endUsers,
  }: CallerServiceDeps) {
    this.#tokens = tokens;
    this.#clientTokens = clientTokens;
    this.#visitorTokens = visitorTokens;
    this.#apiKeys = apiKeys;
    this.#mcpClients = mcpClients;
    this.#users = users;
    this.#endUsers = endUsers;
  }

  /** Returns the caller that an API key, the token of an MCP client, a client token or an access token identifies. Throws `unauthenticated` if it is not valid. */
  async identify(bearer: string): Promise<Identified> {
    if (looksLikeKey(bearer)) return this.#apiKeys.identify(bearer);

    if (this.#mcpClients.recognizes(bearer)) return this.#mcpClients.identify(bearer);
    if (looksSealed(bearer)) return this.#endUserOf(bearer);

    const { accountEmail, issuedAt = null } = await this.#tokens.verify(bearer);
    const scope = { accountEmail, issuedAt };
    return { caller: { kind: "user", id: accountEmail, scope, scopes: [], origins: [] }, hasExpired: false };
  }

  /**
   * Returns the visitor whom a token identifies beside a publishable key: one of this service's own visitors, or an end user whom the
   * agent's owner has given a client token. Throws `unauthenticated` for every other token, also for one of another agent.
   */
  async identifyVisitor(bearer: string, { accountEmail, agentId }: KeyGrant): Promise<IdentifiedVisitor> {
    const type = typeOf(bearer);
    if (type === ACCESS_TOKEN_TYPE || looksLikeKey(bearer))
      throw new AppError("unauthenticated", "Invalid token type");

    const { caller, hasExpired, visitor } =
      type === VISITOR_TOKEN_TYPE
        ? await this.#visitorOf(bearer)
        : { ...(await this.#endUserOf(bearer)), visitor: VOUCHED_FOR };
    const { scope } = caller;
    if (scope.accountEmail !== accountEmail || scope.endUser?.agentId !== agentId)
      throw new AppError("unauthenticated", "Invalid token");
    if (hasExpired) throw new AppError("unauthenticated", "Token has expired");
    return { caller, visitor };
  }

  async #endUserOf(clientToken: string): Promise<Identified> {
    const { grant, hasExpired } = await this.#clientTokens.read(clientToken);
    const { accountEmail, endUser, generation, origins } = grant;
    const scope = { accountEmail, endUser, generation, agentIds: [endUser.agentId] };
    return { caller: { kind: "end-user", id: endUser.id, scope, scopes: [], origins }, hasExpired };
  }

  async #visitorOf(visitorToken: string): Promise<Identified & IdentifiedVisitor> {
    const { grant, hasExpired } = await this.#visitorTokens.read(visitorToken);
    const { accountEmail, endUser, generation, profile } = grant;
    const scope = {
      accountEmail,
      endUser,
      generation,
      isStoredLater: profile.isAnonymous,
      agentIds: [endUser.agentId],
    };
    const caller = { kind: "visitor", id: endUser.id, scope, scopes: [], origins: [] } as const;
    return { caller, hasExpired, visitor: profile };
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
      {
        find: (ref) => this.#endUsers.findBeside(ref),
        wasDeleted: (ref) => this.#endUsers.wasDeleted(ref),
      },
    );
  }
}

/** Returns the type that a token names in its header; `undefined` if it has none. Nothing has been verified yet. */
function typeOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).typ;
  } catch {
    return undefined;
  }
}
