import { AwsV4Signer } from "aws4fetch";
import { AppError } from "../shared/errors.ts";
import { readAnswer } from "./answer.ts";
import { awsEvents } from "./aws-event-stream.ts";
import { BEDROCK_BAD_FINISHES, bedrockErrorOf, BedrockReader, messageIn } from "./bedrock-answer.ts";
import { toBedrockBody } from "./bedrock-body.ts";
import { byStatus, providerError } from "./errors.ts";
import { exchange, fetchWithin, Refusal } from "./exchange.ts";
import { textAt } from "./json.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import { contextWordsOf, type ModelSettings } from "./provider.ts";

/** A Bedrock API key, or a key pair of AWS; temporary pairs have a token as well. */
export type AwsCredentials =
  | { readonly apiKey: string }
  | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };

export interface BedrockModelOptions {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** The id of a model or of an inference profile, or the ARN of either. */
  readonly model: string;
  readonly contextTokens: number;
  readonly settings: ModelSettings;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
}

/** A model behind Amazon Bedrock's Converse API. */
export function bedrockModel(options: BedrockModelOptions): ChatModel {
  const { credentials, region, model, settings, fetch, timeouts } = options;
  const url = `https://bedrock-runtime.${region}.amazonaws.com/model/${encodeURIComponent(model)}/converse-stream`;

  return {
    id: model,
    contextWords: contextWordsOf(options.contextTokens),
    stream: (request, outerSignal) =>
      exchange(
        async (signal) => {
          const body = JSON.stringify(toBedrockBody(model, request, settings));
          // Signed for each attempt: a signature has its time in it.
          const signed = await signedRequest(credentials, region, url, body);
          return fetchWithin(fetch, signed, timeouts, signal);
        },
        (response, signal) =>
          readAnswer(awsEvents(response, timeouts.idleMs, signal), new BedrockReader(), BEDROCK_BAD_FINISHES),
        { timeouts, toAppError: bedrockError },
        outerSignal,
      ),
  };
}

/** A request to Bedrock that carries its proof; a POST where there is a body. */
export async function signedRequest(
  credentials: AwsCredentials,
  region: string,
  url: string,
  body?: string,
): Promise<Request> {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const sent = { method: body === undefined ? "GET" : "POST", ...(body !== undefined && { body }) };
  if ("apiKey" in credentials)
    return new Request(url, {
      ...sent,
      headers: { ...headers, authorization: `Bearer ${credentials.apiKey}` },
    });

  const signer = new AwsV4Signer({ ...sent, ...credentials, url, headers, region, service: "bedrock" });
  const signed = await signer.sign();
  return new Request(signed.url, { ...sent, headers: signed.headers });
}

/** What a failure of a request means. */
export function bedrockError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof Refusal)) return providerError.unavailable(cause);

  // `ValidationException:http://internal.amazon.com/…`, or with its namespace before it in the body.
  const header = cause.headers.get("x-amzn-errortype") ?? "";
  const name = header.split(":")[0] || textAt(cause.body, "__type").split("#").at(-1) || "";
  return bedrockErrorOf(name, messageIn(cause.body), cause) ?? byStatus(cause.status, cause);
}
