import type { ToolPlace } from "../http-tools/secrets.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalidInput, type Issue } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { OUT_OF_BOUNDS, type OutboundPolicy, outOfBounds } from "../shared/outbound.ts";
import { changeServers, requireServer, withServer } from "./changes.ts";
import { McpConnection, MORE_RIGHTS, withinTime } from "./connection.ts";
import { McpFailure } from "./failure.ts";
import { listTools } from "./listing.ts";
import {
  type McpServer,
  type McpServerSettings,
  MAX_ALL_BYTES,
  MAX_SERVERS,
  neverAsked,
  sizeOfServers,
} from "./model.ts";
import type { McpServerRepository } from "./repository.ts";
import type { McpServerSecrets } from "./secrets.ts";
import type { McpTokens } from "./tokens.ts";

/** In milliseconds. How long a server may take to list its tools. */
const LISTING_MS = 15_000;

/** A server as its owner describes it. `bearerToken` is the token of a server with `bearer`. */
export interface NewMcpServer extends McpServerSettings {
  readonly bearerToken?: string | undefined;
}

/** Changes of a server. Absent members keep their values. */
export type McpServerChanges = Partial<NewMcpServer>;

interface McpServerServiceDeps {
  readonly servers: McpServerRepository;
  readonly secrets: McpServerSecrets;
  readonly tokens: McpTokens;
  /** Guards against addresses that are not public, and follows no redirect. */
  readonly fetch: typeof fetch;
  readonly policy: OutboundPolicy;
  readonly clock: Clock;
}

/** Lets the owner of an agent choose the MCP servers whose tools its model is offered. */
export class McpServerService {
  readonly #deps: McpServerServiceDeps;

  constructor(deps: McpServerServiceDeps) {
    this.#deps = deps;
  }

  /** Returns the servers of an agent, oldest first. Throws `not-found` if the account has no such agent. */
  async list(place: ToolPlace): Promise<readonly McpServer[]> {
    return (await this.#deps.servers.state(place)).servers;
  }

  /** Returns one server. Throws `not-found` if there is no such agent or server. */
  async get(place: ToolPlace, serverId: string): Promise<McpServer> {
    return requireServer(await this.#deps.servers.state(place), serverId);
  }

  /**
   * Adds a server and asks it for its tools. That the server does not answer is part of the result. `wantedId` is the id that an earlier
   * attempt of the same request used: if that has added the server, it is not added again. Throws `not-found` if there is no such agent,
   * `conflict` if a server has the name or the agent has as many servers as it may have, and `validation-failed` for an address that may not be
   * requested.
   */
  async create(
    place: ToolPlace,
    { bearerToken, ...settings }: NewMcpServer,
    wantedId: string | undefined,
  ): Promise<McpServer> {
    const { clock, secrets } = this.#deps;
    const id = wantedId ?? newId(clock.now());
    this.#requireUsable(settings, { bearerToken });
    await changeServers(this.#deps.servers, place, async ({ servers }) => {
      const known = servers.find((server) => server.id === id);
      if (known) return { result: known };
      if (servers.length >= MAX_SERVERS)
        throw new AppError(
          "conflict",
          `An agent can have at most ${MAX_SERVERS} MCP servers. Delete one to add another.`,
        );
      const sealedSecrets = await secrets.seal(
        place,
        id,
        bearerToken === undefined ? {} : { bearer: bearerToken },
      );
      const times = { createdAt: clock.timestamp(), updatedAt: null };
      const server = { ...neverAsked, ...settings, id, sealedSecrets, ...times };
      return { result: server, servers: usable([...servers, server]) };
    });
    return this.refresh(place, id);
  }

  /**
   * Changes a server; absent members keep their values. Asks it for its tools if another address, authorization or choice of tools needs that, and
   * revokes tokens that it loses.
   * Throws what `create` throws, and `not-found` if there is no such server.
   */
  async update(place: ToolPlace, serverId: string, changes: McpServerChanges): Promise<McpServer> {
    const { clock, secrets, tokens } = this.#deps;
    const { isAnother, lost } = await changeServers(this.#deps.servers, place, async (state) => {
      const before = requireServer(state, serverId);
      const { bearerToken, ...settings } = { bearerToken: undefined, ...changes };
      const changed: McpServer = { ...before, ...settings, updatedAt: clock.timestamp() };
      // Security: who may change a server must not learn its secrets, which a request to a server of theirs would show. Tokens of OAuth
      // are for one address.
      const isSamePlace =
        changed.auth === "oauth" ? before.url === changed.url : isSameOrigin(before.url, changed.url);
      const keepsSecrets = before.auth === changed.auth && isSamePlace;
      this.#requireUsable(changed, { bearerToken, hasToken: keepsSecrets });
      const isOther = changed.url !== before.url || changed.auth !== before.auth || bearerToken !== undefined;
      const server = {
        ...changed,
        ...(!keepsSecrets && { grant: null, pending: null, wantedScope: null, sealedSecrets: null }),
        ...(bearerToken !== undefined && {
          sealedSecrets: await secrets.seal(place, serverId, { bearer: bearerToken }),
        }),
        ...(isOther && { state: "new" as const, error: null, listing: null }),
      };
      return {
        result: {
          isAnother: isOther || changes.allowedTools !== undefined,
          lost: keepsSecrets ? undefined : before,
        },
        servers: usable(withServer(state, server)),
      };
    });
    if (lost) await tokens.revoke(place, lost);
    return isAnother ? this.refresh(place, serverId) : this.get(place, serverId);
  }

