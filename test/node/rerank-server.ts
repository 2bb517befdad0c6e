import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LoggedReranking, RerankFault } from "../support/control-protocol.ts";

/** What the server does for one model, and what it was asked. */
interface ModelState {
  fault: RerankFault | null;
  readonly requests: LoggedReranking[];
}

/** A server with the rerank API of Cohere. The relevance of a document is the number in it behind `relevance`. */
export async function startRerankServer() {
  const models = new Map<string, ModelState>();
  const stateOf = (model: string): ModelState => {
    const state = models.get(model) ?? { fault: null, requests: [] };
    models.set(model, state);
    return state;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      // The client under test sends this shape, or its test fails.
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as LoggedReranking["body"];
      const { fault, requests } = stateOf(body.model);
      requests.push({ path: request.url ?? "", body, authorization: request.headers.authorization ?? null });
      answer(response, body.documents, fault);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    setFault: (model: string, fault: RerankFault | null) => void (stateOf(model).fault = fault),
    requests: (model: string) => stateOf(model).requests,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(response: ServerResponse, documents: readonly string[], fault: RerankFault | null): void {
  if (fault?.kind === "stall") return;
  if (fault?.kind === "body") return void response.end(fault.body);
  if (fault?.kind === "padded") return void response.end(" ".repeat(fault.megabytes * 1_000_000) + "{}");
  if (fault?.kind === "status") {
    response.statusCode = fault.status;
    response.setHeader("location", "http://127.0.0.1:1/");
    return void response.end('{"message":"secret words"}');
  }

  const results = documents
    .map((text, index) => ({ index, relevance_score: Number(/relevance ([\d.]+\d)/u.exec(text)?.[1] ?? 0) }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, fault?.kind === "few" ? fault.results : documents.length);
  response.end(JSON.stringify(fault?.kind === "voyage" ? { object: "list", data: results } : { results }));
}
