import * as oauth from "oauth4webapi";
import { CLIENT_AUTH_METHODS, clientAuthFor } from "../auth/client-authentication.ts";
import { utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { type Json, objectFrom, textAt } from "../shared/json.ts";
import { limitedFetch } from "../shared/limited-fetch.ts";
import { type OutboundPolicy, outOfBounds } from "../shared/outbound.ts";
import { parameterIn } from "./challenge.ts";
import type { Grant } from "./model.ts";

/** In milliseconds, for one request. */
const REQUEST_MS = 5_000;
const MAX_ANSWER_BYTES = 256 * 1024;
/** The longest registration that is stored, in bytes of JSON. It is a part of the agent's item, twice during an authorization. */
const MAX_REGISTRATION_BYTES = 4_096;
/** The longest token. Servers refuse longer headers. */
const MAX_TOKEN_CHARS = 4_000;

/** The metadata that is stored with a grant. The rest may be long and is not needed. */
const KEPT_METADATA = [
  "issuer",
  "authorization_endpoint",
  "token_endpoint",
  "revocation_endpoint",
  "authorization_response_iss_parameter_supported",
] as const;

/** Errors of OAuth after which only another authorization helps. */
const REFUSALS = new Set(["invalid_grant", "invalid_client", "unauthorized_client"]);

/** The tokens that an authorization server has issued. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** `undefined`: the former one stays valid, or there is none. */
  readonly refreshToken: string | undefined;
  /** In milliseconds since the epoch; null if the server does not say. */
  readonly expiresAt: number | null;
}

/** A client that was registered with the authorization server of an MCP server. */
export interface RegisteredClient {
  readonly grant: Grant;
  readonly clientSecret: string | undefined;
}

/** The authorization server has refused a code or a refresh token. The owner has to authorize this service again. */
export class GrantRefused extends Error {
  override readonly name = "GrantRefused";
}

interface McpOAuthClientDeps {
  /** Guards against addresses that are not public, and follows no redirect. */
  readonly fetch: typeof fetch;
  readonly policy: OutboundPolicy;
  readonly now: () => number;
}

/**
 * The OAuth 2.1 client of MCP servers: finds the authorization server (RFC 9728, RFC 8414), registers this service with it (RFC 7591), gets
 * tokens for the one resource (PKCE, RFC 8707), and revokes them (RFC 7009). SSRF: all addresses come from other servers, and each of them is guarded. Threats:
 * a server that names the authorization server of another (its answers must name their issuer, RFC 9207), and one that wants a token
 * for another resource (it must be at the server's own address).
 */
export class McpOAuthClient {
  readonly #fetch: typeof fetch;
  readonly #policy: OutboundPolicy;
  readonly #now: () => number;

  constructor({ fetch, policy, now }: McpOAuthClientDeps) {
    this.#fetch = limitedFetch(fetch, MAX_ANSWER_BYTES);
    this.#policy = policy;
    this.#now = now;
  }

