import { sha256, toBase64Url, toHex } from "../shared/crypto.ts";
import { type Clock, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { agentIn, type Grantable, grantableIn, targetOf } from "./authorization-request.ts";
import { type ClientMetadata, isPublished, type OAuthClient, type OAuthClients } from "./clients.ts";
import { type Connection, type ConnectionScope, endAfter, MAX_CONNECTIONS } from "./model.ts";
import { hostOf, isOwnMachine, matchesRedirect, withParameters } from "./redirects.ts";
import { type OAuthErrorCode, refusal } from "./refusals.ts";
import type { ConnectionRepository } from "./repository.ts";
import type { ConnectionTokens } from "./tokens.ts";

/** How long an access token is valid, in seconds. Revoking its connection makes it invalid at once. */
const ACCESS_SECONDS = 60 * 60;

/**
 * How long a replaced refresh token still gets its successor although that is in use, in milliseconds: for two windows of a client that
 * share their storage.
 */
const GRACE_MS = 30_000;

/** Looks up agents; `get` throws `not-found` if the agent does not exist or belongs to someone else. */
interface OwnAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<{ readonly name: string }>;
}

interface AuthorizationServiceDeps {
  readonly connections: ConnectionRepository;
  readonly clients: OAuthClients;
  readonly tokens: ConnectionTokens;
  readonly agents: OwnAgents;
  readonly clock: Clock;
  /** The origin of this service, which is the issuer. */
  readonly origin: string;
}

/** What a person is asked. */
export interface ConsentQuestion {
  readonly client: Pick<OAuthClient, "name" | "host">;
  /** Where the person goes back to. */
  readonly redirectHost: string;
  /** Whether that is a program on the person's machine, which could be any. */
  readonly isOwnMachine: boolean;
  /** Null if the request cannot be granted. */
  readonly agent: { readonly id: AgentId; readonly name: string } | null;
  readonly scopes: readonly ConnectionScope[];
  /** Why the request cannot be granted; null if it can. */
  readonly fault: string | null;
  /** The address that tells the client that there is no consent. */
  readonly declineTo: string;
}

/** What the token endpoint returns (RFC 6749, section 5.1). */
export interface IssuedTokens {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
}

/** The parameters of a request to the token endpoint. */
type Form = ReadonlyMap<string, string>;

/**
 * Counts an attempt to use a code or a token of this connection; without one, of something that this service has not issued or that has
 * expired. Throws `limit-exceeded` above the limit.
 */
type CountAttempt = (connectionId: string | undefined) => Promise<void>;

/** A client's request that has been read, and whose redirect address is the client's own. */
interface CheckedRequest {
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly query: URLSearchParams;
}

/**
 * The authorization server for MCP clients (OAuth 2.1): registration, consent, codes with PKCE, and refresh tokens that are replaced at
 * each use. Threats: see `docs/decisions/0048-oauth-for-mcp.md`.
 */
export class AuthorizationService {
  readonly #connections: ConnectionRepository;
  readonly #clients: OAuthClients;
  readonly #tokens: ConnectionTokens;
  readonly #agents: OwnAgents;
  readonly #clock: Clock;
  readonly #origin: string;

  constructor({ connections, clients, tokens, agents, clock, origin }: AuthorizationServiceDeps) {
    this.#connections = connections;
    this.#clients = clients;
    this.#tokens = tokens;
    this.#agents = agents;
    this.#clock = clock;
    this.#origin = origin;
  }

  /** Registers a client. Throws a refusal if its metadata is not acceptable. */
  register(metadata: ClientMetadata): Promise<OAuthClient> {
    return this.#clients.register(metadata);
  }

