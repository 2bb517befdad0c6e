import type { AccountEmail } from "../shared/id-types.ts";
import { DurableClient } from "../shared/durable-client.ts";
import type { AccountDeletion } from "./account-deletion.ts";
import type { Deletion } from "./deletion-model.ts";

interface DeletionClientDeps {
  readonly namespace: DurableObjectNamespace<AccountDeletion>;
  readonly region: string;
}

/** Calls the Durable Objects that delete accounts. All calls are idempotent. */
export class DeletionClient {
  readonly #deletions: DurableClient<AccountDeletion>;

  /** `region` is the AWS region of the table. */
  constructor({ namespace, region }: DeletionClientDeps) {
    const unavailable = "Account deletion is not available at the moment. Please try again.";
    this.#deletions = new DurableClient({ namespace, region, unavailable });
  }

  /** Begins the deletion of an account, or returns the one in progress. Returns `undefined` if there is no account to delete. */
  async begin(accountEmail: AccountEmail): Promise<Deletion | undefined> {
    return (
      (await this.#deletions.call(accountEmail, (deletion) => deletion.begin(accountEmail))) ?? undefined
    );
  }

  /** Returns the deletion of the account with this address, up to a day after its end, or `undefined` if there is none. */
  async find(accountEmail: AccountEmail): Promise<Deletion | undefined> {
    return (await this.#deletions.call(accountEmail, (deletion) => deletion.find())) ?? undefined;
  }
}
