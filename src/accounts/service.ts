import type { AccountEmail } from "../shared/id-types.ts";
import type { AccessScope } from "../access/access-scope.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import { isOlder, requireActive } from "../access/account-status.ts";
import { PENDING_DELETION, type User } from "../users/model.ts";
import type { UserRepository } from "../users/repository.ts";
import type { Deletion } from "./deletion-model.ts";

/** Begins and finds deletions; see `DeletionClient`. */
interface AccountDeletions {
  begin(accountEmail: AccountEmail): Promise<Deletion | undefined>;
  find(accountEmail: AccountEmail): Promise<Deletion | undefined>;
}

/** A deletion as its owner sees it. */
export interface DeletionStatus {
  readonly status: "processing" | "completed";
  readonly requestedAt: string | null;
  readonly completedAt: string | null;
}

interface AccountServiceDeps {
  readonly users: UserRepository;
  readonly deletions: AccountDeletions;
}

/**
 * Deletes accounts and reports the progress. A deletion invalidates the account's tokens; only here they still identify the
 * account whose deletion is meant.
 */
export class AccountService {
  readonly #users: UserRepository;
  readonly #deletions: AccountDeletions;

  constructor({ users, deletions }: AccountServiceDeps) {
    this.#users = users;
    this.#deletions = deletions;
  }

  /**
   * Begins to delete the caller's account and returns the status; if the deletion has already begun, only returns the status.
   * Throws `unauthenticated` or `forbidden` if the account is gone or deactivated.
   */
  async requestDeletion(caller: AccessScope): Promise<DeletionStatus> {
    const user = await this.#users.find(caller.accountEmail);
    const own = ownOf(user, caller);
    if (own && own.status !== PENDING_DELETION) requireActive(own);
    if (!own) return this.#past(caller);

    const begun = await this.#deletions.begin(caller.accountEmail);
    return begun ? statusOf(begun) : this.#past(caller);
  }

  /** Returns the status of the deletion of the caller's account. Throws `not-found` if none was requested. */
  async deletionOf(caller: AccessScope): Promise<DeletionStatus> {
    const own = ownOf(await this.#users.find(caller.accountEmail), caller);
    if (!own) return this.#past(caller);
    if (own.status === PENDING_DELETION)
      return { status: "processing", requestedAt: own.deletionRequestedAt, completedAt: null };

    requireActive(own);
    throw notFound("Deletion");
  }

  /** Returns the completed deletion of an account that is gone. Throws `unauthenticated` if there is none. */
  async #past(caller: AccessScope): Promise<DeletionStatus> {
    const deletion = await this.#deletions.find(caller.accountEmail);
    if (deletion?.phase === "completed") return statusOf(deletion);
    requireActive(undefined);
    throw notFound("Deletion");
  }
}

/** Returns the account that the caller's token was issued for, not a newer one with the same address. */
const ownOf = (user: User | undefined, { issuedAt }: AccessScope): User | undefined =>
  user && !isOlder(issuedAt, user) ? user : undefined;

const statusOf = ({ requestedAt, completedAt }: Deletion): DeletionStatus => ({
  status: completedAt === null ? "processing" : "completed",
  requestedAt: formatTimestamp(requestedAt),
  completedAt: completedAt === null ? null : formatTimestamp(completedAt),
});
