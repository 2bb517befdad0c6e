import {
  type AccountEmail,
  type AgentId,
  type ConversationId,
  conversationIdOf,
  type KnowledgeBaseId,
} from "../shared/id-types.ts";
import { userKey } from "../table/keys.ts";
import type { MemoryOwner } from "../memory/model.ts";
import { withTimeout } from "../shared/async.ts";
import type { Clock } from "../shared/clock.ts";
import { DELETING } from "../table/deletion.ts";
import { keyOf } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import {
  dependentsOf,
  type Dependents,
  conversationOwnerOf,
  isConversationLead,
  isLasting,
  partitionOf,
  rootsOf,
} from "./model.ts";
import { type AccountItems, isSwept } from "./repository.ts";

/** Ends the runs of a conversation that is being deleted. */
interface SweptRuns {
  /** Cancels the active run of a conversation and deletes the log of its runs. Returns true if there was no active run. */
  forgetIn(scope: string, conversationId: ConversationId): Promise<boolean>;
}

/** Deletes the search index of a memory. */
interface SweptIndexes {
  forget(agentId: AgentId, userId: string): Promise<void>;
}

/** Ends the crawls of a knowledge base that is being deleted. */
interface SweptCrawls {
  stop(base: { readonly accountEmail: AccountEmail; readonly kbId: KnowledgeBaseId }): Promise<void>;
}

/** Deletes the search index of a knowledge base. */
interface SweptDocumentIndexes {
  forget(kbId: KnowledgeBaseId): Promise<void>;
}

export interface AccountSweepDeps {
  readonly items: AccountItems;
  readonly runs: SweptRuns;
  readonly indexes: SweptIndexes;
  readonly crawls: SweptCrawls;
  readonly documentIndexes: SweptDocumentIndexes;
  /** How long a runner may take to end its run, in milliseconds. */
  readonly runnerMs: number;
  readonly clock: Clock;
}

/**
 * The result of a sweep. `isDone` is false if the request budget was used up before the end; another call then continues,
 * because removed items are not found again.
 */
export interface Swept {
  readonly isDone: boolean;
  readonly removed: number;
  /** Whether a run was active in a conversation. Its last writes may arrive after the sweep. */
  readonly hadRuns: boolean;
}

/** The approximate number of requests that one call may make. A batch of 25 items counts as one. */
const REQUESTS = 400;
const ITEMS_PER_REQUEST = 25;
/** After this many runners have failed, a call ends: an alarm may not take longer than 15 minutes. */
const MAX_FAILURES = 3;

/** Items to remove. `leading` items point to others and are removed last. */
interface Removals {
  readonly leading: Key[];
  readonly lookedUp: Key[];
}

/** Thrown when the request budget of a call is used up. */
class Pause extends Error {
  override readonly name = "Pause";
}

/**
 * Removes all items of an account except the user item. Items that point to others are removed after them, so that an
 * interrupted sweep can simply be started again.
 */
export class AccountSweep {
  readonly #deps: AccountSweepDeps;

  constructor(deps: AccountSweepDeps) {
    this.#deps = deps;
  }

