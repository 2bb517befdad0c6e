import type { AccountEmail, AgentId } from "../shared/id-types.ts";

/** The least wait before a build continues, in milliseconds. */
export const NEXT_STEP_MS = 1;
/** The wait after a failure of the table. */
export const RETRY_MS = 10_000;

/** The storage key of `Unfinished`. */
const UNFINISHED = "unfinished";

/** The agent and user whose memory and conversations are indexed. */
export interface IndexOwner {
  readonly agentId: AgentId;
  readonly userId: string;
  /** The account that owns the agent, if it is known. */
  readonly accountEmail?: AccountEmail;
}

/** The builds that are left to the alarm. */
interface Unfinished {
  readonly owner: IndexOwner;
  readonly memories: boolean;
  /** Whether the earlier texts of the memories must still be indexed. */
  readonly history: boolean;
  /** The name of the access scope whose conversations must still be indexed; null if there is none. */
  readonly conversationsOf: string | null;
}

/**
 * Functions that do a part of a build. Each returns the wait until the next part in milliseconds, or `undefined` if no
 * work is left.
 */
interface Builders {
  readonly memories: (owner: IndexOwner) => Promise<number | undefined>;
  readonly history: (owner: IndexOwner) => Promise<number | undefined>;
  readonly messages: (owner: IndexOwner, conversationsOf: string) => Promise<number | undefined>;
}

type AlarmStorage = Pick<DurableObjectStorage, "get" | "put" | "getAlarm" | "setAlarm">;

/** Keeps which indexes are not complete yet, and continues them by alarms. */
export class UnfinishedBuilds {
  readonly #storage: AlarmStorage;

  constructor({ storage }: { readonly storage: AlarmStorage }) {
    this.#storage = storage;
  }

  /** Leaves the rest of a build to the alarm, which continues in `waitMs` or earlier. */
  async leave(
    { agentId, userId, accountEmail }: IndexOwner,
    more: Partial<Pick<Unfinished, "memories" | "history" | "conversationsOf">>,
    waitMs = 0,
  ): Promise<void> {
    const before = await this.#storage.get<Unfinished>(UNFINISHED);
    const nothing = { memories: false, history: false, conversationsOf: null, ...before };
    // An alarm that builds conversations may not know the account, which the memory index may need. So a known one is kept.
    const owner = { ...before?.owner, agentId, userId, ...(accountEmail !== undefined && { accountEmail }) };
    await this.#storage.put(UNFINISHED, { ...nothing, ...more, owner });
    await alarmWithin(this.#storage, waitMs);
  }

  /** Does the next part of each unfinished build, and sets an alarm if work is left. Called by the alarm. */
  async continue({ memories, history, messages }: Builders): Promise<void> {
    const unfinished = await this.#storage.get<Unfinished>(UNFINISHED);
    if (!unfinished) return;

    const { owner, conversationsOf: scope } = unfinished;
    try {
      const memoriesMs = unfinished.memories ? await memories(owner) : undefined;
      const historyMs = unfinished.history ? await history(owner) : undefined;
      const messagesMs = scope === null ? undefined : await messages(owner, scope);
      // Race: meanwhile, a search may have left another build, or the index may have been removed.
      const now = await this.#storage.get<Unfinished>(UNFINISHED);
      if (!now) return;
      await this.#storage.put(UNFINISHED, {
        owner: now.owner,
        memories: unfinished.memories ? memoriesMs !== undefined : now.memories,
        history: unfinished.history ? historyMs !== undefined : now.history,
        conversationsOf: scope !== null && messagesMs === undefined ? null : now.conversationsOf,
      } satisfies Unfinished);
      const waits = [memoriesMs, historyMs, messagesMs].filter((wait) => wait !== undefined);
      if (waits.length > 0) await alarmWithin(this.#storage, Math.min(...waits));
    } catch (error) {
      console.warn({ message: "A search index could not be built yet.", error: String(error) });
      await alarmWithin(this.#storage, RETRY_MS);
    }
  }
}

/** Sets an alarm in `waitMs` milliseconds, unless one is set that comes earlier. */
export async function alarmWithin(
  storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm">,
  waitMs: number,
): Promise<void> {
  const at = Date.now() + Math.max(waitMs, NEXT_STEP_MS);
  const alarm = await storage.getAlarm();
  if (alarm === null || alarm > at) await storage.setAlarm(at);
}