  /**
   * Finds the authorization server of a server and registers this service with it. `challenge` is the `WWW-Authenticate` header with which
   * the server has refused a request; empty if it has not. `moreScopes` are asked for besides those that the server names. Throws `conflict`
   * with what is missing.
   */
  async register(
    serverUrl: string,
    challenge: string,
    redirectUri: string,
    moreScopes: readonly string[] = [],
  ): Promise<RegisteredClient> {
    const { resource, issuer, scopes } = await this.#resource(serverUrl, challenge);
    const server = await this.#authorizationServer(issuer);
    const named = parameterIn(challenge, "scope") ?? scopes.join(" ");
    const scope =
      [...new Set(`${named} ${moreScopes.join(" ")}`.split(" ").filter(Boolean))].join(" ") || null;
    const registered = await this.#attempt(
      "The registration with the authorization server failed.",
      async () => {
        const response = await oauth.dynamicClientRegistrationRequest(
          server,
          {
            client_name: "Dynamic Agent Builder",
            redirect_uris: [redirectUri],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
            application_type: "web",
            ...(scope !== null && { scope }),
          },
          this.#options(),
        );
        return oauth.processDynamicClientRegistrationResponse(await withoutOmissions(response));
      },
    );
    const { client_id: clientId } = registered;
    const clientSecret = typeof registered.client_secret === "string" ? registered.client_secret : undefined;
    const stated = registered["token_endpoint_auth_method"];
    const clientAuth =
      clientSecret === undefined
        ? "none"
        : (CLIENT_AUTH_METHODS.find((method) => method === stated) ?? "client_secret_basic");
    const client = {
      grant: {
        authorizationServer: Object.fromEntries(KEPT_METADATA.map((name) => [name, server[name]])),
        clientId,
        clientAuth,
        resource,
        scope,
        expiresAt: null,
      },
      clientSecret,
    };
    if (utf8(JSON.stringify(client)).byteLength > MAX_REGISTRATION_BYTES)
      throw unsuitable("Its registration or metadata is too long.");
    return client;
  }

  /** Returns the address of the page on which the owner agrees. */
  async consentUrl(
    { authorizationServer, clientId, resource, scope }: Grant,
    { state, verifier, redirectUri }: { state: string; verifier: string; redirectUri: string },
  ): Promise<string> {
    const url = new URL(textAt(authorizationServer, "authorization_endpoint"));
    const parameters = {
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      resource,
      ...(scope !== null && { scope }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /**
   * Redeems the code in the answer of an authorization server. Throws `GrantRefused` if the server refuses it, and `conflict` if the answer does
   * not belong to the state or the server.
   */
  redeem(
    grant: Grant,
    answer: URLSearchParams,
    { state, verifier, redirectUri, clientSecret }: Redemption,
  ): Promise<IssuedTokens> {
    return this.#granted(async () => {
      const { server, client, clientAuth } = partsOf(grant, clientSecret);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        clientAuth,
        oauth.validateAuthResponse(server, client, answer, state),
        redirectUri,
        verifier,
        { ...this.#options(), additionalParameters: { resource: grant.resource } },
      );
      return this.#issued(await oauth.processAuthorizationCodeResponse(server, client, response));
    });
  }

  /** Returns new tokens for a refresh token. Throws `GrantRefused` if the server refuses it, and `conflict` if it does not answer. */
  async renew(grant: Grant, refreshToken: string, clientSecret: string | undefined): Promise<IssuedTokens> {
    const { server, client, clientAuth } = partsOf(grant, clientSecret);
    return this.#granted(async () => {
      const response = await oauth.refreshTokenGrantRequest(server, client, clientAuth, refreshToken, {
        ...this.#options(),
        additionalParameters: { resource: grant.resource },
      });
      return this.#issued(await oauth.processRefreshTokenResponse(server, client, response));
    });
  }

  /**
   * Tells the authorization server that a token is no longer used (RFC 7009), if it has an address for that. Throws `conflict` if it does not revoke
   * the token.
   */
  async revoke(grant: Grant, token: string, clientSecret: string | undefined): Promise<void> {
    const { server, client, clientAuth } = partsOf(grant, clientSecret);
    if (server.revocation_endpoint === undefined) return;
    await this.#attempt("The authorization server did not revoke a token.", async () => {
      const response = await oauth.revocationRequest(server, client, clientAuth, token, this.#options());
      await oauth.processRevocationResponse(response);
      await response.body?.cancel();
    });
  }

  #issued({ access_token, refresh_token, expires_in }: oauth.TokenEndpointResponse): IssuedTokens {
    const isUsable = [access_token, refresh_token ?? "x"].every(
      (token) => token.length <= MAX_TOKEN_CHARS && /^[\x21-\x7e]+$/u.test(token),
    );
    if (!isUsable) throw new Error("The token can't be sent in a header.");
    return {
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresAt: expires_in === undefined ? null : this.#now() + expires_in * 1_000,
    };
  }

  /** Returns what the server says about itself as a resource. Servers of the first revisions are their own authorization server. */
  async #resource(serverUrl: string, challenge: string) {
    const url = new URL(serverUrl);
    const path = url.pathname === "/" ? "" : url.pathname;
    const named = parameterIn(challenge, "resource_metadata");
    const wellKnown = `${url.origin}/.well-known/oauth-protected-resource`;
    for (const address of named === undefined ? [`${wellKnown}${path}`, wellKnown] : [named]) {
      const json = await this.#document(address);
      if (!json) continue;
      const servers: unknown = json["authorization_servers"];
      const issuer: unknown = Array.isArray(servers) ? servers[0] : undefined;
      const scopes: unknown = json["scopes_supported"];
      if (typeof issuer !== "string") throw unsuitable("It names no authorization server.");
      return {
        resource: requireOwn(textAt(json, "resource"), url),
        issuer,
        scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
      };
    }
    return { resource: serverUrl, issuer: url.origin, scopes: [] };
  }

  async #document(address: string): Promise<Json | undefined> {
    return this.#attempt("The server's metadata could not be read.", async () => {
      const send = this.#fetch;
      const init = { headers: { accept: "application/json" }, signal: AbortSignal.timeout(REQUEST_MS) };
      const response = await send(address, init);
      const text = await response.text();
      return response.status === 200 ? objectFrom(text) : undefined;
    });
  }

  async #authorizationServer(issuer: string): Promise<oauth.AuthorizationServer> {
    const url = URL.parse(issuer);
    if (!url) throw unsuitable("It names no authorization server.");
    const server = await this.#attempt("The authorization server's metadata could not be read.", async () => {
      const options = this.#options();
      const first = await oauth.discoveryRequest(url, { ...options, algorithm: "oauth2" });
      if (first.status === 200) return oauth.processDiscoveryResponse(url, first);
      await first.body?.cancel();
      return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
    });
    for (const endpoint of [server.authorization_endpoint, server.token_endpoint])
      if (endpoint === undefined || outOfBounds(endpoint, this.#policy))
        throw unsuitable("Its authorization server has no address that may be used.");
    if (!server.code_challenge_methods_supported?.includes("S256"))
      throw unsuitable("Its authorization server does not support PKCE.");
    if (server.registration_endpoint === undefined)
      throw unsuitable(
        "Its authorization server does not register clients by itself. If it issues tokens for programs, enter one with bearer.",
      );
    return server;
  }

  #options() {
    return {
      [oauth.customFetch]: (url: string, { method, headers, body, signal }: Sent) => {
        const send = this.#fetch;
        return send(url, { method, headers, ...(body !== undefined && { body }), ...(signal && { signal }) });
      },
      [oauth.allowInsecureRequests]: this.#policy.isLocal,
      signal: () => AbortSignal.timeout(REQUEST_MS),
    };
  }

  /** Asks for tokens. Throws `GrantRefused` if the server refuses the code or the refresh token, and `conflict` if it does not answer. */
  #granted(ask: () => Promise<IssuedTokens>): Promise<IssuedTokens> {
    return this.#attempt("The authorization server did not issue a token.", async () => {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof oauth.ResponseBodyError && REFUSALS.has(error.error)) throw new GrantRefused();
        throw error;
      }
    });
  }

  /** Runs a step. Throws `conflict` with a sentence and what the other server says. */
  async #attempt<T>(failed: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof AppError || error instanceof GrantRefused) throw error;
      const code = error instanceof oauth.ResponseBodyError ? error.error : "";
      const said = /^[\w-]{1,60}$/u.test(code) ? ` It says: ${code}.` : "";
      // Security: the library's errors carry tokens and codes.
      throw new AppError("conflict", failed + said, {
        cause: new Error(error instanceof Error ? `${error.name}: ${error.message}` : "no error"),
        retryable: true,
      });
    }
  }
}

