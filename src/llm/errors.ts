import { AppError } from "../shared/errors.ts";
import { ContextOverflow, contextOverflow } from "./context-overflow.ts";

/**
 * Errors of model providers. Security: a provider's message may contain parts of a key, so it goes into `cause` only.
 */
export const providerError = {
  /** The API of the provider has no JSON answers. */
  format: () =>
    new AppError(
      "conflict",
      "The agent's model provider has no JSON answers. Leave `response_format` out, or choose another provider.",
    ),
  auth: (cause: unknown) =>
    new AppError(
      "provider-auth",
      "The model provider refused the API key. Please check it in the settings.",
      { cause },
    ),
  quota: (cause: unknown) =>
    new AppError(
      "provider-quota",
      "The account at the model provider has no credit left. Please add credit there.",
      { cause },
    ),
  /** The account has credit, but its organisation has limited what may be used. */
  usageLimit: (cause: unknown) =>
    new AppError(
      "provider-quota",
      "The usage limit of your organisation at the model provider has been reached. Please raise it there.",
      { cause },
    ),
  rate: (cause: unknown) =>
    new AppError("provider-rate", "The model provider is limiting requests. Please try again in a moment.", {
      cause,
    }),
  /** The cause is a `ContextOverflow`. `limit` is the model's window in tokens, if the provider has stated it. */
  overflow: (cause: unknown, limit?: number) =>
    new AppError(
      "provider-overflow",
      "The conversation is too long for this model. Please choose a model with a larger context window.",
      { cause: new ContextOverflow(limit, cause) },
    ),
  content: (cause: unknown) =>
    new AppError("provider-content", "The model provider refused to answer because of the content.", {
      cause,
    }),
  /** `similar` are models that the provider offers. */
  unknownModel: (cause: unknown, similar: readonly string[] = []) =>
    new AppError(
      "provider-unavailable",
      `The model provider does not offer this agent's model. ${similar.length > 0 ? `Similar models: ${similar.join(", ")}.` : "Please choose another model."}`,
      { cause: new UnknownModel(cause), retryable: false },
    ),
  withoutTools: (cause: unknown) =>
    new AppError(
      "provider-unavailable",
      "This model can't use tools, which memory requires. Please choose a model that can.",
      { cause, retryable: false },
    ),
  lacksVersion: (cause: unknown) =>
    new AppError(
      "provider-unavailable",
      "The model provider's address leads nowhere: the address seems to lack /v1. Please check it in the settings.",
      { cause, retryable: false },
    ),
  /** A proxy, a sign-in page or a web site answered in the place of the API. */
  webPage: (status?: number) =>
    new AppError(
      status === 401 || status === 403 ? "provider-auth" : "provider-unavailable",
      "The model provider's address answered with a web page. Please check the address in the settings, and any proxy in between.",
      {
        cause: new Error(`A web page with status ${status ?? 200}.`),
        retryable: status === undefined || status >= 500,
      },
    ),
  rejected: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider did not accept the request.", {
      cause,
      retryable: false,
    }),
  noModel: () =>
    new AppError(
      "provider-unavailable",
      "The agent has no model, and its provider has no default model. Please choose a model for the agent.",
      { retryable: false },
    ),
  redirected: (cause: unknown) =>
    new AppError(
      "provider-unavailable",
      "The model provider's address redirects to another one. Please check it in the settings.",
      {
        cause,
        retryable: false,
      },
    ),
  /** The address is blocked for outgoing requests. `why` is one of the sentences in `OUT_OF_BOUNDS`. */
  outOfBounds: (why: string) =>
    new AppError("provider-unavailable", `The model provider's address can't be used. ${why}`, {
      retryable: false,
    }),
  unavailable: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider can't be reached at the moment.", { cause }),
  unreadable: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider sent an invalid response.", { cause }),
  /** Another attempt usually succeeds. */
  unreadableCall: (cause: unknown) =>
    new AppError(
      "provider-unavailable",
      "The model wrote a tool call that can't be read. Please try again.",
      {
        cause,
      },
    ),
  truncated: (cause?: unknown) =>
    new AppError("provider-truncated", "The model provider ended the answer before it was complete.", {
      cause,
    }),
  tooLong: () => new AppError("provider-truncated", "The model provider's answer is too long."),
  stalled: (cause?: unknown) =>
    new AppError("provider-stalled", "The model provider stopped answering.", { cause }),
  /** The model has used up its output tokens before it wrote anything. */
  spent: (onReasoning: boolean) =>
    new AppError(
      "provider-truncated",
      onReasoning
        ? "The model spent all its output tokens on reasoning. Please allow longer answers in the agent's settings."
        : "The model reached the limit of its output tokens before it wrote anything. Please allow longer answers in the agent's settings.",
      { retryable: false },
    ),
  empty: () => new AppError("provider-unavailable", "The model returned an empty answer. Please try again."),
};

/** The reason of an error that says that the provider does not offer the model. */
export class UnknownModel extends Error {
  override readonly name = "UnknownModel";

  constructor(cause: unknown) {
    super("The provider does not offer the model.", { cause });
  }
}

/** Returns the error for an HTTP status, for responses that state no more specific reason. */
export function byStatus(status: number, cause: unknown): AppError {
  if (status === 401 || status === 403) return providerError.auth(cause);
  if (status === 402) return providerError.quota(cause);
  if (status === 404) return providerError.unknownModel(cause);
  if (status === 429) return providerError.rate(cause);
  if (status === 413) return providerError.overflow(cause);
  if (status >= 300 && status < 400) return providerError.redirected(cause);
  return status >= 500 || status === 408 ? providerError.unavailable(cause) : providerError.rejected(cause);
}

/** Returns the error for a refusal that says that the request exceeds the context window, or `undefined`. */
export function overflowError(
  status: number | undefined,
  message: string,
  cause: unknown,
): AppError | undefined {
  const overflow = contextOverflow(status, message);
  return overflow && providerError.overflow(cause, overflow.limit);
}