  /**
   * Returns what to ask the person about an authorization request (its query). Throws `malformed-request` if the client is not known or the
   * redirect address is not its own, and `not-found` if the agent is not the person's.
   */
  async question(accountEmail: AccountEmail, request: string): Promise<ConsentQuestion> {
    const checked = await this.#check(request);
    const { client, redirectUri } = checked;
    const common = {
      client: { name: client.name, host: client.host },
      redirectHost: hostOf(redirectUri),
      isOwnMachine: isOwnMachine(redirectUri),
    };
    const wanted = grantableIn(checked.query, this.#origin);
    if ("error" in wanted)
      return {
        ...common,
        agent: null,
        scopes: [],
        fault: wanted.reason,
        declineTo: this.#errorAddress(checked, wanted.error, wanted.reason),
      };

    const { name } = await this.#agents.get(accountEmail, wanted.agentId);
    return {
      ...common,
      agent: { id: wanted.agentId, name },
      scopes: wanted.scopes,
      fault: null,
      declineTo: this.#errorAddress(checked, "access_denied", "The person did not agree."),
    };
  }

  /**
   * Grants an authorization request with those of its scopes that the person agrees to. Returns the address that brings the code to the client.
   * Throws what `question` throws, `malformed-request` if the request cannot be granted, and `conflict` if there are too many connections.
   */
  async grant(accountEmail: AccountEmail, request: string, agreed: readonly string[]): Promise<string> {
    const checked = await this.#check(request);
    const wanted = grantableIn(checked.query, this.#origin);
    if ("error" in wanted) throw refusal(wanted.error, wanted.reason);
    const scopes = wanted.scopes.filter((scope) => agreed.includes(scope));
    if (scopes.length === 0)
      throw refusal("invalid_scope", "Choose at least one thing that the client may do.");
    await this.#agents.get(accountEmail, wanted.agentId);
    // Two requests at the same time may exceed the limit by one. It only keeps the list short.
    if ((await this.#connections.countAndSweep(accountEmail, this.#clock.now())) >= MAX_CONNECTIONS)
      throw new AppError(
        "conflict",
        `An account can have ${MAX_CONNECTIONS} connected clients. Disconnect one that you no longer use.`,
      );
    return this.#answerAddress(checked, {
      code: await this.#code(accountEmail, checked, { ...wanted, scopes }),
    });
  }

  /** Answers a request to the token endpoint. Throws a refusal, and what `count` throws. */
  async token(form: Form, count: CountAttempt): Promise<IssuedTokens> {
    switch (required(form, "grant_type")) {
      case "authorization_code":
        return this.#redeem(form, count);
      case "refresh_token":
        return this.#refresh(form, count);
      default:
        throw refusal("unsupported_grant_type", "The grant types are authorization_code and refresh_token.");
    }
  }

  /**
   * Ends the connection that an access or refresh token belongs to (RFC 7009). Does nothing for any other text, and for tokens of another
   * client, if the form names one. Throws what `count` throws.
   */
  async revoke(form: Form, count: CountAttempt): Promise<void> {
    const text = required(form, "token");
    const token = (await this.#tokens.read("refresh", text)) ?? (await this.#tokens.read("access", text));
    await count(token?.connectionId);
    if (!token) return;
    const connection = await this.#connections.find(token.accountEmail, token.connectionId);
    if (!connection) return;
    const clientId = form.get("client_id");
    if (clientId !== undefined && (await hashOf(clientId)) !== connection.clientHash) return;
    await this.#connections.remove(connection.accountEmail, connection.id);
  }

  async #check(request: string): Promise<CheckedRequest> {
    const query = new URLSearchParams(request);
    const { clientId, redirectUri, state } = targetOf(query);
    const client = await this.#clients.find(clientId);
    if (!client.redirectUris.some((registered) => matchesRedirect(registered, redirectUri)))
      throw refusal(
        "invalid_request",
        "The redirect address is not one of those that the client has registered.",
      );
    return { client, redirectUri, state, query };
  }

  /** Stores a connection that waits for its code to be redeemed, and returns the code. */
  async #code(
    accountEmail: AccountEmail,
    { client, redirectUri }: CheckedRequest,
    { agentId, challenge, scopes }: Grantable,
  ): Promise<string> {
    const now = this.#clock.now();
    const expiresAt = endAfter(0, now);
    const connection: Connection = {
      id: newId(now),
      accountEmail,
      agentId,
      clientHash: await hashOf(client.id),
      clientName: client.name,
      redirectHost: hostOf(redirectUri),
      scopes,
      generation: 0,
      usedGeneration: 0,
      rotatedAt: now,
      createdAt: this.#clock.timestamp(),
      lastUsedAt: null,
      ttl: expiresAt,
    };
    if (!(await this.#connections.create(connection)))
      throw new AppError("conflict", "The agent or the account is being deleted.");
    const binding = await bindingOf(client.id, redirectUri, challenge);
    return this.#tokens.issue(
      "code",
      { accountEmail, connectionId: connection.id, generation: 0, binding },
      expiresAt,
    );
  }

  async #redeem(form: Form, count: CountAttempt): Promise<IssuedTokens> {
    const code = await this.#tokens.read("code", required(form, "code"));
    await count(code?.connectionId);
    const clientId = required(form, "client_id");
    const verifier = required(form, "code_verifier");
    if (!code) throw invalidGrant("The code is not valid or has expired.");
    // RFC 7636, section 4.1. Its challenge is the hash in base64url.
    const challenge = /^[\w.~-]{43,128}$/u.test(verifier) ? toBase64Url(await sha256(verifier)) : "";
    if ((await bindingOf(clientId, required(form, "redirect_uri"), challenge)) !== code.binding)
      throw invalidGrant("The code belongs to another client, redirect address or code_verifier.");

    const connection = await this.#connectionOf(code, form);
    const now = this.#clock.now();
    const to = { generation: 1, rotatedAt: now, ttl: endAfter(1, now) };
    const isFirst =
      connection.generation === 0 && (await this.#connections.redeem(connection, to, crypto.randomUUID()));
    // Security: whoever redeems a code again has its verifier, too, so one of the two is not the client (RFC 6749, section 4.1.2).
    if (!isFirst) await this.#end(connection, "The code has been used.");
    return this.#issued({ ...connection, ...to });
  }

  /**
   * Replaces a refresh token. A client that did not get the answer may repeat the request whenever it likes: as long as nothing of
   * the successor was used, the replaced token gets it again. Afterwards, a replaced token is a stolen one and ends the connection.
   */
  async #refresh(form: Form, count: CountAttempt): Promise<IssuedTokens> {
    const token = await this.#tokens.read("refresh", required(form, "refresh_token"));
    await count(token?.connectionId);
    const clientId = required(form, "client_id");
    if (!token) return this.#refuse(clientId, "The refresh token is not valid or has expired.");

    const connection = await this.#connectionOf(token, form);
    if ((await hashOf(clientId)) !== connection.clientHash)
      throw invalidGrant("The refresh token belongs to another client.");
    if (token.generation !== connection.generation) return this.#repeat(token.generation, connection);

    const now = this.#clock.now();
    const generation = token.generation + 1;
    const to = { generation, rotatedAt: now, ttl: endAfter(generation, now) };
    const stored = await this.#connections.rotate(connection, to);
    if (!stored) throw invalidGrant("The connection has ended.");
    // Another request has replaced the token between the read and the write.
    return stored.generation === to.generation
      ? this.#issued(stored)
      : this.#repeat(token.generation, stored);
  }

  async #repeat(generation: number, connection: Connection): Promise<IssuedTokens> {
    const isPrevious = generation === connection.generation - 1;
    const isUnused = connection.usedGeneration < connection.generation;
    const isRecent = this.#clock.now() - connection.rotatedAt <= GRACE_MS;
    if (!isPrevious || !(isUnused || isRecent))
      await this.#end(connection, "The refresh token has been replaced.");
    return this.#issued(connection);
  }

