import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  EmbeddingsFault,
  FaultRule,
  LoggedChat,
  ModelWindow,
  RerankFault,
  ScriptBody,
  ScriptStep,
} from "../support/control-protocol.ts";
import type { McpSiteOptions } from "../support/mcp-site-protocol.ts";
import type { SitePages } from "../support/site-protocol.ts";
import type { startEmbeddingsServer } from "./embeddings-server.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import type { McpSites } from "./mcp-site-server.ts";
import type { Sites } from "./site-server.ts";
import type { startRerankServer } from "./rerank-server.ts";

/** Replies of one scripted model: each request takes the next. */
interface Script {
  readonly replies: (readonly ScriptStep[])[];
  readonly requests: LoggedChat[];
  /** What the model reads; without it, a request of any length. */
  readonly window: ModelWindow | undefined;
  disconnects: number;
  readonly holds: Holds;
}

/** The signals for the steps of a script that hold, by their names. */
interface Holds {
  /** Resolves when the test releases the steps with this name. */
  readonly released: (name: string) => Promise<void>;
  readonly release: (name: string) => void;
}

function holdsByName(): Holds {
  const signals = new Map<string, PromiseWithResolvers<void>>();
  const signalOf = (name: string) => {
    const signal = signals.get(name) ?? Promise.withResolvers<void>();
    signals.set(name, signal);
    return signal;
  };
  return { released: (name) => signalOf(name).promise, release: (name) => signalOf(name).resolve() };
}

export type Scripts = Map<string, Script>;

/** By which tests set faults, write scripts for models, and read what was asked. */
export async function startControlServer(
  proxy: FaultProxy,
  scripts: Scripts,
  embeddings: Awaited<ReturnType<typeof startEmbeddingsServer>>,

  reranking: Awaited<ReturnType<typeof startRerankServer>>,
  sites: Sites,
  mcpSites: McpSites,
) {
  const server = createServer((request, response) => {
    answer(request)
      .then((body) => response.end(JSON.stringify(body ?? null)))
      .catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? "/", "http://control");
    const hasBody = request.method === "POST" || request.method === "PUT";
    const body: unknown = hasBody ? JSON.parse(await readBody(request)) : undefined;

    // Both ends of this server are ours: bodies have the shapes of the control protocol.
    if (url.pathname === "/rules" && request.method === "POST") return proxy.addRule(body as FaultRule);
    if (url.pathname === "/rules") {
      const file = url.searchParams.get("file");
      return request.method === "DELETE" ? proxy.clearRules(file) : proxy.unmetRules(file);
    }
    if (url.pathname === "/requests") return proxy.requests(body as string[]);

    if (url.pathname === "/sites") {
      const site = url.searchParams.get("url") ?? "";
      if (request.method === "POST") return sites.start(body as SitePages);
      if (request.method === "PUT") return sites.change(site, body as SitePages);
      return request.method === "DELETE" ? sites.release(site) : sites.log(site);
    }

    if (url.pathname === "/mcp-sites") {
      const site = url.searchParams.get("url") ?? "";
      if (request.method === "POST") return mcpSites.start(body as McpSiteOptions);
      return request.method === "PUT" ? mcpSites.change(site, body as McpSiteOptions) : mcpSites.log(site);
    }

    if (url.pathname.startsWith("/embeddings/")) {
      const name = url.pathname.replace("/embeddings/", "");
      if (request.method !== "POST") return embeddings.requests(name);
      return embeddings.setFault(name, body as EmbeddingsFault | null);
    }

    if (url.pathname.startsWith("/rerankings/")) {
      const name = url.pathname.replace("/rerankings/", "");
      if (request.method !== "POST") return reranking.requests(name);
      return reranking.setFault(name, body as RerankFault | null);
    }

    const model = decodeURIComponent(url.pathname.replace("/scripts/", ""));
    const script = scripts.get(model);
    if (request.method === "DELETE") return script?.holds.release(url.searchParams.get("hold") ?? "");
    if (request.method === "POST") {
      const { replies, window } = body as ScriptBody;
      const script = { replies: [...replies], window, requests: [], disconnects: 0, holds: holdsByName() };
      return void scripts.set(model, script);
    }
    return script && { requests: script.requests, disconnects: script.disconnects };
  }

  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
