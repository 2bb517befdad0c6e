import { openAiEmbedder } from "../../src/llm/embeddings.ts";
import { httpReranker } from "../../src/llm/rerank.ts";
import { AppError, type ErrorCode } from "../../src/shared/errors.ts";
import { limitedFetch } from "../../src/shared/limited-fetch.ts";
import { withoutTrailing } from "../../src/shared/text.ts";
import { field, parseJson } from "../json.ts";
import { type CheckContext, type Finding, note, ok, reasonOf, wrong } from "./finding.ts";

const MAX_ANSWER_BYTES = 1_000_000;

/** Has the embeddings server embed one word. */
export async function checkEmbeddings({
  variables,
  fetch,
  signal,
}: CheckContext): Promise<readonly Finding[]> {
  const { EMBEDDINGS_URL: url, EMBEDDINGS_MODEL: model, EMBEDDINGS_DIMENSIONS: stated } = variables;
  if (url === undefined && model === undefined)
    return [
      note(
        "EMBEDDINGS_URL is not set: search is semantic only with the embeddings of an agent's own provider.",
      ),
    ];
  if (url === undefined || model === undefined) return []; // The settings' own check says so.
  if (!URL.canParse(url)) return [wrong("EMBEDDINGS_URL has to be an address that ends in /v1.")];

  const dimensions = stated === undefined ? undefined : Number(stated);
  const config = { url, model, dimensions: undefined, apiKey: variables["EMBEDDINGS_API_KEY"] };
  const embed = async (length: number | undefined): Promise<number> => {
    const [vector] = await openAiEmbedder({ ...config, dimensions: length }, fetch).embed(["word"], signal);
    return vector?.length ?? 0;
  };
  try {
    return [ok(`The embeddings server answers, with vectors of ${await embed(dimensions)} numbers.`)];
  } catch (error) {
    // A server that ignores the wanted length answers without it, which is another mistake than not answering.
    const own = dimensions === undefined ? undefined : await embed(undefined).catch(() => undefined);
    if (own !== undefined)
      return [
        wrong(
          `The model ${model} does not make vectors of EMBEDDINGS_DIMENSIONS=${dimensions} numbers; it makes ${own}. Set that number, or leave the setting out.`,
        ),
      ];
    return [wrong(`The embeddings server ${sentenceOf(error, signal, "EMBEDDINGS")}`)];
  }
}

/** Has the reranking server order one word. */
export async function checkReranking({
  variables,
  fetch,
  signal,
}: CheckContext): Promise<readonly Finding[]> {
  const { RERANK_URL: url, RERANK_MODEL: model } = variables;
  if (url === undefined || model === undefined) return [];
  if (!URL.canParse(url)) return [wrong("RERANK_URL has to be an address, such as https://api.jina.ai/v1")];
  const config = { url, model, apiKey: variables["RERANK_API_KEY"] };
  try {
    await httpReranker(config, fetch).relevances("word", ["word"], signal);
    return [ok("The reranking server answers.")];
  } catch (error) {
    return [wrong(`The reranking server ${sentenceOf(error, signal, "RERANK")}`)];
  }
}

/** What a failure means, by the code of its error. */
const MEANINGS: Partial<Record<ErrorCode, string>> = {
  "provider-auth": "does not accept the key: check %_API_KEY.",
  "provider-quota": "says that the account has no credit left.",
  "provider-rate": "limits requests at the moment. Try again.",
};

function sentenceOf(error: unknown, signal: AbortSignal, prefix: string): string {
  if (signal.aborted) return `did not answer in time: check ${prefix}_URL.`;
  // An `AppError` has a code for callers of the service; the reason is its cause.
  const cause = error instanceof AppError ? error.cause : error;
  const known = error instanceof AppError ? MEANINGS[error.code] : undefined;
  if (known !== undefined) return known.replace("%", prefix);
  const reason = statusIn(cause) ?? reasonOf(cause, signal);
  if (reason === "401" || reason === "403") return `does not accept the key: check ${prefix}_API_KEY.`;
  return `gave no usable answer (${reason}): check ${prefix}_URL and ${prefix}_MODEL.`;
}

/** Returns the status that a server has answered, as the clients' own errors name it. */
const statusIn = (cause: unknown): string | undefined =>
  cause instanceof Error ? /answered (\d{3})\./u.exec(cause.message)?.[1] : undefined;

/** Checks that the receiver of the contact form is there. It is sent nothing. Its address is a secret. */
export async function checkContact({
  variables,
  isLocal,
  fetch,
  signal,
}: CheckContext): Promise<readonly Finding[]> {
  const address = variables["CONTACT_WEBHOOK_URL"];
  if (address === undefined)
    return [note("CONTACT_WEBHOOK_URL is not set, so the contact form is not offered.")];
  const protocol = URL.parse(address)?.protocol;
  if (protocol !== "https:" && !(isLocal && protocol === "http:"))
    return [
      wrong(
        "CONTACT_WEBHOOK_URL has to be an address that begins with https://, so the contact form is not offered.",
      ),
    ];
  try {
    const response = await limitedFetch(fetch, MAX_ANSWER_BYTES)(address, { method: "HEAD", signal });
    await response.body?.cancel();
    // A receiver of messages may refuse any other request, but it must be there.
    return response.status === 404 || response.status === 410
      ? [
          wrong(
            `The receiver of the contact form says that its address is gone (${response.status}): check CONTACT_WEBHOOK_URL.`,
          ),
        ]
      : [ok("The receiver of the contact form answers.")];
  } catch (error) {
    return [
      wrong(
        `The receiver of the contact form does not answer (${reasonOf(error, signal)}): check CONTACT_WEBHOOK_URL.`,
      ),
    ];
  }
}

/** Looks whether this service already answers at its public address. It need not run while it is checked. */
export async function checkPublicAddress({
  variables,
  fetch,
  signal,
}: CheckContext): Promise<readonly Finding[]> {
  const address = variables["PUBLIC_URL"];
  if (address === undefined || !URL.canParse(address)) return [];
  const health = `${withoutTrailing(address, "/")}/health`;
  try {
    const response = await limitedFetch(fetch, MAX_ANSWER_BYTES)(health, { signal });
    const status = field(parseJson(await response.text()), "status");
    return status === "healthy"
      ? [ok(`The service answers at ${address}.`)]
      : [note(`Something else answers at PUBLIC_URL: ${health} answered ${response.status}.`)];
  } catch (error) {
    return [
      note(
        `The service does not answer at PUBLIC_URL (${reasonOf(error, signal)}); it may not be running yet.`,
      ),
    ];
  }
}
