import { sleep } from "../shared/async.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { KeptAnswer, KeyedRequest } from "./model.ts";
import type { IdempotencyRepository } from "./repository.ts";

/** No request with an idempotency key takes longer. An older claim belongs to an execution that has died. */
const CLAIM_MS = 30_000;
/** How long a repeat waits for the first request's answer before it gets a 409. */
const PATIENCE_MS = 5_000;
const POLL_MS = 100;

/** Either the answer to the earlier request, or the permission to execute this one with this entity id. */
export type Claim =
  | { readonly answer: KeptAnswer }
  | { readonly entityId: string; readonly claimedAt: number };

/** Makes sure that a request with an idempotency key is executed once, even if it is sent repeatedly or in parallel. */
export class IdempotencyService {
  readonly #records: IdempotencyRepository;
  readonly #clock: Clock;

  constructor({ records, clock }: { readonly records: IdempotencyRepository; readonly clock: Clock }) {
    this.#records = records;
    this.#clock = clock;
  }

  /**
   * Claims a request, after waiting up to 5 s for an execution in progress. Throws `idempotency-mismatch` if the key was used
   * with another body, and `conflict` if the first request is still in progress.
   */
  async claim(request: KeyedRequest): Promise<Claim> {
    const deadline = this.#clock.now() + PATIENCE_MS;
    const claimedAt = this.#clock.now();
    const entityId = newId(claimedAt);
    let record = await this.#records.claim(request, entityId, claimedAt);
    if (!record) return { entityId, claimedAt };

    while (record) {
      if (record.bodyHash !== request.bodyHash)
        throw new AppError("idempotency-mismatch", "This idempotency key was used with another request.");
      if (record.answer) return { answer: record.answer };

      const now = this.#clock.now();
      const isDead = now - record.claimedAt > CLAIM_MS;
      if (isDead && (await this.#records.takeOver(request, record.claimedAt, now)))
        return { entityId: record.entityId, claimedAt: now };
      if (now >= deadline)
        throw new AppError(
          "conflict",
          "A request with this idempotency key is still in progress. Please try again.",
          {
            retryAfter: 1,
          },
        );

      await sleep(POLL_MS);
      record = await this.#records.find(request);
    }

    // The first request was refused and its record deleted, so this request is now the first.
    return this.claim(request);
  }

  /** Keeps the answer to a request, for its repeats. */
  answer(request: KeyedRequest, answer: KeptAnswer): Promise<void> {
    return this.#records.answer(request, answer);
  }

  /** Frees the key of a request that was refused. */
  release(request: KeyedRequest, claimedAt: number): Promise<void> {
    return this.#records.release(request, claimedAt);
  }

  /** For a request whose outcome is unknown: lets the next repeat execute it again, with the same entity id. */
  endClaim(request: KeyedRequest, claimedAt: number): Promise<void> {
    return this.#records.endClaim(request, claimedAt);
  }
}