  /** Removes a server with its secrets if there is one, and revokes its tokens. Throws `not-found` if there is no such agent. */
  async remove(place: ToolPlace, serverId: string): Promise<void> {
    const { servers, tokens } = this.#deps;
    const removed = await changeServers(servers, place, (state) => {
      const result = state.servers.find(({ id }) => id === serverId);
      return { result, ...(result && { servers: state.servers.filter((server) => server !== result) }) };
    });
    if (removed) await tokens.revoke(place, removed);
  }

  /**
   * Asks a server for its tools and stores them. That the server does not answer is part of the result: the tools that were listed before stay.
   * Throws `not-found` if there is no such agent or server.
   */
  async refresh(place: ToolPlace, serverId: string): Promise<McpServer> {
    const server = await this.get(place, serverId);
    const outcome = await this.#ask(place, server);
    return changeServers(this.#deps.servers, place, async (state) => {
      const current = requireServer(state, serverId);
      // The answer is about an address or a choice that somebody has changed meanwhile.
      if (!isAboutTheSame(current, server)) return { result: current };
      // What the server wants more rights for is no part of the listing.
      const stillWanted = current.wantedScope !== null && outcome.state === "ready";
      const listed = {
        ...current,
        ...outcome,
        ...(stillWanted && { state: "unauthorized" as const, error: MORE_RIGHTS }),
        ...(await this.#resealed(place, current)),
      };
      const hasRoom = sizeOfServers(withServer(state, listed)) <= MAX_ALL_BYTES;
      const next = hasRoom
        ? listed
        : { ...current, state: "failed" as const, error: NO_ROOM, checkedAt: listed.checkedAt };
      return { result: next, servers: withServer(state, next) };
    });
  }

