import type { AppError } from "../shared/errors.ts";
import { byStatus, overflowError, providerError } from "./errors.ts";

/** What is known about a refusal. */
export interface Failure {
  /** The HTTP status, or `undefined` for an error in a stream that names none. */
  readonly status: number | undefined;
  /** The provider's own codes and types, the most specific first. */
  readonly codes: readonly string[];
  readonly message: string;
}

type ErrorFactory = (cause: unknown) => AppError;

/** Codes that mean the same at every server that uses them. */
const CODES: Readonly<Record<string, ErrorFactory>> = {
  insufficient_quota: providerError.quota,
  billing_hard_limit_reached: providerError.quota,
  insufficient_balance: providerError.quota,
  credit_required: providerError.quota,
  content_filter: providerError.content,
  content_policy_violation: providerError.content,
  bio_policy: providerError.content,
  misalignment_policy_violation: providerError.content,
  responsibleaipolicyviolation: providerError.content,
  model_not_found: providerError.unknownModel,
  deploymentnotfound: providerError.unknownModel,
  invalid_api_key: providerError.auth,
  authentication_error: providerError.auth,
  rate_limit_exceeded: providerError.rate,
  rate_limit_error: providerError.rate,
  rate_limit_reached_error: providerError.rate,
  too_many_requests_error: providerError.rate,
  exceeded_current_quota_error: providerError.quota,
  // Groq could not read a call that the model has written.
  tool_use_failed: providerError.unreadableCall,
  overloaded_error: providerError.unavailable,
  server_error: providerError.unavailable,
};

/**
 * How servers word what they have no code for. The first match counts. Quantifiers are bounded, because the text comes
 * from outside.
 */
const LIMIT_WORDS: readonly (readonly [RegExp, ErrorFactory])[] = [
  [/(?:retry|try again) (?:in|after) [\d.]/iu, providerError.rate],
  [
    /(?:usage|spend|spending|budget|cost) limits?\b|monthly (?:limit|budget)|budget has been exceeded/iu,
    providerError.usageLimit,
  ],
  [
    /credit balance|insufficient[ _](?:credit|balance|fund|quota)|out of (?:free )?credit|(?:no|any|more|enough) credits(?! were charged)|exceeded your (?:current|monthly) (?:quota|included credits)|payment required|free allocation|overdue|in arrears/iu,
    providerError.quota,
  ],
];
const OTHER_WORDS: readonly (readonly [RegExp, ErrorFactory])[] = [
  [
    /content[ _](?:filter|management|policy)|content policies|safety (?:system|policy|filter)|flagged (?:by|as|for)|moderation|inappropriate content|content exists risk/iu,
    providerError.content,
  ],
  [
    /api[ _]key (?:is )?(?:not valid|invalid|not found|expired|missing)|(?:invalid|incorrect|missing|wrong) api[ _-]?key|no auth credentials|user not found/iu,
    providerError.auth,
  ],
  [
    /model [^\n]{0,120}(?:not found|not exist|is not available|not supported (?:for|by)|decommissioned|deprecated|no longer)|(?:unknown|invalid|no such|unsupported) model|not a valid model|model identifier|on-demand throughput|access to the model/iu,
    providerError.unknownModel,
  ],
];

/** Models that can't call tools, in the words of the servers that run them. */
const WITHOUT_TOOLS =
  /(?:not |n't )(?:currently )?support(?:ed)? (?:for )?(?:tools?|tool[ _](?:use|call\w*|choice)|function[ _]call\w*)\b|no endpoints found that support tool|(?:tools?|tool[ _](?:use|call\w{0,3})|function[ _]call\w{0,3})[^\n]{0,40}(?:not (?:supported|enabled|available)|unsupported|n't support)|auto\W{0,3}tool choice requires|tools param requires/iu;

/** Returns whether a refusal says that the model can't call tools. */
export const refusesTools = (status: number | undefined, message: string): boolean =>
  status !== 429 && WITHOUT_TOOLS.test(message.slice(0, MAX_CHARS));

/** A server that fails may say anything, and a 429 is about limits, whatever else it mentions. */
function wordsFor(status: number | undefined): typeof LIMIT_WORDS {
  if (status !== undefined && status >= 500) return [];
  return status === 429 ? LIMIT_WORDS : [...LIMIT_WORDS, ...OTHER_WORDS];
}

/** Whether a body is a page for people: of a proxy, a sign-in or a web site. */
export const isWebPage = (body: string): boolean =>
  /^\s{0,100}(?:<!--[^>]{0,200}-->\s{0,100})?<(?:!doctype|html)/iu.test(body);

/** Only the beginning of a message is read. */
const MAX_CHARS = 2_000;

/** Returns the error for a refusal: by its code, by its words, and otherwise by its status. */
export function failureError({ status: stated, codes, message }: Failure, cause: unknown): AppError {
  // Some servers put an HTTP status into the code of an error in a stream.
  const status = stated ?? codes.map(Number).find((code) => code >= 400 && code < 600);
  const lowered = codes.map((code) => code.toLowerCase());
  // Checked first: some servers send a 413 with the code of a rate limit, and only the message states the limit.
  const overflow = overflowError(status, message, cause);
  if (overflow) return overflow;
  if (lowered.some((code) => code === "context_length_exceeded" || code === "exceed_context_size_error"))
    return providerError.overflow(cause);
  if (refusesTools(status, message)) return providerError.withoutTools(cause);

  const code = lowered.find((known) => Object.hasOwn(CODES, known) && known !== "rate_limit_exceeded");
  const byCode = code === undefined ? undefined : CODES[code];
  if (byCode) return byCode(cause);
  const words = wordsFor(status).find(([pattern]) => pattern.test(message.slice(0, MAX_CHARS)));
  if (words) return words[1](cause);
  if (lowered.includes("rate_limit_exceeded")) return providerError.rate(cause);
  if (status !== undefined) return byStatus(status, cause);
  const isRejected = lowered.some((one) => one === "invalid_request_error" || one === "invalid_prompt");
  return isRejected ? providerError.rejected(cause) : providerError.unavailable(cause);
}
