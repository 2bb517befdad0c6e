import { APIConnectionError, APIConnectionTimeoutError } from "openai";
import { isObject, type Json, objectAt, objectsAt, textAt, valueFrom } from "../shared/json.ts";
import { AppError } from "../shared/errors.ts";
import { providerError } from "./errors.ts";
import { IN_STREAM, Refusal } from "./exchange.ts";
import { type Failure, failureError, isWebPage } from "./failures.ts";

/**
 * Returns what an error body says. OpenAI puts the error object under `error`, Google wraps that in a list, Cloudflare
 * sends a list of `error` or `errors`, and others use the top level, `detail` or plain text.
 */
export function openAiFailure(status: number | undefined, body: string): Failure {
  const parsed = valueFrom(body);
  const whole: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(whole)) return { status, codes: [], message: body };

  const error = errorObject(whole) ?? whole;
  return { status, codes: codesOf(error), message: messageOf(error) || body };
}

/** Whether a chunk of a stream, or a whole answer, reports an error instead. */
export const isErrorEvent = (event: Json): boolean =>
  Boolean(event["error"]) ||
  event["object"] === "error" ||
  event["type"] === "error" ||
  event["success"] === false ||
  (event["choices"] === undefined && Boolean(event["detail"]));

function errorObject(whole: Json): Json | undefined {
  const { error } = whole;
  if (isObject(error)) return error;
  return objectsAt(whole, "error")[0] ?? objectsAt(whole, "errors")[0];
}

const codesOf = (error: Json): readonly string[] =>
  [
    textAt(error, "code"),
    textAt(error, "type"),
    textAt(error, "status"),
    textAt(objectAt(error, "innererror"), "code"),
  ].filter((code) => code !== "");

/** OpenRouter quotes the error of the provider behind it in `metadata.raw`. */
function messageOf(error: Json): string {
  const parts = [error["message"], error["error"], error["detail"], objectAt(error, "metadata")["raw"]];
  return parts
    .filter((part) => part !== undefined && part !== null)
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join(" ");
}

/** Returns the `AppError` for a failure. `baseUrl` is the one that the user has entered. */
export function openAiError(cause: unknown, baseUrl?: string): AppError {
  const refusal = refusalIn(cause);
  if (!(refusal instanceof Refusal)) return refusal;
  const { text } = refusal;
  const status = statusOf(refusal);
  if (baseUrl !== undefined && lacksVersion(baseUrl) && isUnknownPath(status, text))
    return providerError.lacksVersion(refusal);
  return isWebPage(text) ? providerError.webPage(status) : failureError(openAiFailure(status, text), refusal);
}

/** Returns what a refusal says, or `undefined` for any other failure. */
export function openAiRefusal(cause: unknown): Failure | undefined {
  const refusal = refusalIn(cause);
  return refusal instanceof Refusal ? openAiFailure(statusOf(refusal), refusal.text) : undefined;
}

const statusOf = ({ status }: Refusal): number | undefined => (status === IN_STREAM ? undefined : status);

/** Finds the refusal in what the SDK or our own `fetch` has thrown. Security: the SDK's own messages quote keys. */
function refusalIn(cause: unknown): Refusal | AppError {
  if (cause instanceof AppError || cause instanceof Refusal) return cause;
  if (cause instanceof APIConnectionTimeoutError) return providerError.stalled();
  if (!(cause instanceof APIConnectionError)) return providerError.unavailable(cause);
  const inner: unknown = cause.cause;
  if (inner instanceof AppError || inner instanceof Refusal) return inner;
  return providerError.unavailable(new Error("The connection failed."));
}

/** Whether a refusal is about the path. LM Studio sends it with status 200. A 404 about a model is not. */
function isUnknownPath(status: number | undefined, text: string): boolean {
  if (status === undefined) return text.includes("Unexpected endpoint or method");
  return status === 405 || (status === 404 && (isWebPage(text) || !text.includes("model")));
}

/** Whether a base URL has no part such as `v1`, which nearly all servers need. */
const lacksVersion = (baseUrl: string): boolean =>
  !/\/(?:v\d|openai|deployments|api)/u.test(URL.parse(baseUrl)?.pathname ?? "");
