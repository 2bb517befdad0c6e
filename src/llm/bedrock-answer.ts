import type { AppError } from "../shared/errors.ts";
import type { AnswerReader, BadFinishes } from "./answer.ts";
import type { AwsEvent } from "./aws-event-stream.ts";
import { byStatus, overflowWords, providerError } from "./errors.ts";
import { type Json, numberAt, objectAt, textAt } from "./json.ts";
import type { TokenUsage } from "./model.ts";
import { ToolCalls } from "./tool-calls.ts";

export const BEDROCK_BAD_FINISHES: BadFinishes = {
  content_filtered: providerError.content,
  guardrail_intervened: providerError.content,
  malformed_model_output: providerError.unreadable,
  malformed_tool_use: providerError.unreadable,
};

/** The Converse API: blocks that start, grow and stop, the reason to stop, and then the usage. */
export class BedrockReader implements AnswerReader<AwsEvent> {
  readonly calls = new ToolCalls();
  usage: TokenUsage | undefined;
  finish = "";

  take({ kind, type, body }: AwsEvent): string {
    if (kind !== "event") throw errorInStream(type, body);
    const index = numberAt(body, "contentBlockIndex") ?? 0;

    switch (type) {
      case "contentBlockStart": {
        const start = objectAt(body, "start");
        const { toolUseId: id, name } = objectAt(start, "toolUse");
        if (typeof id === "string" && typeof name === "string") this.calls.add(index, { id, name });
        return "";
      }
      case "contentBlockDelta": {
        // What the model thinks is passed over.
        const delta = objectAt(body, "delta");
        const input = textAt(objectAt(delta, "toolUse"), "input");
        if (input !== "" && this.calls.at(index)) this.calls.add(index, { arguments: input });
        return textAt(delta, "text");
      }
      case "contentBlockStop":
        // A call without arguments comes without a piece of them.
        if (this.calls.at(index)?.arguments === "") this.calls.add(index, { arguments: "{}" });
        return "";
      case "messageStop":
        this.finish = textAt(body, "stopReason");
        return "";
      case "metadata":
        this.usage = toUsage(objectAt(body, "usage"));
        return "";
      default:
        return "";
    }
  }

  /** The usage comes last; its stream is not always closed at once. */
  get isOver(): boolean {
    return this.finish !== "" && this.usage !== undefined;
  }
}

/** What is in the cache, or goes there, is counted beside the rest of the input. */
function toUsage(counts: Json): TokenUsage {
  const cachedTokens = numberAt(counts, "cacheReadInputTokens") ?? 0;
  const written = numberAt(counts, "cacheWriteInputTokens") ?? 0;
  return {
    inputTokens: (numberAt(counts, "inputTokens") ?? 0) + cachedTokens + written,
    outputTokens: numberAt(counts, "outputTokens") ?? 0,
    cachedTokens,
  };
}

function errorInStream(type: string, body: Json): AppError {
  const said = new Error("The provider reported an error in its stream.");
  // Errors of the HTTP answer have their names with a capital letter.
  const name = type.charAt(0).toUpperCase() + type.slice(1);
  return bedrockErrorOf(name, messageIn(body), said) ?? providerError.unavailable(said);
}

/** AWS spells it either way. */
export const messageIn = (body: Json): string => textAt(body, "message") || textAt(body, "Message");

/** What an exception means, where its name says more than the status. */
export function bedrockErrorOf(name: string, message: string, cause: unknown): AppError | undefined {
  if (overflowWords.test(message) && name === "ValidationException") return providerError.overflow(cause);
  if (/content filter/iu.test(message)) return providerError.content(cause);
  if (/per day/iu.test(message) && name === "ThrottlingException") return providerError.quota(cause);
  // The key is good, but this model, or its use without an inference profile, is not open to the account.
  if (/model identifier|on-demand throughput|access to the model/iu.test(message))
    return providerError.unknownModel(cause);
  const status = Object.hasOwn(STATUS_OF, name) ? STATUS_OF[name] : undefined;
  return status === undefined ? undefined : byStatus(status, cause);
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
