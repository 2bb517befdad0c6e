import type { AccountEmail } from "../shared/id-types.ts";
import { AppError } from "../shared/errors.ts";
import { type AccountStatus, requireActive } from "./account-status.ts";
import type { EndUserRef, AccessScope } from "./access-scope.ts";

/** Looks up the status of accounts. */
interface AccountStatuses {
  find(accountEmail: AccountEmail): Promise<AccountStatus | undefined>;
}

/** The members of an end user that decide whether their tokens are valid. */
interface EndUserStatus {
  readonly generation: string;
}

/** Looks up the status of end users. */
export interface EndUserStatuses {
  find(ref: EndUserRef): Promise<EndUserStatus | undefined>;
  /** Returns whether a visitor who had not signed in has been deleted, or is being deleted. */
  wasDeleted(ref: EndUserRef): Promise<boolean>;
}

/**
 * Throws `unauthenticated` if the account or the end user is gone and `forbidden` if the account is deactivated, even for
 * tokens that have not expired. A visitor who is not stored yet is not gone.
 */
export async function requireActiveScope(
  scope: AccessScope,
  accounts: AccountStatuses,
  endUsers: EndUserStatuses,
): Promise<void> {
  const [user, endUser] = await Promise.all([
    accounts.find(scope.accountEmail),
    scope.endUser ? endUsers.find(scope.endUser) : undefined,
  ]);
  requireActive(user, scope.issuedAt);
  if (!scope.endUser) return;
  if (!endUser && scope.isStoredLater && !(await endUsers.wasDeleted(scope.endUser))) return;
  requireCurrentEndUser(endUser, scope);
}

/** Throws `unauthenticated` if the end user is gone, or was deleted and created again after the token was issued. */
export function requireCurrentEndUser(endUser: EndUserStatus | undefined, { generation }: AccessScope): void {
  if (!endUser || endUser.generation !== generation) throw tokenEnded();
}

/** Returns the error for a token of an end user who was deleted. */
export const tokenEnded = (): AppError => new AppError("unauthenticated", "This token is no longer valid");
