import { DurableClient } from "../shared/durable-client.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { DeletionRunner } from "./deletion-runner.ts";
import type { PartialDeletion } from "./model.ts";

interface DeletionRunnerClientDeps {
  readonly namespace: DurableObjectNamespace<DeletionRunner>;
  readonly region: string;
}

/** Calls the Durable Objects that continue deletions, one for each account. */
export class DeletionRunnerClient {
  readonly #runners: DurableClient<DeletionRunner>;

  /** `region` is the AWS region of the table. */
  constructor({ namespace, region }: DeletionRunnerClientDeps) {
    const unavailable = "The deletion could not be completed. Please try again.";
    this.#runners = new DurableClient({ namespace, region, unavailable });
  }

  /**
   * Has a deletion continued in `delayMs` milliseconds, or before, and then until nothing is left. Idempotent. Throws `unavailable` if
   * that is not sure.
   */
  async keep(accountEmail: AccountEmail, deletion: PartialDeletion, delayMs: number): Promise<void> {
    await this.#runners.call(accountEmail, (runner) => runner.keep(accountEmail, deletion, delayMs));
  }
}
