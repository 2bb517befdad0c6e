import type { AccountEmail } from "../shared/id-types.ts";
import { DurableObject } from "cloudflare:workers";
import { createDeletionDeps, type DeletionDeps } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import { DAY_MS } from "../shared/clock.ts";
import { type Reply, replying } from "../shared/durable-reply.ts";
import { PENDING_DELETION } from "../users/model.ts";
import type { Deletion, StepResult } from "./deletion-model.ts";

/** The wait between two parts of a deletion, in milliseconds. */
const NEXT_MS = 1;
/** The wait before a failed part is retried, in milliseconds. */
const RETRY_MS = 10_000;
/** How long a completed deletion can be queried. No access token lives longer. */
const KEEP_MS = DAY_MS;

const KEY = "deletion";

/**
 * The Durable Object that deletes one account, in bounded parts, one per alarm, so that it survives any crash. The table
 * shows what is left to do; the object stores only the phase.
 */
export class AccountDeletion extends DurableObject<Env> {
  /** Begins the deletion, or returns the one in progress. Returns null if there is no account to delete. */
  begin(accountEmail: AccountEmail): Promise<Reply<Deletion | null>> {
    return replying(async () => (await this.#begin(accountEmail)) ?? null);
  }

  /** Returns the current state of the deletion, or null if there is none. */
  find(): Promise<Reply<Deletion | null>> {
    return replying(async () => (await this.#known()) ?? null);
  }

  override async alarm(): Promise<void> {
    const deletion = await this.#known();
    if (!deletion) return;

    try {
      await this.#continue(deletion, await this.#deps());
    } catch (error) {
      console.warn({
        message: "A part of an account deletion failed and will be retried.",
        error: String(error),
      });
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
  }

  async #begin(accountEmail: AccountEmail): Promise<Deletion | undefined> {
    const known = await this.#known();
    if (known && known.phase !== "marking" && known.phase !== "completed") return known;

    const { users, clock } = await this.#deps();
    const marking: Deletion = {
      email: accountEmail,
      requestedAt: clock.now(),
      phase: "marking",
      completedAt: null,
      hadRuns: false,
    };
    // Stored before the account is marked: if this crashes in between, the alarm finds out whether it was marked.
    await this.#keep(marking, RETRY_MS);
    if (!(await users.requestDeletion(accountEmail, clock.timestamp()))) {
      await this.#forget();
      return undefined;
    }
    return this.#keep({ ...marking, phase: "sweeping" }, NEXT_MS);
  }

  async #continue(deletion: Deletion, deps: DeletionDeps): Promise<void> {
    const { email: accountEmail, phase } = deletion;
    if (phase === "completed") return this.#forget();
    const user = await deps.users.find(accountEmail);
    // A reactivated account must not be swept. If the item is gone but sweeping had begun, other items may be left.
    const isPending = user ? user.status === PENDING_DELETION : phase !== "marking";
    if (!isPending) return this.#forget();

    switch (phase) {
      case "marking":
        await this.#keep({ ...deletion, phase: "sweeping" }, NEXT_MS);
        return;
      case "sweeping":
        return this.#sweep(deletion, deps);
      case "resting":
        await this.#keep({ ...deletion, phase: "finishing" }, NEXT_MS);
        return;
      case "finishing": {
        if (!(await runSteps(deps, accountEmail, true)).isDone)
          return this.ctx.storage.setAlarm(Date.now() + NEXT_MS);
        // Before the address is free: a repeat of the steps would remove what belongs to somebody who has signed up since.
        await this.#keep({ ...deletion, phase: "ending" }, NEXT_MS);
        return;
      }
      case "ending": {
        await deps.users.endDeletion(accountEmail);
        const completedAt = deps.clock.now();
        await this.#keep({ ...deletion, phase: "completed", completedAt }, KEEP_MS);
      }
    }
  }

  /** Sweeps one part. After the last one, waits until no late write can arrive any more. */
  async #sweep(deletion: Deletion, deps: DeletionDeps): Promise<void> {
    // Assumed until the part has ended: if it fails or crashes, the runs that it has stopped are not seen again.
    await this.ctx.storage.put(KEY, { ...deletion, hadRuns: true });
    const result = await runSteps(deps, deletion.email, false);
    const hadRuns = (deletion.hadRuns ?? true) || result.hadRuns;

    const next = { ...deletion, hadRuns };
    if (!result.isDone) await this.#keep(next, NEXT_MS);
    else await this.#keep({ ...next, phase: "resting" }, hadRuns ? deps.restMs : deps.quietRestMs);
  }

  #known(): Promise<Deletion | undefined> {
    return this.ctx.storage.get<Deletion>(KEY);
  }

  /** Stores a state and sets the next alarm, atomically. */
  async #keep(deletion: Deletion, waitMs: number): Promise<Deletion> {
    await Promise.all([this.ctx.storage.put(KEY, deletion), this.ctx.storage.setAlarm(Date.now() + waitMs)]);
    return deletion;
  }

  async #forget(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  async #deps(): Promise<DeletionDeps> {
    return createDeletionDeps(await portsFrom(this.env));
  }
}

/** Runs the steps until one has more to do than fits into a part. */
async function runSteps(
  { steps }: DeletionDeps,
  accountEmail: AccountEmail,
  isFinal: boolean,
): Promise<StepResult> {
  let hadRuns = false;
  for (const step of steps) {
    const result = await step.run(accountEmail, isFinal);
    hadRuns ||= result.hadRuns;
    if (!result.isDone) return { isDone: false, hadRuns };
  }
  return { isDone: true, hadRuns };
}
