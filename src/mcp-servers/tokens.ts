import type { ToolPlace } from "../http-tools/secrets.ts";
import { sleep } from "../shared/async.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { type Change, changeServers, requireServer, withServer } from "./changes.ts";
import { parameterIn } from "./challenge.ts";
import type { McpConnection } from "./connection.ts";
import { McpFailure } from "./failure.ts";
import type { Grant, McpServer } from "./model.ts";
import { GrantRefused, type IssuedTokens, type McpOAuthClient } from "./oauth-client.ts";
import type { McpServerRepository } from "./repository.ts";
import type { McpServerSecrets } from "./secrets.ts";

/** In milliseconds. A token is renewed so long before it expires. */
const EARLY_MS = 30_000;
/** In milliseconds. Longer than the requests that renew a token may take. */
const RENEWING_MS = 15_000;
/** In milliseconds. How often who waits for another request's renewal looks. */
const LOOK_MS = 200;

interface McpTokensDeps {
  readonly servers: McpServerRepository;
  readonly secrets: McpServerSecrets;
  readonly oauthClient: McpOAuthClient;
  readonly clock: Clock;
}

/** What a request renews tokens with, which has claimed to do so. */
interface Claimed {
  readonly grant: Grant;
  readonly refreshToken: string;
  readonly clientSecret: string | undefined;
}

/** What one look at a server has shown: a token that another request has got, that this one is to renew it, or that another one does. */
interface Seen {
  readonly token?: string;
  readonly mine?: Claimed;
  readonly isBusy?: boolean;
}

/** The tokens for requests to MCP servers. */
export class McpTokens {
  readonly #deps: McpTokensDeps;

  constructor(deps: McpTokensDeps) {
    this.#deps = deps;
  }

  /**
   * Returns the token for requests to a server; `undefined` for none. Renews one that is about to expire. Throws `McpFailure` if the owner has to
   * authorize this service or to enter a token again.
   */
  async token(place: ToolPlace, server: McpServer): Promise<string | undefined> {
    if (server.auth === "none") return undefined;
    const opened = await this.#deps.secrets.open(place, server);
    if (!opened) throw new McpFailure("unauthorized", UNREADABLE);
    if (server.auth === "bearer") return opened.secrets.bearer;

    const { accessToken } = opened.secrets;
    if (accessToken === undefined) throw new McpFailure("unauthorized", NOT_AUTHORIZED);
    const expiresAt = server.grant?.expiresAt ?? Number.POSITIVE_INFINITY;
    return expiresAt - EARLY_MS > this.#deps.clock.now()
      ? accessToken
      : this.renewed(place, server.id, accessToken);
  }

  /**
   * Returns a new access token in place of one that has expired or was refused. Of several requests that want one, one renews it and the others
   * wait, because a refresh token may be valid once. Throws `McpFailure` if the owner has to authorize this service again, or the
   * authorization server does not answer.
   */
  async renewed(place: ToolPlace, serverId: string, stale: string): Promise<string> {
    const { servers, secrets, clock } = this.#deps;
    const endsAt = clock.now() + RENEWING_MS;
    while (clock.now() <= endsAt) {
      // Whether somebody else has renewed it, and who renews it now, is decided by one conditional write.
      const seen = await changeServers(servers, place, async (state): Promise<Change<Seen>> => {
        const server = requireServer(state, serverId);
        const opened = await secrets.open(place, server);
        const { accessToken, refreshToken, clientSecret } = opened?.secrets ?? {};
        if (accessToken !== undefined && accessToken !== stale) return { result: { token: accessToken } };
        if (!server.grant || refreshToken === undefined) return { result: {} };
        if (server.renewingUntil > clock.now()) return { result: { isBusy: true } };
        const claimed = { ...server, renewingUntil: clock.now() + RENEWING_MS };
        const mine = { grant: server.grant, refreshToken, clientSecret };
        return { result: { mine }, servers: withServer(state, claimed) };
      });
      if (seen.token !== undefined) return seen.token;
      if (seen.mine) return this.#renew(place, serverId, seen.mine);
      if (!seen.isBusy) throw new McpFailure("unauthorized", NOT_AUTHORIZED);
      await sleep(LOOK_MS);
    }
    throw new McpFailure("timeout", "The token of this server is being renewed by another request.");
  }

