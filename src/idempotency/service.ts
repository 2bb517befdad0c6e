import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { KeyedRequest } from "./model.ts";
import type { IdempotencyRepository } from "./repository.ts";

/** No request that creates something takes longer; who has claimed it for longer has died. */
const CLAIM_MS = 30_000;
/** How long a repeat waits for the first request's answer before it is told to come back. */
const PATIENCE_MS = 5_000;
const POLL_MS = 100;

/** Either the answer of the same request before, or the leave to carry it out, under this id. */
export type Claim =
  | { readonly answer: { readonly status: number; readonly body: string } }
  | { readonly entityId: string; readonly claimedAt: number };

/** Makes a request with an idempotency key happen once, however often and in parallel it is sent. */
export class IdempotencyService {
  readonly #records: IdempotencyRepository;
  readonly #clock: Clock;

  constructor(records: IdempotencyRepository, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** Throws a 422 where the key stands for another request, and a 409 while that is still being carried out. */
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
        throw new AppError("conflict", "A request with this idempotency key is still being carried out.", {
          retryAfter: 1,
        });

      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      record = await this.#records.find(request);
    }

    // The first request was refused and has left: this one is the first now.
    return this.claim(request);
  }

  answer(request: KeyedRequest, status: number, body: string): Promise<void> {
    return this.#records.answer(request, status, body);
  }

  /** The request was refused: its key is free again. */
  release(request: KeyedRequest, claimedAt: number): Promise<void> {
    return this.#records.release(request, claimedAt);
  }

  /** Nobody knows what became of the request: the next repeat carries it out again, under the same id. */
  handBack(request: KeyedRequest, claimedAt: number): Promise<void> {
    return this.#records.handBack(request, claimedAt);
  }
}
