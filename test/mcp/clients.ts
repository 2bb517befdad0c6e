import {
  type ClientOptions,
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { onTestFinished } from "vitest";
import type { Client } from "../support/app.ts";

/** An HTTP request that a client of the protocol sent, and its answer. */
interface Exchange {
  readonly method: string;
  readonly status: number;
  readonly headers: Headers;
}

/** Returns a `fetch` that asks the app with a caller's token, and what it was used for. */
function fetchOf(caller: Client) {
  const exchanges: Exchange[] = [];
  const ask = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const body = request.body === null ? undefined : await request.text();
    const headers = Object.fromEntries(request.headers);
    const { response } = await caller.raw(request.method, pathname + search, body, {
      headers,
      signal: request.signal,
    });
    exchanges.push({ method: request.method, status: response.status, headers: response.headers });
    return response;
  };
  return { ask, exchanges };
}

/** How a call of a tool is followed and cancelled. */
interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: Progress) => void;
}

export interface Progress {
  readonly progress: number;
  readonly message?: string | undefined;
}

/** By default, the second generation of the client also begins with `initialize`, like those of 2025. */
export const REVISION_2026: ClientOptions = { versionNegotiation: { mode: { pin: "2026-07-28" } } };

const INFO = { name: "a client of the tests", version: "1.0.0" };
const addressOf = (agentId: string) => new URL(`https://api.example.com/mcp/agents/${agentId}`);

/** The official client of the revisions of 2025, connected to an agent. */
export async function legacyClient(caller: Client, agentId: string) {
  const { ask, exchanges } = fetchOf(caller);
  const client = new LegacyClient(INFO);
  await client.connect(new LegacyTransport(addressOf(agentId), { fetch: ask }));
  onTestFinished(() => client.close());
  const use = (name: string, args: Record<string, unknown> = {}, options: CallOptions = {}) =>
    client.callTool({ name, arguments: args }, undefined, options);
  return Object.assign(client, { exchanges, use });
}

/** The official client of the revision 2026-07-28, connected to an agent. */
export async function modernClient(caller: Client, agentId: string) {
  const { ask, exchanges } = fetchOf(caller);
  const client = new ModernClient(INFO, REVISION_2026);
  await client.connect(new ModernTransport(addressOf(agentId), { fetch: ask }));
  onTestFinished(() => client.close());
  const use = (name: string, args: Record<string, unknown> = {}, options: CallOptions = {}) =>
    client.callTool({ name, arguments: args }, options);
  return Object.assign(client, { exchanges, use });
}
