import { azureEmbeddings, isAzure } from "./azure.ts";
import { sleep } from "../shared/async.ts";
import { AppError } from "../shared/errors.ts";
import { textOf } from "./bytes.ts";
import { withoutTrailing } from "../shared/text.ts";
import { providerError } from "./errors.ts";
import { jsonFrom } from "./exchange.ts";

/** Turns texts into vectors. The more similar the meaning of two texts, the closer their vectors. */
export interface Embedder {
  /** Identifies the model and its dimensions. Vectors of embedders with different ids must not be compared. */
  readonly id: string;
  /** Returns one vector per text, in order, all of the same length. Throws `AppError`, or the signal's reason. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
  /** Returns the embedder of another model of the same server by its id. Absent if the server has one model only. */
  readonly ofModel?: (id: string) => Embedder;
}

export interface EmbeddingsConfig {
  /** The API's base URL, such as `https://api.openai.com/v1`. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly model: string;
  /** The requested length of the vectors, or `undefined` for the model's default. */
  readonly dimensions: number | undefined;
}

/** Where the embeddings of a model are requested, and with which key. */
export interface EmbeddingsEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function endpointOf(config: EmbeddingsConfig): EmbeddingsEndpoint {
  const { url, apiKey } = config;
  if (isAzure(url)) return azureEmbeddings(config);
  return {
    url: `${withoutTrailing(url, "/")}/embeddings`,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
  };
}

/** One retry. The caller's signal bounds the total time. */
const ATTEMPTS = 2;
const RETRY_WAIT_MS = 300;
/** If `Retry-After` is longer than this, there is no retry. */
const RETRY_AFTER_MAX_MS = 2_000;
/** More dimensions than any model has. */
const MAX_DIMENSIONS = 8_192;
/** The size of one number in JSON, with comma and white space, and of everything around the vectors. */
const NUMBER_BYTES = 32;
const FRAME_BYTES = 64_000;
/** The maximum wait for the body, even if the signal allows more. */
const ANSWER_MS = 30_000;

/** Whether a status means that the server refuses these texts, and not that the server has failed. */
const isAboutTheTexts = (status: number): boolean => status === 400 || status === 413 || status === 422;

/** The server refused these texts. It may accept others. */
export class TextsRefused extends AppError {
  override readonly name = "TextsRefused";

  constructor(cause: unknown) {
    super("provider-unavailable", "The embeddings server did not accept the request.", {
      cause,
      retryable: false,
    });
  }
}

/** Returns an embedder that calls OpenAI's embeddings API, Azure's, or any compatible server. */
export function openAiEmbedder(config: EmbeddingsConfig, send: typeof fetch): Embedder {
  const { model, dimensions } = config;
  const { url, headers: keyHeaders } = endpointOf(config);
  const headers = { "content-type": "application/json", ...keyHeaders };

  async function ask(body: string, signal: AbortSignal): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      // Security: following a redirect would send the key to another server.
      const init = { method: "POST", headers, body, signal, redirect: "manual" } as const;
      const response = await send(url, init).catch((cause: unknown) => {
        signal.throwIfAborted();
        return providerError.unavailable(cause);
      });
      if (response instanceof Response && response.ok) return response;

      const waitMs = response instanceof Response ? retryWait(response) : RETRY_WAIT_MS;
      if (response instanceof Response) await response.body?.cancel();
      if (attempt === ATTEMPTS || waitMs === undefined)
        throw response instanceof Response ? errorOf(response.status) : response;
      await sleep(waitMs, signal);
    }
  }

  return {
    id: `${model}/${dimensions ?? "all"}`,
    ofModel(id) {
      // Names of models may contain slashes.
      const slash = id.lastIndexOf("/");
      const [name, length] = slash === -1 ? [id, "all"] : [id.slice(0, slash), id.slice(slash + 1)];
      const wanted = { ...config, model: name, dimensions: length === "all" ? undefined : Number(length) };
      return openAiEmbedder(wanted, send);
    },
    async embed(texts, signal) {
      const body = { model, input: texts, encoding_format: "float", ...(dimensions && { dimensions }) };
      const response = await ask(JSON.stringify(body), signal);
      const maxBytes = texts.length * MAX_DIMENSIONS * NUMBER_BYTES + FRAME_BYTES;
      const answer = await textOf(response, { ms: ANSWER_MS, maxBytes, signal }).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw cause instanceof AppError ? cause : providerError.unreadable(cause);
      });
      return vectorsFrom(jsonFrom(answer), texts.length, dimensions);
    },
  };
}

/** Returns the wait before a retry in milliseconds, or `undefined` if a retry is pointless. */
function retryWait({ status, headers }: Response): number | undefined {
  if (status >= 500 || status === 408) return RETRY_WAIT_MS;
  if (status !== 429) return undefined;

  const asked = Number(headers.get("retry-after") ?? Number.NaN) * 1000;
  if (Number.isNaN(asked)) return RETRY_WAIT_MS;
  return asked <= RETRY_AFTER_MAX_MS ? asked : undefined;
}

/** Security: the server's message may quote the key or the texts, so only the status is kept. */
function errorOf(status: number): AppError {
  const cause = new Error(`The embeddings server answered ${status}.`);
  if (isAboutTheTexts(status)) return new TextsRefused(cause);
  if (status === 401 || status === 403) return providerError.auth(cause);
  if (status === 402) return providerError.quota(cause);
  if (status === 404) return providerError.unknownModel(cause);
  if (status === 429) return providerError.rate(cause);
  return status >= 500 || status === 408 ? providerError.unavailable(cause) : providerError.rejected(cause);
}

/**
 * Returns the vectors of an answer in the order of the texts. Throws if it does not hold exactly one vector per text.
 */
function vectorsFrom(
  answer: unknown,
  count: number,
  dimensions: number | undefined,
): readonly Float32Array[] {
  const data = member(answer, "data") ?? member(member(answer, "result"), "data");
  if (!Array.isArray(data) || data.length !== count)
    throw unreadable("The answer does not hold one vector for each text.");

  const vectors = new Map<number, Float32Array>();
  let length = dimensions;
  for (const [place, entry] of data.entries()) {
    // Workers AI sends bare vectors.
    const vector = vectorFrom(Array.isArray(entry) ? entry : member(entry, "embedding"));
    length ??= vector.length;
    if (vector.length !== length) throw unreadable("A vector does not have the expected length.");
    const index = member(entry, "index");
    vectors.set(typeof index === "number" ? index : place, vector);
  }

  return Array.from({ length: count }, (_, index) => {
    const vector = vectors.get(index);
    if (!vector) throw unreadable("The answer does not hold one vector for each text.");
    return vector;
  });
}

function vectorFrom(value: unknown): Float32Array {
  const isVector =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_DIMENSIONS &&
    value.every((number) => Number.isFinite(number));
  if (!isVector) throw unreadable("A vector is not a list of numbers.");
  return Float32Array.from(value as readonly number[]);
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const unreadable = (why: string): AppError => providerError.unreadable(new Error(why));
