import { type AwsCredentials, bedrockError, signedRequest } from "./bedrock.ts";
import { type Embedder, TextsRefused } from "./embeddings.ts";
import { providerError } from "./errors.ts";
import { fetchJson, Refusal } from "./exchange.ts";

/** Accepts up to 8,192 tokens and returns vectors of 256, 512 or 1,024 dimensions. */
const MODEL = "amazon.titan-embed-text-v2:0";
const DIMENSIONS = 512;
/** Requests sent at a time, because the model accepts only one text per request. */
const PARALLEL = 4;

interface BedrockEmbedderOptions {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly fetch: typeof fetch;
}

/** Returns an embedder that calls Titan Text Embeddings on Amazon Bedrock. */
export function bedrockEmbedder({ credentials, region, fetch }: BedrockEmbedderOptions): Embedder {
  const url = `https://bedrock-runtime.${region}.amazonaws.com/model/${encodeURIComponent(MODEL)}/invoke`;

  async function embedOne(text: string, signal: AbortSignal): Promise<Float32Array> {
    const body = JSON.stringify({ inputText: text, dimensions: DIMENSIONS, normalize: true });
    const request = await signedRequest(credentials, region, url, body);
    return vectorFrom(await fetchJson(fetch, request, errorOf, signal));
  }

  return {
    id: `${MODEL}/${DIMENSIONS}`,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < texts.length; start += PARALLEL) {
        const batch = texts.slice(start, start + PARALLEL);
        vectors.push(...(await Promise.all(batch.map((text) => embedOne(text, signal)))));
      }
      return vectors;
    },
  };
}

/** A 400 is about this text only; others may be accepted. */
const errorOf = (cause: unknown) =>
  cause instanceof Refusal && cause.status === 400 ? new TextsRefused(cause) : bedrockError(cause);

function vectorFrom(answer: unknown): Float32Array {
  const vector: unknown =
    typeof answer === "object" && answer !== null ? Reflect.get(answer, "embedding") : undefined;
  const isVector =
    Array.isArray(vector) &&
    vector.length === DIMENSIONS &&
    vector.every((number) => typeof number === "number" && Number.isFinite(number));
  if (!isVector) throw providerError.unreadable(new Error("The answer contains no valid vector."));
  // Checked above.
  return Float32Array.from(vector as readonly number[]);
}
