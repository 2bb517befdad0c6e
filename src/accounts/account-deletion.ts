import { DurableObject } from "cloudflare:workers";
import { createDeletionDeps, type DeletionDeps, portsFrom } from "../deps.ts";
import { DAY_MS } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { PENDING_DELETION } from "../users/model.ts";
import type { Deletion, DeletionCall, DeletionReply } from "./deletion-model.ts";

/** Between two parts of a deletion. */
const NEXT_MS = 1;
/** When a part that failed is tried again. */
const RETRY_MS = 10_000;
/** How long a deletion that is over can be asked about; no token lives longer. */
const KEEP_MS = DAY_MS;

const KEY = "deletion";

/**
 * Deletes one account, in bounded parts, one per alarm, whatever dies meanwhile. The table tells what is left to do; only
 * the phase is kept here.
 */
export class AccountDeletion extends DurableObject<Env> {
  override async fetch(request: Request): Promise<Response> {
    // The Worker, and nobody else, asks in this shape.
    const { kind, email } = await request.json<DeletionCall>();
    try {
      const deletion = kind === "begin" ? await this.#begin(email) : await this.#known();
      return Response.json({ deletion: deletion ?? null } satisfies DeletionReply);
    } catch (thrown) {
      const error = AppError.from(thrown);
      console.error({ message: error.message, code: error.code, cause: error.cause ?? error });
      return new Response(null, { status: 503 });
    }
  }

  override async alarm(): Promise<void> {
    const deletion = await this.#known();
    if (!deletion) return;

    try {
      await this.#goOn(deletion, await this.#deps());
    } catch (error) {
      console.warn({ message: "Deleting an account has to wait.", error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
  }

  /** Begins, or takes up what has begun; nothing where there is no account. */
  async #begin(email: string): Promise<Deletion | undefined> {
    const known = await this.#known();
    if (known && known.phase !== "marking" && known.phase !== "completed") return known;

    const { users, clock } = await this.#deps();
    const marking: Deletion = { email, requestedAt: clock.now(), phase: "marking", completedAt: null };
    // Should this die behind the mark, the alarm finds it and goes on; should the mark fail, it finds that.
    await this.#keep(marking, RETRY_MS);
    if (!(await users.requestDeletion(email, clock.timestamp()))) {
      await this.#forget();
      return undefined;
    }
    return this.#keep({ ...marking, phase: "sweeping" }, NEXT_MS);
  }

  async #goOn(deletion: Deletion, deps: DeletionDeps): Promise<void> {
    const { email, phase } = deletion;
    if (phase === "completed") return this.#forget();
    const user = await deps.users.find(email);
    // An account that is let in again is nobody's to sweep; one whose item is gone already may have left things behind.
    const isDoomed = user ? user.status === PENDING_DELETION : phase !== "marking";
    if (!isDoomed) return this.#forget();

    switch (phase) {
      case "marking":
        await this.#keep({ ...deletion, phase: "sweeping" }, NEXT_MS);
        return;
      case "sweeping": {
        const isDone = await runSteps(deps, email, false);
        if (isDone) await this.#keep({ ...deletion, phase: "resting" }, deps.restMs);
        else await this.ctx.storage.setAlarm(Date.now() + NEXT_MS);
        return;
      }
      case "resting":
        await this.#keep({ ...deletion, phase: "finishing" }, NEXT_MS);
        return;
      case "finishing": {
        if (!(await runSteps(deps, email, true))) return this.ctx.storage.setAlarm(Date.now() + NEXT_MS);
        await deps.users.endDeletion(email);
        const completedAt = deps.clock.now();
        await this.#keep({ ...deletion, phase: "completed", completedAt }, KEEP_MS);
      }
    }
  }

  #known(): Promise<Deletion | undefined> {
    return this.ctx.storage.get<Deletion>(KEY);
  }

  /** Keeps a state, and goes on in a while; both or neither. */
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

/** True once every step has found nothing left to do. */
async function runSteps({ steps }: DeletionDeps, email: string, isFinal: boolean): Promise<boolean> {
  for (const step of steps) if (!(await step.run(email, isFinal))) return false;
  return true;
}
