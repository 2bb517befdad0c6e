import type { ServerResponse } from "node:http";
import type { LoggedReranking, RerankFault } from "../support/control-protocol.ts";
import { startAnsweringServer } from "./answering-server.ts";

/** A server with the rerank API of Cohere. The relevance of a document is the number in it behind `relevance`. */
export const startRerankServer = () =>
  startAnsweringServer<LoggedReranking["body"], RerankFault, LoggedReranking>({
    logged: (body, request) => ({
      path: request.url ?? "",
      body,
      authorization: request.headers.authorization ?? null,
    }),
    answer: (response, body, fault) => answer(response, body.documents, fault),
  });

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
