import { AppError } from "../shared/errors.ts";

/** Nothing was ever entered for the provider. */
export const notConfigured = (provider: string): AppError =>
  new AppError(
    "provider-not-configured",
    `Provider '${provider}' is not configured. Please configure it in Settings > Provider Configuration.`,
  );

/** What is said of credentials that can't be used any more. */
export const UNREADABLE =
  "The stored credentials can't be read any more. Please enter them again in Settings > Provider Configuration.";

/** Something was entered, but its key is gone, or it is not what was stored here. */
export const unreadable = (provider: string): AppError =>
  new AppError("provider-not-configured", `Provider '${provider}': ${UNREADABLE}`);
