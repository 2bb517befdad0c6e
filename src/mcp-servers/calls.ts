import { KeptResults } from "../http-tools/kept-results.ts";
import type { ToolPlace } from "../http-tools/secrets.ts";
import { type Clock, HOUR_MS } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Json } from "../shared/json.ts";
import { McpConnection, METHOD_NOT_FOUND, withinTime } from "./connection.ts";
import { McpFailure } from "./failure.ts";
import { type ListedTool, type McpServer, type McpTool, offeredTools } from "./model.ts";
import { headersOf } from "./parameter-headers.ts";
import { resultText } from "./results.ts";
import type { McpServerService } from "./service.ts";
import type { McpTokens } from "./tokens.ts";

/** In milliseconds. How long the tools of a turn may wait for MCP servers in all. */
export const MAX_TURN_MS = 60_000;
/** After so many failures in a turn, a server is not asked again: a broken one must not hold up the turn. */
const MAX_FAILURES = 2;
/** In milliseconds. A turn has the tools listed again that are older, after its answer. */
const STALE_MS = HOUR_MS;
/** In milliseconds. The same for a server that did not answer, or that does not know a tool any longer. */
const RETRY_MS = 5 * 60_000;
/**
 * Errors after which the list of tools may be outdated: an unknown method, arguments that are not valid, with which servers also answer for an
 * unknown tool, and headers that do not match the arguments.
 */
const OUTDATED: readonly unknown[] = [METHOD_NOT_FOUND, -32_602, -32_020];

/** What calling the tools of an agent's servers needs. */
export interface McpPorts {
  /** Guards against addresses that are not public, and follows no redirect. */
  readonly fetch: typeof fetch;
  readonly tokens: Pick<McpTokens, "token" | "authorized">;
  readonly lists: Pick<McpServerService, "refreshIfOlder">;
  readonly clock: Pick<Clock, "now">;
}

interface McpCallsDeps extends McpPorts {
  readonly place: ToolPlace;
  readonly servers: readonly McpServer[];
  readonly httpTools: readonly { readonly name: string }[];
  /** How many results the turn may have kept before it paused; 0 by default. They are gone, and their numbers are not used again. */
  readonly earlierResults?: number;
  /** Schedules work for after the answer. */
  follow(work: () => Promise<void>): void;
}

/** The tools of MCP servers in one turn. */
export class McpCalls {
  /** The tools that the model is offered. */
  readonly tools: readonly McpTool[];
  /** The long results of the turn. */
  readonly results: KeptResults;
  readonly #deps: McpCallsDeps;
  readonly #connections = new Map<string, McpConnection>();
  readonly #failures = new Map<string, number>();
  /** The servers that do not know a tool any longer, by id. */
  readonly #outdated = new Set<string>();
  #waitedMs = 0;

  constructor(deps: McpCallsDeps) {
    this.#deps = deps;
    this.results = new KeptResults(deps.earlierResults);
    this.tools = offeredTools(deps.servers, deps.httpTools);
  }

  /**
   * Schedules what follows the turn: sessions are ended, and servers that have not been asked for long list their tools again. The turn
   * does not wait for it.
   */
  finish(): void {
    const { servers, place, lists, clock } = this.#deps;
    for (const connection of this.#connections.values()) this.#deps.follow(() => connection.end());
    for (const { id, enabled, state, checkedAt } of servers) {
      const maxAgeMs = state === "ready" && !this.#outdated.has(id) ? STALE_MS : RETRY_MS;
      if (enabled && clock.now() - checkedAt >= maxAgeMs)
        this.#deps.follow(() => lists.refreshIfOlder(place, id, maxAgeMs));
    }
  }

  /**
   * Calls a tool, and returns its result as text for the model. It begins with `Error:` if there is none, or if the server says that the call has
   * failed. Throws the signal's reason if the turn ends.
   */
  async call({ server, tool }: McpTool, args: Json, signal: AbortSignal): Promise<string> {
    const { clock } = this.#deps;
    const failures = this.#failures.get(server.id) ?? 0;
    if (failures >= MAX_FAILURES)
      return "Error: Not called. The server has failed to answer in this turn before.";
    const leftMs = MAX_TURN_MS - this.#waitedMs;
    if (leftMs < 1_000) return "Error: Not called. The tools of this turn have taken too long already.";

    const startedAt = clock.now();
    try {
      const timeoutMs = Math.min(server.timeoutSeconds * 1_000, leftMs);
      return await withinTime(timeoutMs, (either) => this.#ask(server, tool, args, either), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError) return `Error: Not called. ${error.message}`;
      if (!(error instanceof McpFailure)) throw error;
      // An error of the protocol and a wish for more rights are answers: the server is there, and its other tools may work.
      const isAnswer = error.reason === "rpc" || error.reason === "insufficient-scope";
      if (!isAnswer) this.#failures.set(server.id, failures + 1);
      if (OUTDATED.includes(error.code)) this.#outdated.add(server.id);
      return `Error: ${error.message}`;
    } finally {
      this.#waitedMs += Math.max(0, clock.now() - startedAt);
    }
  }

  /** Nothing is repeated that may have run: a server refuses an expired token or session before it runs anything. */
  async #ask(
    server: McpServer,
    { name, headers = [] }: ListedTool,
    args: Json,
    signal: AbortSignal,
  ): Promise<string> {
    const { place, tokens } = this.#deps;
    const connection = await this.#connectionTo(server);
    const result = await tokens.authorized(place, server, connection, () =>
      connection.request("tools/call", { name, arguments: args }, signal, headersOf(headers, args)),
    );
    return resultText(result, (text) => connection.redacted(text));
  }

  async #connectionTo(server: McpServer): Promise<McpConnection> {
    const known = this.#connections.get(server.id);
    if (known) return known;

    const { place, fetch, tokens } = this.#deps;
    const token = await tokens.token(place, server);
    const protocol = server.listing?.protocol ?? "sessions";
    const connection = new McpConnection({ fetch, url: server.url, protocol, token });
    this.#connections.set(server.id, connection);
    return connection;
  }
}
