import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReplyStep } from "../../scripts/model-server.ts";
import type { EmbeddingsFault, FaultRule, LoggedChat } from "../support/control-protocol.ts";
import type { startEmbeddingsServer } from "./embeddings-server.ts";
import type { FaultProxy } from "./fault-proxy.ts";

/** Replies of one scripted model: each request takes the next. */
interface Script {
  readonly replies: ReplyStep[][];
  readonly requests: LoggedChat[];
  disconnects: number;
}

export type Scripts = Map<string, Script>;

/** By which tests set faults, write scripts for models, and read what was asked. */
export async function startControlServer(
  proxy: FaultProxy,
  scripts: Scripts,
  embeddings: Awaited<ReturnType<typeof startEmbeddingsServer>>,
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
    const body: unknown = request.method === "POST" ? JSON.parse(await readBody(request)) : undefined;

    // Both ends of this server are ours: bodies have the shapes of the control protocol.
    if (url.pathname === "/rules" && request.method === "POST") return proxy.addRule(body as FaultRule);
    if (url.pathname === "/rules") return proxy.clearRules(url.searchParams.get("file"));
    if (url.pathname === "/requests") return proxy.requests(body as string[]);

    if (url.pathname.startsWith("/embeddings/")) {
      const name = url.pathname.replace("/embeddings/", "");
      if (request.method !== "POST") return embeddings.requests(name);
      return embeddings.setFault(name, body as EmbeddingsFault | null);
    }

    const model = decodeURIComponent(url.pathname.replace("/scripts/", ""));
    if (request.method === "POST")
      return void scripts.set(model, { replies: body as ReplyStep[][], requests: [], disconnects: 0 });
    const script = scripts.get(model);
    return script && { requests: script.requests, disconnects: script.disconnects };
  }

  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
