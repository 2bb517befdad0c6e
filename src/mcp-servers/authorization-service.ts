import { generateRandomCodeVerifier, generateRandomState } from "oauth4webapi";
import type { ToolPlace } from "../http-tools/secrets.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { changeServers, requireServer, withServer } from "./changes.ts";
import { McpConnection, withinTime } from "./connection.ts";
import { McpFailure } from "./failure.ts";
import type { McpServer } from "./model.ts";
import { GrantRefused, type IssuedTokens, type McpOAuthClient } from "./oauth-client.ts";
import type { McpServerRepository } from "./repository.ts";
import type { AuthorizationState, McpServerSecrets } from "./secrets.ts";
import type { McpServerService } from "./service.ts";

/** In milliseconds. How long a server may take to say that it wants a token. */
const PROBE_MS = 10_000;
/** In milliseconds. How long the owner may take to authorize this service. */
const PENDING_MS = 10 * 60_000;

interface McpAuthorizationServiceDeps {
  readonly servers: McpServerRepository;
  readonly secrets: McpServerSecrets;
  readonly oauthClient: McpOAuthClient;
  readonly lists: Pick<McpServerService, "refresh">;
  /** Guards against addresses that are not public, and follows no redirect. */
  readonly fetch: typeof fetch;
  /** Where authorization servers send browsers back to; `undefined` if the deployment does not know its own address. */
  readonly redirectUri: string | undefined;
  readonly clock: Clock;
}

/** Where the owner agrees, and until when. */
export interface BegunAuthorization {
  readonly url: string;
  /** In milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Lets the owner of an agent authorize this service at an MCP server, in a browser. Threat: somebody begins an authorization and has another
 * person complete it, whose data the agent could then read. So the page to which the browser returns names the agent's account, and asks.
 */
export class McpAuthorizationService {
  readonly #deps: McpAuthorizationServiceDeps;

  constructor(deps: McpAuthorizationServiceDeps) {
    this.#deps = deps;
  }

  /**
   * Begins an authorization: finds the server's authorization server and registers this service with it. Throws `not-found` if there is no such agent
   * or server, `conflict` if the server does not use OAuth or can't be authorized, and `not-configured` if this deployment does not
   * know its own address.
   */
  async begin(place: ToolPlace, serverId: string): Promise<BegunAuthorization> {
    const { servers, secrets, clock, oauthClient, redirectUri } = this.#deps;
    const server = requireServer(await servers.state(place), serverId);
    if (server.auth !== "oauth")
      throw new AppError("conflict", "This server is not used with OAuth. Set auth to oauth first.");
    if (redirectUri === undefined)
      throw new AppError("not-configured", "This deployment does not state its address (PUBLIC_URL).");

    const challenge = await this.#challengeOf(server);
    // A token for more must not lose what the former one was for.
    const moreScopes = server.wantedScope === null ? [] : [server.grant?.scope ?? "", server.wantedScope];
    const { grant, clientSecret } = await oauthClient.register(
      server.url,
      challenge,
      redirectUri,
      moreScopes,
    );
    const pending = { id: generateRandomState(), expiresAt: clock.now() + PENDING_MS, grant };
    const verifier = generateRandomCodeVerifier();
    await changeServers(servers, place, (state) => {
      const current = requireServer(state, serverId);
      requireUnchanged(current, server);
      return { result: null, servers: withServer(state, { ...current, pending }) };
    });
    const state = await secrets.sealState({ ...place, serverId, id: pending.id, verifier, clientSecret });
    const url = await oauthClient.consentUrl(grant, { state, verifier, redirectUri });
    return { url, expiresAt: pending.expiresAt };
  }

  /** Returns the server of a pending authorization, with its place, or `undefined` if the state is not valid any longer. */
  async pending(
    sealed: string,
  ): Promise<{ readonly begun: AuthorizationState; readonly server: McpServer } | undefined> {
    const begun = await this.#deps.secrets.openState(sealed);
    if (!begun) return undefined;
    const state = await this.#deps.servers.state(begun);
    const server = state.servers.find(({ id }) => id === begun.serverId);
    return server && this.#isPending(server, begun) ? { begun, server } : undefined;
  }

  /**
   * Completes an authorization with the answer of the authorization server, and lists the tools. A state is good for one attempt. Throws `gone` if
   * it is not valid any longer, and `conflict` if the authorization server has refused.
   */
  async complete(state: string, answer: URLSearchParams): Promise<McpServer> {
    const { servers, secrets, lists, redirectUri = "" } = this.#deps;
    const begun = await secrets.openState(state);
    if (!begun) throw goneAuthorization();
    const { serverId, verifier, clientSecret } = begun;
    const { server, grant } = await changeServers(servers, begun, (current) => {
      const found = current.servers.find(({ id }) => id === serverId);
      if (!found?.pending || !this.#isPending(found, begun)) throw goneAuthorization();
      return {
        result: { server: found, grant: found.pending.grant },
        servers: withServer(current, { ...found, pending: null }),
      };
    });
    const issued = await this.#redeem(grant, answer, { state, verifier, redirectUri, clientSecret });
    const { accessToken, refreshToken, expiresAt } = issued;
    const sealedSecrets = await secrets.seal(begun, serverId, {
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(clientSecret !== undefined && { clientSecret }),
    });
    await changeServers(servers, begun, (current) => {
      const found = requireServer(current, serverId);
      requireUnchanged(found, server);
      const authorized = {
        ...found,
        grant: { ...grant, expiresAt },
        wantedScope: null,
        sealedSecrets,
        renewingUntil: 0,
      };
      return { result: null, servers: withServer(current, authorized) };
    });
    return lists.refresh(begun, serverId);
  }

  async #redeem(...redemption: Parameters<McpOAuthClient["redeem"]>): Promise<IssuedTokens> {
    try {
      return await this.#deps.oauthClient.redeem(...redemption);
    } catch (error) {
      if (!(error instanceof GrantRefused)) throw error;
      throw new AppError("conflict", "The authorization server did not accept the code. Begin again.");
    }
  }

  #isPending({ pending }: McpServer, { id }: AuthorizationState): boolean {
    return pending?.id === id && pending.expiresAt > this.#deps.clock.now();
  }

  /** Returns the `WWW-Authenticate` header with which a server refuses a request without a token; empty if it refuses none. */
  async #challengeOf({ url }: McpServer): Promise<string> {
    const { fetch } = this.#deps;
    const connection = new McpConnection({ fetch, url, protocol: "stateless", token: undefined });
    try {
      await withinTime(PROBE_MS, (signal) => connection.negotiate(signal));
      // Some ask for a token in the next request only.
      await withinTime(PROBE_MS, (signal) => connection.request("tools/list", {}, signal));
    } catch (error) {
      if (!(error instanceof McpFailure)) throw error;
      if (error.wantsAuthorization) return error.challenge;
      throw new AppError("conflict", error.message, { retryable: true });
    }
    return "";
  }
}

const goneAuthorization = (): AppError =>
  new AppError("gone", "This authorization has expired or was completed before. Begin again.");

/** Security: tokens are for one server at one address. */
function requireUnchanged(current: McpServer, { url }: McpServer): void {
  if (current.url !== url || current.auth !== "oauth")
    throw new AppError("conflict", "The server was changed meanwhile. Begin again.", { retryable: true });
}
