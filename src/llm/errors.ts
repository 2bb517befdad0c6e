import { AppError } from "../shared/errors.ts";

/** What providers' answers mean to the caller. The provider's own words may hold parts of a key: they stay in `cause`. */
export const providerError = {
  auth: (cause: unknown) =>
    new AppError(
      "provider-auth",
      "The model provider refused the API key. Please check it in the settings.",
      { cause },
    ),
  quota: (cause: unknown) =>
    new AppError("provider-quota", "The account at the model provider has no quota left.", { cause }),
  rate: (cause: unknown) =>
    new AppError("provider-rate", "The model provider is limiting requests. Please try again in a moment.", {
      cause,
    }),
  overflow: (cause: unknown) =>
    new AppError("provider-overflow", "The conversation is longer than this model can read.", { cause }),
  content: (cause: unknown) =>
    new AppError("provider-content", "The model provider refused to answer because of the content.", {
      cause,
    }),
  unknownModel: (cause: unknown) =>
    new AppError("provider-unavailable", "The provider does not offer the model that this agent names.", {
      cause,
      retryable: false,
    }),
  rejected: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider did not accept the request.", {
      cause,
      retryable: false,
    }),
  noModel: () =>
    new AppError("provider-unavailable", "The agent names no model, and its provider has no default one.", {
      retryable: false,
    }),
  redirected: (cause: unknown) =>
    new AppError(
      "provider-unavailable",
      "The model provider's address leads elsewhere. Please check it in the settings.",
      {
        cause,
        retryable: false,
      },
    ),
  /** An address that the guard of outgoing requests does not let pass; `why` comes from its fixed list. */
  outOfBounds: (why: string) =>
    new AppError("provider-unavailable", `The model provider's address can't be used. ${why}`, {
      retryable: false,
    }),
  unavailable: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider can't be reached at the moment.", { cause }),
  unreadable: (cause: unknown) =>
    new AppError("provider-unavailable", "The model provider sent something that can't be read.", { cause }),
  truncated: (cause?: unknown) =>
    new AppError("provider-truncated", "The model provider ended the answer before it was complete.", {
      cause,
    }),
  stalled: (cause?: unknown) =>
    new AppError("provider-stalled", "The model provider stopped answering.", { cause }),
  empty: () => new AppError("provider-unavailable", "The model gave an empty answer. Please try again."),
};

/** What a status means where nothing else is said. */
export function byStatus(status: number, cause: unknown): AppError {
  if (status === 401 || status === 403) return providerError.auth(cause);
  if (status === 402) return providerError.quota(cause);
  if (status === 404) return providerError.unknownModel(cause);
  if (status === 429) return providerError.rate(cause);
  if (status === 413) return providerError.overflow(cause);
  if (status >= 300 && status < 400) return providerError.redirected(cause);
  return status >= 500 || status === 408 ? providerError.unavailable(cause) : providerError.rejected(cause);
}

/** How providers put that a request is longer than the model reads; few have a code for it. */
export const overflowWords =
  /context (?:length|window|limit|size)|prompt is too long|input is too long|too many (?:input |total )?tokens|maximum (?:number of )?(?:input )?tokens|reduce the length/iu;
