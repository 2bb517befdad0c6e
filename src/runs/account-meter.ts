import { DurableObject } from "cloudflare:workers";
import { createRunnerDeps } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import { BatchQueue } from "../shared/batch-queue.ts";
import { replying, type Reply } from "../shared/durable-reply.ts";
import { AppError } from "../shared/errors.ts";
import { nextEnds } from "./end-writes.ts";
import { METER_UNAVAILABLE } from "./meter-client.ts";
import { type Beginning, type BeginOutcome, nextBeginnings, TurnBeginnings } from "./turn-beginnings.ts";
import type { TurnEnd } from "./turn-repository.ts";

/**
 * How a turn waits for its account's transaction. While the table is well, a transaction takes milliseconds. After ten seconds,
 * which is what a transaction has, a beginning is refused and an end is tried again by its run.
 */
const PATIENCE = {
  patienceMs: 10_000,
  late: () =>
    new AppError("unavailable", METER_UNAVAILABLE, {
      cause: new Error("A turn has waited in the account's meter for too long."),
      retryAfter: 1,
    }),
} as const;

/**
 * The Durable Object through which the turns of one account begin and end. All of them change the account's counts; because they
 * come here, their transactions do not meet at them. Stores nothing: what has begun or ended is in the table, or it has not.
 */
export class AccountMeter extends DurableObject<Env> {
  readonly #beginnings = new BatchQueue<Beginning, BeginOutcome>({
    ...PATIENCE,
    next: nextBeginnings,
    work: async (batch) => new TurnBeginnings(await portsFrom(this.env)).begin(batch),
  });
  readonly #ends = new BatchQueue<TurnEnd, PromiseSettledResult<void>>({
    ...PATIENCE,
    next: nextEnds,
    work: async (batch) => createRunnerDeps(await portsFrom(this.env)).turns.endAll(batch),
  });

  /**
   * Begins a turn, together with those that arrive while another transaction is under way. Replies with `unavailable` if the turn
   * has waited for too long, or if it is unknown whether it has begun.
   */
  begin(beginning: Beginning): Promise<Reply<BeginOutcome>> {
    return replying(() => this.#beginnings.add(beginning));
  }

  /**
   * Stores how a turn ended, together with those that arrive while another transaction is under way. Replies with what
   * `TurnRepository.end` throws, and with `unavailable` if the end has waited for too long.
   */
  end(end: TurnEnd): Promise<Reply<null>> {
    return replying(async () => {
      const result = await this.#ends.add(end);
      if (result.status === "rejected") throw result.reason;
      return null;
    });
  }
}
