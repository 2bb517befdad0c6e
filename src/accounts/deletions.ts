import { nearestArea } from "../shared/areas.ts";
import { AppError } from "../shared/errors.ts";
import type { Deletion, DeletionCall, DeletionReply } from "./deletion-model.ts";

/** A Durable Object that is reset while it is asked can be asked again at once; all it is asked can be repeated. */
const ATTEMPTS = 3;

/** The deletions of all accounts, one Durable Object each. */
export class Deletions {
  readonly #namespace: DurableObjectNamespace;
  readonly #area: DurableObjectLocationHint | undefined;

  /** `region` is where the table is. */
  constructor(namespace: DurableObjectNamespace, region: string) {
    this.#namespace = namespace;
    this.#area = nearestArea(region);
  }

  /** Begins the deletion of an account, or takes it up; nothing where there is no account to delete. */
  begin(email: string): Promise<Deletion | undefined> {
    return this.#call({ kind: "begin", email });
  }

  /** The deletion of the account that has this address, or had it until lately. */
  find(email: string): Promise<Deletion | undefined> {
    return this.#call({ kind: "get", email });
  }

  async #call(call: DeletionCall): Promise<Deletion | undefined> {
    const options = this.#area === undefined ? {} : { locationHint: this.#area };

    for (let attempt = 1; ; attempt++) {
      try {
        const stub = this.#namespace.getByName(call.email, options);
        const response = await stub.fetch("https://deletion/", {
          method: "POST",
          body: JSON.stringify(call),
        });
        // The deletion's own answer.
        if (response.ok) return (await response.json<DeletionReply>()).deletion ?? undefined;
        throw new Error(`The deletion answered ${response.status}.`);
      } catch (cause) {
        if (attempt === ATTEMPTS)
          throw new AppError("unavailable", "Deleting accounts is not available at the moment.", {
            cause,
            retryAfter: 1,
          });
      }
    }
  }
}
