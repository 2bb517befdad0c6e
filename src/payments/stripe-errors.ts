import { Stripe } from "stripe";
import { AppError } from "../shared/errors.ts";

/** Carries out a request to Stripe; what goes wrong is ours to report, in our words. */
export async function asAppError<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw paymentError(error);
  }
}

/** The same for requests about something that may be gone; gives nothing then. */
export async function absentAsNothing<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError && isAbsence(error)) return undefined;
    throw paymentError(error);
  }
}

const isAbsence = ({ code, statusCode }: Stripe.errors.StripeInvalidRequestError): boolean =>
  code === "resource_missing" || statusCode === 404;

/** Stripe's texts may quote keys and people: they are told to nobody, and logged by kind only. */
function paymentError(error: unknown): unknown {
  if (error instanceof Stripe.errors.StripeCardError)
    return new AppError("conflict", "The card was declined. Please check it, or use another one.");
  if (!(error instanceof Stripe.errors.StripeError)) return error;

  const { type, code, statusCode, requestId } = error;
  const cause = new Error(`Stripe: ${type} ${code ?? ""} ${statusCode ?? ""} ${requestId ?? ""}`);
  return unavailable(cause);
}

/** The payment service did not answer, or not with what it should have. */
export const unavailable = (cause: Error): AppError =>
  new AppError("unavailable", "The payment service is not answering at the moment. Please try again.", {
    cause,
    retryAfter: 2,
  });
