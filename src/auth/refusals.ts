import { AppError } from "../shared/errors.ts";

/** Why a sign-in came to nothing, as the application's login page is told. These texts are public API. */
export type SignInFailure =
  /** The person said no at the issuer. */
  | "access_denied"
  /** Whatever did not fit together; it says no more, because who tries things out would learn from it. */
  | "auth_failed"
  /** The issuer does not know whether the address is the person's. */
  | "email_not_verified"
  /** The account is deactivated, or being deleted. */
  | "account_inactive"
  /** The issuer or the database does not answer; trying again may help. */
  | "unavailable";

/** A sign-in that is refused for good; the cause is for the log. */
export class SignInRefused extends AppError {
  override readonly name = "SignInRefused";
  readonly failure: SignInFailure;

  constructor(failure: SignInFailure, cause?: unknown) {
    super("forbidden", "The sign-in was refused.", { cause });
    this.failure = failure;
  }
}

/** What the login page is told of anything that was thrown on the way. */
export function failureOf(error: AppError): SignInFailure {
  if (error instanceof SignInRefused) return error.failure;
  return error.code === "unavailable" ? "unavailable" : "auth_failed";
}
