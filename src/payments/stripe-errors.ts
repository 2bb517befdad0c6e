import { Stripe } from "stripe";
import { AppError } from "../shared/errors.ts";
import { alert } from "./alerts.ts";

/** Why Stripe refused a request; the member `reason` of the problem document. */
export type RefusalReason =
  | "card-declined"
  | "authentication-required"
  | "wrong-mode"
  | "subscription-schedule"
  | "currency"
  | "refused";

/** Codes of card errors after which the customer has to confirm the payment at the bank. */
const CONFIRMATION_CODES: readonly string[] = [
  "authentication_required",
  "payment_intent_authentication_failure",
  "subscription_payment_intent_requires_action",
  "invoice_payment_intent_requires_action",
];

/** Carries out a request to Stripe, and throws its failures as `AppError`. */
export async function asAppError<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw paymentError(error);
  }
}

/**
 * Like `asAppError`, but returns `undefined` if the object of the request does not exist. Throws `conflict` if it exists
 * in Stripe's other mode.
 */
export async function undefinedIfMissing<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError && isMissing(error)) return undefined;
    throw paymentError(error);
  }
}

/** Returns the result of `work`, or `fallback` if it is about an object of Stripe's other mode. */
export async function inThisMode<T, F>(work: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await work;
  } catch (error) {
    if (isRefusal(error, "wrong-mode")) return fallback;
    throw error;
  }
}

/** Returns whether Stripe refused a request for this reason. */
export const isRefusal = (error: unknown, reason: RefusalReason): boolean =>
  error instanceof AppError && error.extensions["reason"] === reason;

/** The error if Stripe refuses what a customer asked for. A repeat of the request would be refused as well. */
export const refused = (reason: RefusalReason, message: string, cause?: Error): AppError =>
  new AppError("conflict", message, { cause, extensions: { reason } });

/** The error if Stripe does not answer, or answers something unexpected. */
export const unavailable = (cause: Error): AppError =>
  new AppError("unavailable", "The payment service is not answering at the moment. Please try again.", {
    cause,
    retryAfter: 2,
  });

const isMissing = (error: Stripe.errors.StripeInvalidRequestError): boolean =>
  (error.code === "resource_missing" || error.statusCode === 404) && otherModeOf(error) === undefined;

/**
 * Converts a failed request to Stripe into an `AppError`, and returns other errors as they are. Stripe's messages may
 * quote keys and personal data. They are never passed on; only codes and ids are logged.
 */
export function paymentError(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;

  const { type, code, param, statusCode, requestId } = error;
  const cause = new Error(`Stripe: ${type} ${code ?? ""} ${statusCode ?? ""} ${requestId ?? ""}`);
  if (error instanceof Stripe.errors.StripeCardError) return cardError(error, cause);

  const details = { type, code, param, status: statusCode, request: requestId };
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    const { reason, message } = refusalOf(error);
    alert("Stripe refused a request.", { ...details, reason });
    return refused(reason, message, cause);
  }
  if (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  ) {
    alert("Stripe does not accept this deployment's key for a request.", details);
    return new AppError("unavailable", "Payments are not set up correctly. Please contact support.", {
      cause,
      retryable: false,
    });
  }
  return unavailable(cause);
}

function cardError({ code }: Stripe.errors.StripeCardError, cause: Error): AppError {
  if (CONFIRMATION_CODES.includes(code ?? ""))
    return refused(
      "authentication-required",
      "Your bank wants you to confirm this payment. Open Settings → Manage Subscription to confirm it.",
      cause,
    );
  return refused("card-declined", "The card was declined. Please check it or use another card.", cause);
}

/** Stripe has no codes for these cases, so they are told apart by Stripe's message. */
function refusalOf(error: Stripe.errors.StripeInvalidRequestError): {
  readonly reason: RefusalReason;
  readonly message: string;
} {
  const other = otherModeOf(error);
  if (other !== undefined)
    return {
      reason: "wrong-mode",
      message: `This purchase belongs to Stripe's ${other} mode, but this service uses Stripe's ${other === "live" ? "test" : "live"} mode. Please contact support.`,
    };
  if (/\bcurrenc(?:y|ies)\b/iu.test(error.message))
    return {
      reason: "currency",
      message:
        "This plan is not sold in the currency that you have paid in so far. Please contact support to change it.",
    };
  if (/managed by the subscription schedule/iu.test(error.message))
    return { reason: "subscription-schedule", message: SCHEDULED };
  return {
    reason: "refused",
    message: "The payment service refused this request, and nothing was changed. Please contact support.",
  };
}

/** The sentence for subscriptions whose schedule was not made by a change of plan in the portal. */
export const SCHEDULED =
  "Your subscription follows a schedule of future changes, so it cannot be changed here. Please contact support.";

/** Returns the mode of Stripe in which the object of a request exists, if it is not that of the key. */
function otherModeOf({ message }: Stripe.errors.StripeInvalidRequestError): "live" | "test" | undefined {
  const mode = /a similar object exists in (live|test) mode/iu.exec(message)?.[1]?.toLowerCase();
  return mode === "live" || mode === "test" ? mode : undefined;
}
