import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { EmbeddingsFault, LoggedEmbedding } from "../support/control-protocol.ts";
import { startAnsweringServer } from "./answering-server.ts";

/** The words of a line are synonyms, and each line has a direction of its own. */
const MEANINGS = [
  "cat kitten feline pet",
  "car vehicle automobile drive",
  "doctor physician clinic ill",
  "money salary wage pay",
].map((line) => new Set(line.split(" ")));

/** A server with OpenAI's embeddings API, whose vectors reflect synonyms, and with faults for each model. */
export const startEmbeddingsServer = () =>
  startAnsweringServer<LoggedEmbedding["body"], EmbeddingsFault, LoggedEmbedding>({
    logged: (body, request) => ({ body, authorization: request.headers.authorization ?? null }),
    answer: (response, body, fault) => answer(response, body.input, body.dimensions ?? 8, fault),
  });

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
    .map((text, index) => ({
      object: "embedding",
      index,
      embedding: (fault?.kind === "random" ? randomVectorOf : vectorOf)(text, length),
    }))
    // The protocol promises no order.
    .toReversed();
  const whole = JSON.stringify({ object: "list", data });
  if (fault?.kind !== "padded") return void response.end(whole);

  const padded = Buffer.concat([Buffer.alloc(fault.megabytes * 1_000_000, " "), Buffer.from(whole)]);
  if (!fault.gzip) return void response.end(padded);
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(padded));
}

/** One axis for each line of synonyms, and the others for all other words. */
function vectorOf(text: string, length: number): number[] {
  const words = text.toLowerCase().match(/\w+/gu) ?? [];
  const vector = MEANINGS.map((meaning) => words.filter((word) => meaning.has(word)).length);
  const rest = Array.from(text).reduce((sum, character) => (sum + (character.codePointAt(0) ?? 0)) % 7, 0);
  return Array.from(
    { length },
    (_, index) => (vector[index] ?? 0) + (index === MEANINGS.length ? 0.05 + rest / 100 : 0),
  );
}

/** The bytes of a hash: they do not depend on the meaning of a text, and are the same each time. */
const randomVectorOf = (text: string, length: number): number[] =>
  Array.from(createHash("shake256", { outputLength: length }).update(text).digest(), (byte) => byte - 127.5);