  /**
   * Runs requests, and once more with another token if the server refuses the one that it got. If it wants a token for more, that is recorded, and only
   * its owner can help.
   */
  async authorized<T>(
    place: ToolPlace,
    server: McpServer,
    connection: McpConnection,
    ask: () => Promise<T>,
  ): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      await this.#recordWantedScope(place, server, connection, error);
      if (!isRenewable(error, server, connection)) throw error;
      connection.token = await this.renewed(place, server.id, connection.token ?? "");
    }
    return ask();
  }

  /**
   * Revokes the tokens that a server had before it was removed or changed. Never throws: the server no longer has them, and whoever removes it can't
   * help if its authorization server does not answer.
   */
  async revoke(place: ToolPlace, before: McpServer): Promise<void> {
    const { secrets, oauthClient } = this.#deps;
    const { grant } = before;
    if (!grant) return;
    const { accessToken, refreshToken, clientSecret } = (await secrets.open(place, before))?.secrets ?? {};
    const tokens = [refreshToken, accessToken].filter((token) => token !== undefined);
    const attempts = tokens.map((token) =>
      oauthClient.revoke(grant, token, clientSecret).catch((error: unknown) => {
        console.info({ message: "A token of an MCP server was not revoked.", error: String(error) });
      }),
    );
    await Promise.all(attempts);
  }

  /**
   * Stores the scopes that a server wants for more than its token allows, so that its owner is asked for them. If the token has been replaced or the
   * server changed meanwhile, that is left alone.
   */
  async #recordWantedScope(
    place: ToolPlace,
    { id }: McpServer,
    { token }: McpConnection,
    error: unknown,
  ): Promise<void> {
    if (!(error instanceof McpFailure) || error.reason !== "insufficient-scope" || token === undefined)
      return;
    const { message, challenge } = error;
    const wantedScope = parameterIn(challenge, "scope") ?? null;
    const { servers, secrets } = this.#deps;
    await changeServers(servers, place, async (state) => {
      const current = state.servers.find((server) => server.id === id);
      const opened = current && (await secrets.open(place, current));
      const isKnown = current?.state === "unauthorized" && current.wantedScope === wantedScope;
      if (!current || isKnown || opened?.secrets.accessToken !== token) return { result: null };
      const unauthorized = { ...current, state: "unauthorized" as const, error: message, wantedScope };
      return { result: null, servers: withServer(state, unauthorized) };
    });
  }

  /** Renews the tokens, which this request has claimed. */
  async #renew(place: ToolPlace, serverId: string, mine: Claimed): Promise<string> {
    const { oauthClient } = this.#deps;
    try {
      const issued = await oauthClient.renew(mine.grant, mine.refreshToken, mine.clientSecret);
      await this.#store(place, serverId, mine, issued);
      return issued.accessToken;
    } catch (error) {
      await this.#store(place, serverId, mine, error instanceof GrantRefused ? "refused" : "unchanged");
      if (error instanceof GrantRefused) throw new McpFailure("unauthorized", NOT_AUTHORIZED);
      if (error instanceof AppError && error.status < 500) throw new McpFailure("unreachable", error.message);
      throw error;
    }
  }

  /** Stores what has become of a renewal. If the owner has authorized this service again meanwhile, that is left alone. */
  async #store(
    place: ToolPlace,
    serverId: string,
    { refreshToken, clientSecret }: Claimed,
    outcome: IssuedTokens | "refused" | "unchanged",
  ): Promise<void> {
    const { servers, secrets } = this.#deps;
    const client = clientSecret === undefined ? {} : { clientSecret };
    await changeServers(servers, place, async (state) => {
      const server = requireServer(state, serverId);
      const opened = await secrets.open(place, server);
      if (!server.grant || opened?.secrets.refreshToken !== refreshToken) return { result: null };
      const free = { ...server, renewingUntil: 0 };
      if (outcome === "unchanged") return { result: null, servers: withServer(state, free) };

      const tokens =
        outcome === "refused"
          ? client
          : {
              ...client,
              accessToken: outcome.accessToken,
              refreshToken: outcome.refreshToken ?? refreshToken,
            };
      const next = {
        ...free,
        sealedSecrets: await secrets.seal(place, serverId, tokens),
        ...(outcome === "refused"
          ? { state: "unauthorized" as const, error: NOT_AUTHORIZED }
          : { grant: { ...server.grant, expiresAt: outcome.expiresAt } }),
      };
      return { result: null, servers: withServer(state, next) };
    });
  }
}

const UNREADABLE = "The secrets of this server can no longer be read. Its owner has to enter them again.";
const NOT_AUTHORIZED = "The agent's owner has to authorize the use of this server.";

/** Whether another token may help. */
const isRenewable = (error: unknown, { auth }: McpServer, { token }: McpConnection): boolean =>
  error instanceof McpFailure && error.reason === "unauthorized" && auth === "oauth" && token !== undefined;
