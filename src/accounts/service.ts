import type { Space } from "../users/space.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import { isOlder, requireActive } from "../users/account.ts";
import { PENDING_DELETION, type User } from "../users/model.ts";
import type { UserRepository } from "../users/repository.ts";
import type { Deletion } from "./deletion-model.ts";

/** What of deletions the service needs. */
interface AccountDeletions {
  begin(email: string): Promise<Deletion | undefined>;
  find(email: string): Promise<Deletion | undefined>;
}

/** A deletion as its owner sees it. */
export interface DeletionStatus {
  readonly status: "processing" | "completed";
  readonly requestedAt: string | null;
  readonly completedAt: string | null;
}

/**
 * Deleting accounts. Whoever asks has a token that was good until the deletion itself made it worthless: here, and nowhere
 * else, it still tells whose deletion is meant.
 */
export class AccountService {
  readonly #users: UserRepository;
  readonly #deletions: AccountDeletions;

  constructor(users: UserRepository, deletions: AccountDeletions) {
    this.#users = users;
    this.#deletions = deletions;
  }

  /** Begins to delete the caller's account; tells how it goes where that has begun before. */
  async requestDeletion(caller: Space): Promise<DeletionStatus> {
    const user = await this.#users.find(caller.owner);
    const own = ownOf(user, caller);
    if (own && own.status !== PENDING_DELETION) requireActive(own);
    if (!own) return this.#past(caller);

    const begun = await this.#deletions.begin(caller.owner);
    return begun ? statusOf(begun) : this.#past(caller);
  }

  /** How the deletion of the caller's account goes. Throws a 404 where nobody has asked for one. */
  async deletionOf(caller: Space): Promise<DeletionStatus> {
    const own = ownOf(await this.#users.find(caller.owner), caller);
    if (!own) return this.#past(caller);
    if (own.status === PENDING_DELETION)
      return { status: "processing", requestedAt: own.deletionRequestedAt, completedAt: null };

    requireActive(own);
    throw notFound("Deletion");
  }

  /** The deletion of an account that is gone. Throws a 401 where nothing is known of it. */
  async #past(caller: Space): Promise<DeletionStatus> {
    const deletion = await this.#deletions.find(caller.owner);
    if (deletion?.phase === "completed") return statusOf(deletion);
    requireActive(undefined);
    throw notFound("Deletion");
  }
}

/** The account that the caller's token is for, and not another one that has got its address since. */
const ownOf = (user: User | undefined, { issuedAt }: Space): User | undefined =>
  user && !isOlder(issuedAt, user) ? user : undefined;

const statusOf = ({ requestedAt, completedAt }: Deletion): DeletionStatus => ({
  status: completedAt === null ? "processing" : "completed",
  requestedAt: formatTimestamp(requestedAt),
  completedAt: completedAt === null ? null : formatTimestamp(completedAt),
});
