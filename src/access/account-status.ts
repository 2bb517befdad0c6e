import { AppError } from "../shared/errors.ts";

/** Allows for clock differences: a token counts as older than its account only by more than this many seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** The members of an account that decide whether its tokens are valid. */
export interface AccountStatus {
  /** `active`, or the reason why not. */
  readonly status: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/**
 * Returns the account. Throws `unauthenticated` if it is gone and `forbidden` if it is deactivated, even for tokens that have
 * not expired. An account created after the token was issued (`issuedAt`, in seconds since the epoch) counts as gone: it is
 * a different account with the same address.
 */
export function requireActive<Account extends AccountStatus>(
  user: Account | undefined,
  issuedAt?: number | null,
): Account {
  if (!user || isOlder(issuedAt, user)) throw new AppError("unauthenticated", "User not found");
  if (user.status !== "active") throw new AppError("forbidden", "Account has been deactivated");
  return user;
}

/** Returns whether a token was issued before the account that now has its address was created. */
export function isOlder(issuedAt: number | null | undefined, { createdAt }: AccountStatus): boolean {
  const createdSeconds = Date.parse(createdAt) / 1000;
  return typeof issuedAt === "number" && issuedAt + CLOCK_TOLERANCE_SECONDS < createdSeconds;
}
