import { type AwsCredentials, bedrockError, signedRequest } from "./bedrock.ts";
import { type Embedder, TextsRefused } from "./embeddings.ts";
import { providerError } from "./errors.ts";
import { fetchJson, Refusal } from "./exchange.ts";

/** Takes 8,192 tokens and gives vectors of 256, 512 or 1,024 dimensions. */
const MODEL = "amazon.titan-embed-text-v2:0";
const DIMENSIONS = 512;
/** It takes one text per request. */
const PARALLEL = 4;

interface BedrockEmbedderOptions {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly fetch: typeof fetch;
}

/** An embedder behind Amazon Bedrock: Titan Text Embeddings. */
export function bedrockEmbedder({ credentials, region, fetch }: BedrockEmbedderOptions): Embedder {
  const url = `https://bedrock-runtime.${region}.amazonaws.com/model/${encodeURIComponent(MODEL)}/invoke`;

  async function one(text: string, signal: AbortSignal): Promise<Float32Array> {
    const body = JSON.stringify({ inputText: text, dimensions: DIMENSIONS, normalize: true });
    const request = await signedRequest(credentials, region, url, body);
    return vectorFrom(await fetchJson(fetch, request, errorOf, signal));
  }

  return {
    id: `${MODEL}/${DIMENSIONS}`,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < texts.length; start += PARALLEL) {
        const some = texts.slice(start, start + PARALLEL);
        vectors.push(...(await Promise.all(some.map((text) => one(text, signal)))));
      }
      return vectors;
    },
  };
}

/** A text that the model does not take says nothing of the next one. */
const errorOf = (cause: unknown) =>
  cause instanceof Refusal && cause.status === 400 ? new TextsRefused(cause) : bedrockError(cause);

function vectorFrom(answer: unknown): Float32Array {
  const vector: unknown =
    typeof answer === "object" && answer !== null ? Reflect.get(answer, "embedding") : undefined;
  const isVector =
    Array.isArray(vector) &&
    vector.length === DIMENSIONS &&
    vector.every((number) => typeof number === "number" && Number.isFinite(number));
  if (!isVector) throw providerError.unreadable(new Error("The answer holds no vector."));
  // Just looked at, number by number.
  return Float32Array.from(vector as readonly number[]);
}
