import { AppError } from "../shared/errors.ts";
import type { User } from "./model.ts";

/** Refuses an account that is gone or deactivated, however long its tokens still run. */
export function requireActive(user: User | undefined): User {
  if (!user) throw new AppError("unauthenticated", "User not found");
  if (user.status !== "active") throw new AppError("forbidden", "Account has been deactivated");
  return user;
}