  /** Asks a server for its tools if nobody has for `maxAgeMs` milliseconds. Never throws: a later turn tries again. */
  async refreshIfOlder(place: ToolPlace, serverId: string, maxAgeMs: number): Promise<void> {
    const { clock } = this.#deps;
    try {
      const isMine = await changeServers(this.#deps.servers, place, (state) => {
        const server = state.servers.find(({ id }) => id === serverId);
        if (!server || clock.now() - server.checkedAt < maxAgeMs) return { result: false };
        const claimed = { ...server, checkedAt: clock.now() };
        return { result: true, servers: withServer(state, claimed) };
      });
      if (isMine) await this.refresh(place, serverId);
    } catch (error) {
      console.warn({ message: "The tools of an MCP server were not listed again.", error: String(error) });
    }
  }

  /** Asks a server for its tools, and returns what has become of it. */
  async #ask(place: ToolPlace, server: McpServer): Promise<Partial<McpServer>> {
    const { clock, fetch, tokens } = this.#deps;
    const checkedAt = clock.now();
    try {
      const token = await tokens.token(place, server);
      const connection = new McpConnection({ fetch, url: server.url, protocol: "stateless", token });
      const ask = async (signal: AbortSignal) => {
        await connection.negotiate(signal);
        return listTools(connection, server.allowedTools, signal);
      };
      // A renewal has a limit of its own: one that is cut off loses the refresh token that it has used.
      const listed = await tokens.authorized(place, server, connection, () => withinTime(LISTING_MS, ask));
      await connection.end();
      return { state: "ready", error: null, checkedAt, listing: { ...listed, listedAt: clock.timestamp() } };
    } catch (error) {
      if (!(error instanceof McpFailure)) throw error;
      return {
        state: error.wantsAuthorization ? "unauthorized" : "failed",
        error: error.message,
        checkedAt,
      };
    }
  }

  /** Returns the secrets encrypted with the current key, if they are not. */
  async #resealed(place: ToolPlace, server: McpServer): Promise<Partial<McpServer>> {
    const { secrets } = this.#deps;
    const opened = await secrets.open(place, server);
    if (!opened || opened.isCurrent) return {};
    return { sealedSecrets: await secrets.seal(place, server.id, opened.secrets) };
  }

  /** Throws `validation-failed` for a server that can't be asked. Whether its host is public is looked up for each request. */
  #requireUsable(
    { url, auth }: Pick<McpServerSettings, "url" | "auth">,
    {
      bearerToken,
      hasToken = false,
    }: { readonly bearerToken: string | undefined; readonly hasToken?: boolean },
  ): void {
    const reason = outOfBounds(url, this.#deps.policy);
    const issues: Issue[] = [];
    const add = (path: string, message: string) =>
      void issues.push({ path: [path], code: "custom", message });
    if (reason !== undefined) add("url", `url can't be used. ${OUT_OF_BOUNDS[reason]}`);
    if (auth === "bearer" && bearerToken === undefined && !hasToken)
      add("bearer_token", "bearer_token is needed with auth bearer, and again if the host changes.");
    if (auth !== "bearer" && bearerToken !== undefined)
      add("bearer_token", "bearer_token can only be used with auth bearer.");
    if (issues.length > 0) throw invalidInput("json", issues);
  }
}

const NO_ROOM = `The tools of all servers of an agent can take at most ${MAX_ALL_BYTES / 1024} KB. Choose those that the agent needs with allowed_tools.`;

/** Whether what a server has listed is still what its owner wants to know. */
const isAboutTheSame = (current: McpServer, asked: McpServer): boolean =>
  current.url === asked.url &&
  current.auth === asked.auth &&
  JSON.stringify(current.allowedTools) === JSON.stringify(asked.allowedTools);

const isSameOrigin = (a: string, b: string): boolean => URL.parse(a)?.origin === URL.parse(b)?.origin;

/** Returns servers that can be stored. Throws `conflict` if two have the same name, or they take too much room. */
function usable(servers: readonly McpServer[]): readonly McpServer[] {
  const names = servers.map(({ name }) => name.toLowerCase());
  const twice = servers.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice)
    throw new AppError(
      "conflict",
      `The agent already has a server called ${twice.name}. Choose another name.`,
    );
  if (sizeOfServers(servers) > MAX_ALL_BYTES) throw new AppError("conflict", NO_ROOM);
  return servers;
}
