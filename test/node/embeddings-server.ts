import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { EmbeddingsFault, LoggedEmbedding } from "../support/control-protocol.ts";

/** Words of one line mean the same, and each line is a direction of its own. */
const MEANINGS = [
  "cat kitten feline pet",
  "car vehicle automobile drive",
  "doctor physician clinic ill",
  "money salary wage pay",
].map((line) => new Set(line.split(" ")));

/** What the server does for one model, and what it was asked. */
interface ModelState {
  fault: EmbeddingsFault | null;
  readonly requests: LoggedEmbedding[];
}

/** A server that speaks OpenAI's embeddings API, with vectors by meaning, and faults for each model. */
export async function startEmbeddingsServer() {
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
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as LoggedEmbedding["body"];
      const { fault, requests } = stateOf(body.model);
      requests.push({ body, authorization: request.headers.authorization ?? null });
      answer(response, body.input, body.dimensions ?? 8, fault);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    setFault: (model: string, fault: EmbeddingsFault | null) => void (stateOf(model).fault = fault),
    requests: (model: string) => stateOf(model).requests,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(
  response: ServerResponse,
  texts: readonly string[],
  dimensions: number,
  fault: EmbeddingsFault | null,
): void {
  if (fault?.kind === "stall") return;
  if (fault?.kind === "html") return void response.end("<html>Bad gateway</html>");
  const isRefused = fault?.kind === "refuse" && texts.some((text) => text.includes(fault.text));
  if (fault?.kind === "status" || isRefused) {
    response.statusCode = fault?.kind === "status" ? fault.status : 400;
    return void response.end('{"error":{"message":"secret words"}}');
  }

  const length = fault?.kind === "length" ? fault.length : dimensions;
  const count = fault?.kind === "too-few" ? texts.length - 1 : texts.length;
  const data = texts
    .slice(0, count)
    .map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text, length) }))
    // The protocol promises no order.
    .toReversed();
  response.end(JSON.stringify({ object: "list", data }));
}

/** One axis for each meaning, and the rest for what means nothing of these, in equal parts. */
function vectorOf(text: string, length: number): number[] {
  const words = text.toLowerCase().match(/\w+/gu) ?? [];
  const vector = MEANINGS.map((meaning) => words.filter((word) => meaning.has(word)).length);
  const rest = Array.from(text).reduce((sum, character) => (sum + (character.codePointAt(0) ?? 0)) % 7, 0);
  return Array.from(
    { length },
    (_, index) => (vector[index] ?? 0) + (index === MEANINGS.length ? 0.05 + rest / 100 : 0),
  );
}
