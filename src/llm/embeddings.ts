import { AppError } from "../shared/errors.ts";
import { providerError } from "./errors.ts";

/** Turns texts into vectors that lie near to each other where the texts mean the same. */
export interface Embedder {
  /** Vectors of different ids can't be compared. */
  readonly id: string;
  /** A vector for each text, in their order, all of one length. Throws `AppError`, or the signal's reason. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface EmbeddingsConfig {
  /** Ends in `/v1`, like that of a model. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly model: string;
  /** How long the vectors should be; as the model likes where nothing is said. */
  readonly dimensions: number | undefined;
}

/** One retry; how long all of it may take, the signal says. */
const ATTEMPTS = 2;
const RETRY_WAIT_MS = 300;
/** A server that asks for more patience than this is not asked again. */
const RETRY_AFTER_MAX_MS = 2_000;
/** Longer vectors than any model makes. */
const MAX_DIMENSIONS = 8_192;

/** A request whose answer says that its texts, and not the server, are the trouble. */
const isAboutTheTexts = (status: number): boolean => status === 400 || status === 413 || status === 422;

/** The server does not take these texts. Others may be fine. */
export class TextsRefused extends AppError {
  override readonly name = "TextsRefused";

  constructor(cause: unknown) {
    super("provider-unavailable", "The embeddings server did not accept the request.", {
      cause,
      retryable: false,
    });
  }
}

/** An embedder behind OpenAI's embeddings API, or behind any server that speaks it. */
export function openAiEmbedder(config: EmbeddingsConfig, send: typeof fetch): Embedder {
  const { url, apiKey, model, dimensions } = config;
  const endpoint = `${url.replace(/\/+$/u, "")}/embeddings`;
  const headers = {
    "content-type": "application/json",
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };

  async function ask(body: string, signal: AbortSignal): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      // A redirect would take the key to another server.
      const init = { method: "POST", headers, body, signal, redirect: "manual" } as const;
      const response = await send(endpoint, init).catch((cause: unknown) => {
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
    async embed(texts, signal) {
      const body = { model, input: texts, encoding_format: "float", ...(dimensions && { dimensions }) };
      const response = await ask(JSON.stringify(body), signal);
      const answer = await response.json().catch((cause: unknown) => {
        signal.throwIfAborted();
        throw providerError.unreadable(cause);
      });
      return vectorsFrom(answer, texts.length, dimensions);
    },
  };
}

/** How long to wait before trying again, or nothing where trying again is of no use. */
function retryWait({ status, headers }: Response): number | undefined {
  if (status >= 500 || status === 408) return RETRY_WAIT_MS;
  if (status !== 429) return undefined;

  const asked = Number(headers.get("retry-after") ?? Number.NaN) * 1000;
  if (Number.isNaN(asked)) return RETRY_WAIT_MS;
  return asked <= RETRY_AFTER_MAX_MS ? asked : undefined;
}

/** What the server says may quote the key or the texts, so only the status is kept. */
function errorOf(status: number): AppError {
  const cause = new Error(`The embeddings server answered ${status}.`);
  if (isAboutTheTexts(status)) return new TextsRefused(cause);
  if (status === 401 || status === 403) return providerError.auth(cause);
  if (status === 402) return providerError.quota(cause);
  if (status === 404) return providerError.unknownModel(cause);
  if (status === 429) return providerError.rate(cause);
  return status >= 500 || status === 408 ? providerError.unavailable(cause) : providerError.rejected(cause);
}

/** The vectors of an answer, which may come in any order. Throws where it is not exactly what was asked for. */
function vectorsFrom(
  answer: unknown,
  count: number,
  dimensions: number | undefined,
): readonly Float32Array[] {
  const data = member(answer, "data");
  if (!Array.isArray(data) || data.length !== count)
    throw unreadable("The answer does not hold one vector for each text.");

  const vectors = new Map<number, Float32Array>();
  let length = dimensions;
  for (const [place, entry] of data.entries()) {
    const vector = vectorFrom(member(entry, "embedding"));
    length ??= vector.length;
    if (vector.length !== length) throw unreadable("A vector has another length than was expected.");
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

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
