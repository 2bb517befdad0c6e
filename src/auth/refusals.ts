import { AppError } from "../shared/errors.ts";

/** Why a sign-in failed, as passed to the application's login page. These codes are public API. */
export type SignInFailure =
  /** The person declined at the issuer. */
  | "access_denied"
  /** Verification failed. Deliberately unspecific, so that attackers learn nothing from it. */
  | "auth_failed"
  /** The issuer has not verified the person's e-mail address. */
  | "email_not_verified"
  /** The account is deactivated or being deleted. */
  | "account_inactive"
  /** The issuer or the database does not answer, or sign-in is not set up. */
  | "unavailable";

/** A sign-in that was refused permanently. `cause` is for the log only. */
export class SignInRefused extends AppError {
  override readonly name = "SignInRefused";
  readonly failure: SignInFailure;

  constructor(failure: SignInFailure, cause?: unknown) {
    super("forbidden", "The sign-in was refused.", { cause });
    this.failure = failure;
  }
}

/** Returns the code that the login page gets for an error. */
export function failureOf(error: AppError): SignInFailure {
  if (error instanceof SignInRefused) return error.failure;
  return error.code === "unavailable" || error.code === "not-configured" ? "unavailable" : "auth_failed";
}

/** Returns the address of the application's page after a successful sign-in. */
export const successPage = (frontend: string): string => `${frontend}/login-success`;

/** Returns the address of the application's page for a failed sign-in. */
export const failurePage = (frontend: string, failure: SignInFailure): string =>
  `${frontend}/login?error=${failure}`;
