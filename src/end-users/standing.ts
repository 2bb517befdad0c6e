import { AppError } from "../shared/errors.ts";
import { requireActive } from "../users/account.ts";
import type { User } from "../users/model.ts";
import type { EndUserRef, Space } from "../users/space.ts";
import type { EndUser } from "./model.ts";

/** What of accounts is needed to tell whether somebody is still welcome. */
interface Accounts {
  find(email: string): Promise<User | undefined>;
}

/** What of end users is needed for the same. */
interface EndUsers {
  find(ref: EndUserRef): Promise<EndUser | undefined>;
}

/** Refuses accounts, and end users, that are gone, however long their tokens still run. */
export async function requireStanding(space: Space, accounts: Accounts, endUsers: EndUsers): Promise<void> {
  const [user, endUser] = await Promise.all([
    accounts.find(space.owner),
    space.endUser ? endUsers.find(space.endUser) : undefined,
  ]);
  requireActive(user, space.issuedAt);
  if (space.endUser) requireCurrent(endUser, space);
}

/** Refuses an end user who is gone, or who came back as another one since the token was issued. */
export function requireCurrent(endUser: EndUser | undefined, { generation }: Space): void {
  if (!endUser || endUser.generation !== generation)
    throw new AppError("unauthenticated", "This token is not valid any more");
}
