import { AppError } from "../shared/errors.ts";
import type { User } from "./model.ts";

/** Clocks differ: a token counts as older than its account only from this many seconds on. */
const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Refuses an account that is gone or deactivated, however long its tokens still run. An account that was made after the
 * token (`issuedAt`, in seconds) has only the address in common with the one that the token is for.
 */
export function requireActive(user: User | undefined, issuedAt?: number | null): User {
  if (!user || isOlder(issuedAt, user)) throw new AppError("unauthenticated", "User not found");
  if (user.status !== "active") throw new AppError("forbidden", "Account has been deactivated");
  return user;
}

/** Whether a token is older than the account that has its address today. */
export function isOlder(issuedAt: number | null | undefined, { createdAt }: User): boolean {
  const createdSeconds = Date.parse(createdAt) / 1000;
  return typeof issuedAt === "number" && issuedAt + CLOCK_TOLERANCE_SECONDS < createdSeconds;
}