  /**
   * Sweeps one part. The first sweep keeps agents, end users and conversations as empty, closed items. The final one uses them
   * to find what was written late, and then removes them, too. A conversation whose runner does not answer stays as it is, and
   * does not keep the others: throws the runner's error after everything else is done. Calling again continues.
   */
  async run(accountEmail: AccountEmail, isFinal: boolean): Promise<Swept> {
    const sweep = new Sweeping({ ...this.#deps, accountEmail, isFinal });
    try {
      await sweep.closeAgents();
      for (const root of rootsOf(accountEmail)) await sweep.partition(root);
      sweep.throwFailure();
      return { isDone: true, removed: sweep.removed, hadRuns: sweep.hadRuns };
    } catch (error) {
      if (!(error instanceof Pause)) throw error;
      return { isDone: false, removed: sweep.removed, hadRuns: sweep.hadRuns };
    }
  }
}

interface SweepingDeps extends AccountSweepDeps {
  readonly accountEmail: AccountEmail;
  readonly isFinal: boolean;
}

/** The work of one call. */
class Sweeping {
  readonly #deps: SweepingDeps;
  readonly #failures: Error[] = [];
  #left = REQUESTS;
  /** Memories already swept: several items lead to the same one. */
  readonly #memories = new Set<string>();
  removed = 0;
  hadRuns = false;

  constructor(deps: SweepingDeps) {
    this.#deps = deps;
  }

  /** Throws the first error of a runner, if there was one. */
  throwFailure(): void {
    const [first] = this.#failures;
    if (first) throw first;
  }

  /** Closes all agents. Call it first: nothing new can be created under a closed agent. */
  async closeAgents(): Promise<void> {
    for await (const page of this.#deps.items.agentTraces(this.#deps.accountEmail))
      for (const item of page) if (item[DELETING] === undefined) await this.#close(keyOf(item));
  }

  async partition(partition: string): Promise<void> {
    this.#spend(1);
    for await (const page of this.#deps.items.traces(partition)) await this.#page(page);
  }

  async #page(page: readonly Item[]): Promise<void> {
    const removals: Removals = { leading: [], lookedUp: [] };
    let pause: Pause | undefined;
    try {
      for (const item of page) await this.#item(item, removals);
    } catch (error) {
      if (!(error instanceof Pause)) throw error;
      // Remove what is finished before pausing. Otherwise a sweep would never get past a long page.
      pause = error;
    }

    await this.#remove(removals.lookedUp);
    await this.#remove(removals.leading);
    this.removed += removals.leading.length;
    if (pause) throw pause;
  }

  async #item(item: Item, { leading, lookedUp }: Removals): Promise<void> {
    const key = keyOf(item);
    const isLead = isLasting(this.#deps.accountEmail, key);
    const isKept = isLead && !this.#deps.isFinal;
    if (isKept && isSwept(item)) return;

    const next = await dependentsOf(this.#deps.accountEmail, item);
    if (isUser(this.#deps.accountEmail, key)) {
      if (this.#deps.isFinal) lookedUp.push(...next.keys);
      return;
    }
    // Close it before ending its runs: no new run can begin under a closed item.
    if (isLead && item[DELETING] === undefined) await this.#close(key);
    if (isConversationLead(this.#deps.accountEmail, key) && !(await this.#endRuns(key))) return;
    if (!(await this.#endCrawls(next.knowledgeBases))) return;
    await this.#sweepDependents(next);
    lookedUp.push(...next.keys);
    if (isKept) await this.#deps.items.empty(key, this.#deps.clock.timestamp());
    else leading.push(key);
  }

  async #sweepDependents({ partitions, memories }: Dependents): Promise<void> {
    for (const partition of partitions) await this.partition(partition);
    for (const memory of memories) await this.#memory(memory);
  }

  async #memory(memory: MemoryOwner): Promise<void> {
    const partition = partitionOf(memory);
    if (this.#memories.has(partition)) return;
    await this.partition(partition);
    this.#spend(1);
    await this.#deps.indexes.forget(memory.agentId, memory.userId);
    this.#memories.add(partition);
  }

  /** Returns false if the runner failed or did not answer in time. Then its run may still write. */
  async #endRuns(key: Key): Promise<boolean> {
    const conversationId = conversationIdOf(key.sk.slice(key.sk.indexOf("#") + 1));
    return this.#end(async () => {
      const wasIdle = await this.#deps.runs.forgetIn(conversationOwnerOf(key), conversationId);
      if (!wasIdle) this.hadRuns = true;
    });
  }

  /** Returns false if the crawls or the index of a base could not be ended. Then they may still write. */
  async #endCrawls(kbIds: readonly KnowledgeBaseId[]): Promise<boolean> {
    for (const kbId of kbIds) {
      const isEnded = await this.#end(async () => {
        await this.#deps.crawls.stop({ accountEmail: this.#deps.accountEmail, kbId });
        await this.#deps.documentIndexes.forget(kbId);
      });
      if (!isEnded) return false;
    }
    return true;
  }

  /** Ends something in a Durable Object. Returns false if that fails or takes too long. */
  async #end(work: () => Promise<void>): Promise<boolean> {
    this.#spend(1);
    try {
      await withTimeout(this.#deps.runnerMs, work, {
        reason: () => new Error("A runner did not end its run in time."),
      });
      return true;
    } catch (thrown) {
      this.hadRuns = true;
      this.#failures.push(thrown instanceof Error ? thrown : new Error(String(thrown)));
      if (this.#failures.length === MAX_FAILURES) this.throwFailure();
      return false;
    }
  }

  async #close(key: Key): Promise<void> {
    this.#spend(1);
    await this.#deps.items.close(key, this.#deps.clock.timestamp());
  }

  async #remove(keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#deps.items.remove(keys);
    this.#left -= Math.ceil(keys.length / ITEMS_PER_REQUEST);
  }

  #spend(requests: number): void {
    if (this.#left <= 0) throw new Pause();
    this.#left -= requests;
  }
}

const isUser = (accountEmail: AccountEmail, { pk, sk }: Key): boolean => {
  const user = userKey(accountEmail);
  return pk === user.pk && sk === user.sk;
};