/**
 * Returns the answer to a registration as the library requires it. Many servers leave out when the secret expires (RFC 7591, section 3.2.1),
 * which is of no interest here: a client whose secret has expired is refused and registers again.
 */
async function withoutOmissions(response: Response): Promise<Response> {
  if (!response.ok) return response;
  const { client_secret: secret, ...json } = objectFrom(await response.text()) ?? {};
  const registered = { ...json, client_secret: secret ?? undefined, client_secret_expires_at: 0 };
  return Response.json(registered, { status: 201 });
}

/** What the library asks to be sent. */
interface Sent {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | URLSearchParams | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What proves that a code belongs to the authorization that this service has begun. */
interface Redemption {
  readonly state: string;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly clientSecret: string | undefined;
}

/** The cast states what `register` has kept. */
function partsOf({ authorizationServer, clientId, clientAuth }: Grant, clientSecret: string | undefined) {
  const server = authorizationServer as unknown as oauth.AuthorizationServer;
  const registered = CLIENT_AUTH_METHODS.find((method) => method === clientAuth);
  const chosen = clientSecret === undefined ? "none" : registered;
  const client: oauth.Client = { client_id: clientId };
  return { server, client, clientAuth: clientAuthFor(server, clientSecret, chosen) };
}

/** Security: a token for another resource, such as that of another tenant of the same host, must not be sent to this server. */
function requireOwn(resource: string, server: URL): string {
  const url = URL.parse(resource);
  const path = url?.pathname.replace(/\/$/u, "");
  const isOwn =
    url?.origin === server.origin &&
    (server.pathname === path || server.pathname.startsWith(`${path}/`)) &&
    ["", server.search].includes(url.search) &&
    url.hash === "";
  if (!isOwn) throw unsuitable("It says that it is another server.");
  return resource;
}

const unsuitable = (why: string): AppError =>
  new AppError("conflict", `This server can't be authorized with OAuth. ${why}`);
