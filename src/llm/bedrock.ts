import { AwsV4Signer } from "aws4fetch";
import { AppError } from "../shared/errors.ts";
import { amend, type Amendment } from "./amendments.ts";
import { Answer, readAnswer } from "./answer.ts";
import { AwsEventDecoder } from "./aws-event-stream.ts";
import { BEDROCK_FINISHES, BedrockReader } from "./bedrock-answer.ts";
import { toBedrockBody } from "./bedrock-body.ts";
import { providerError } from "./errors.ts";
import { exchange, fetchWithin, IN_STREAM, Refusal } from "./exchange.ts";
import { type Failure, failureError, isWebPage } from "./failures.ts";
import { textAt } from "../shared/json.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** A Bedrock API key, or an AWS key pair. Temporary key pairs also have a session token. */
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
  /** What Bedrock has refused before. Further amendments are added. */
  readonly amendments: Map<Amendment, number>;
}

/** Returns a model that calls Amazon Bedrock's Converse API. */
export function bedrockModel(options: BedrockModelOptions): ChatModel {
  const { credentials, region, model, settings, fetch, timeouts, amendments } = options;
  const url = `https://bedrock-runtime.${region}.amazonaws.com/model/${encodeURIComponent(model)}/converse-stream`;
  const source = `bedrock/${model}`;

  return {
    id: model,
    contextTokens: options.contextTokens,
    stream(request, outerSignal) {
      if (request.format) throw providerError.format();
      let body = "";

      return exchange(
        async (signal) => {
          body = JSON.stringify(toBedrockBody(model, request, settings, { source, amendments }));
          // Signed for each attempt, because a signature expires.
          const signed = await signedRequest(credentials, region, url, body);
          return fetchWithin(fetch, signed, timeouts, signal);
        },
        (response, signal) => {
          const answer = new Answer({ source, finishes: BEDROCK_FINISHES });
          if (amendments.has("tools") && request.tools.length > 0) answer.withoutTools();
          return readAnswer(
            response,
            answer,
            new AwsEventDecoder(new BedrockReader(answer)),
            timeouts,
            signal,
          );
        },
        {
          timeouts,
          toAppError: bedrockError,
          amend: (cause) => cause instanceof Refusal && amend(bedrockFailure(cause), body, amendments),
        },
        outerSignal,
      );
    },
  };
}

/** Returns a request to Bedrock with its authorization: a POST if there is a body, otherwise a GET. */
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

/** Returns the `AppError` for a failed request to Bedrock. */
export function bedrockError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof Refusal)) return providerError.unavailable(cause);
  if (isWebPage(cause.text)) return providerError.webPage(cause.status);

  const failure = bedrockFailure(cause);
  const isDaily = failure.status === 429 && /per day/iu.test(failure.message);
  return isDaily ? providerError.quota(cause) : failureError(failure, cause);
}

/** Returns what a refusal says. The name of the exception counts more than the status. */
function bedrockFailure({ status, headers, body }: Refusal): Failure {
  // The header reads `ValidationException:http://internal.amazon.com/…`; in the body, a namespace and `#` come first.
  const header = headers.get("x-amzn-errortype") ?? "";
  const type = header.split(":")[0] || textAt(body, "__type").split("#").at(-1) || "";
  // In the stream, exception names begin with a lower-case letter; in HTTP responses, with a capital one.
  const name = type.charAt(0).toUpperCase() + type.slice(1);
  const stated = status === IN_STREAM ? undefined : status;
  return {
    status: (Object.hasOwn(STATUS_OF, name) ? STATUS_OF[name] : undefined) ?? stated,
    codes: [],
    // AWS uses both spellings of the member.
    message: textAt(body, "message") || textAt(body, "Message"),
  };
}

const STATUS_OF: Readonly<Record<string, number>> = {
  ValidationException: 400,
  UnrecognizedClientException: 401,
  InvalidSignatureException: 401,
  ExpiredTokenException: 401,
  MissingAuthenticationTokenException: 401,
  IncompleteSignatureException: 401,
  InvalidClientTokenId: 401,
  AccessDeniedException: 403,
  ServiceQuotaExceededException: 402,
  ResourceNotFoundException: 404,
  ThrottlingException: 429,
  ModelErrorException: 502,
  ModelStreamErrorException: 502,
  ModelNotReadyException: 503,
  ModelTimeoutException: 503,
  InternalServerException: 500,
  ServiceUnavailableException: 503,
};
