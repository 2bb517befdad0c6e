import { AppError } from "../shared/errors.ts";

/** The error if no credentials are stored for the provider. */
export const notConfigured = (provider: string): AppError =>
  new AppError(
    "provider-not-configured",
    `Provider '${provider}' is not configured. Please configure it in Settings > Provider Configuration.`,
  );

/** The text for stored credentials that can no longer be decrypted. */
export const UNREADABLE =
  "The stored credentials can't be read any more. Please enter them again in the settings of the provider.";

/** The error if stored credentials cannot be decrypted: their key is gone, or they were stored elsewhere. */
export const unreadable = (provider: string): AppError =>
  new AppError("provider-not-configured", `Provider '${provider}': ${UNREADABLE}`);
