import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Starts a server with OpenAI's embeddings API. Its vectors have the requested length and look random, and the same text
 * always has the same one.
 */
export async function startEmbeddingsServer() {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      // The service under measurement sends this shape.
      const { input, dimensions } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
        readonly input: readonly string[];
        readonly dimensions: number;
      };
      const data = input.map((text, index) => ({ index, embedding: vectorOf(text, dimensions) }));
      response.end(JSON.stringify({ object: "list", data }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const vectorOf = (text: string, length: number): number[] =>
  Array.from(createHash("shake256", { outputLength: length }).update(text).digest(), (byte) => byte - 127.5);
