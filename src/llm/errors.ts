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