  /**
   * Returns the connection of a code or token. Throws `invalid_grant` if it has ended or its account is not active, and `invalid_target` for
   * the resource of another agent.
   */
  async #connectionOf(
    { accountEmail, connectionId }: { readonly accountEmail: AccountEmail; readonly connectionId: string },
    form: Form,
  ): Promise<Connection> {
    const { connection, user } = await this.#connections.findWithUser(accountEmail, connectionId);
    if (!connection || user?.status !== "active")
      return this.#refuse(required(form, "client_id"), "The connection has ended.");
    const resource = form.get("resource");
    if (resource !== undefined && agentIn(resource, this.#origin) !== connection.agentId)
      throw refusal("invalid_target", "The resource is not the agent that the client may use.");
    return connection;
  }

  /**
   * Throws `invalid_grant`, after which a client asks its person again, or `invalid_client` if its id was signed with a key that is gone, so that
   * it registers again first.
   */
  async #refuse(clientId: string, reason: string): Promise<never> {
    if (!isPublished(clientId)) await this.#clients.find(clientId);
    throw invalidGrant(reason);
  }

  async #end({ accountEmail, id }: Connection, reason: string): Promise<never> {
    await this.#connections.remove(accountEmail, id);
    throw invalidGrant(`${reason} The connection has ended.`);
  }

  async #issued({ accountEmail, id, generation, scopes, ttl }: Connection): Promise<IssuedTokens> {
    const token = { accountEmail, connectionId: id, generation, binding: "" };
    const accessEnd = ttlAfter(this.#clock.now(), ACCESS_SECONDS * 1000);
    return {
      access_token: await this.#tokens.issue("access", token, accessEnd),
      token_type: "Bearer",
      expires_in: ACCESS_SECONDS,
      refresh_token: await this.#tokens.issue("refresh", token, ttl),
      scope: scopes.join(" "),
    };
  }

  #errorAddress(request: CheckedRequest, error: OAuthErrorCode, description: string): string {
    return this.#answerAddress(request, { error, error_description: description });
  }

  /** `iss` lets clients that use several servers notice an answer of the wrong one (RFC 9207). */
  #answerAddress(
    { redirectUri, state }: CheckedRequest,
    parameters: Readonly<Record<string, string>>,
  ): string {
    return withParameters(redirectUri, {
      ...parameters,
      ...(state !== undefined && { state }),
      iss: this.#origin,
    });
  }
}

const invalidGrant = (sentence: string): AppError => refusal("invalid_grant", sentence);

function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined || value === "")
    throw refusal("invalid_request", `The parameter ${name} is missing.`);
  return value;
}

const hashOf = async (text: string): Promise<string> => toHex(await sha256(text));

const bindingOf = async (clientId: string, redirectUri: string, challenge: string): Promise<string> =>
  toBase64Url(await sha256(JSON.stringify([clientId, redirectUri, challenge])));
