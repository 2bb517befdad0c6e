import type { MemoryOwner } from "../memory/model.ts";
import type { Clock } from "../shared/clock.ts";
import { DELETING } from "../table/deletion.ts";
import { keyOf } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import { userKey } from "../users/model.ts";
import {
  behind,
  type Behind,
  conversationOwnerOf,
  isConversationLead,
  isLasting,
  partitionOf,
  rootsOf,
} from "./model.ts";
import { type AccountItems, isSwept } from "./repository.ts";

/** What of runs a sweep needs. */
interface SweptRuns {
  /** Ends what runs in a conversation, and forgets what has run. */
  forgetIn(space: string, conversationId: string): Promise<void>;
}

/** What of search indexes a sweep needs. */
interface SweptIndexes {
  forget(agentId: string, userId: string): Promise<void>;
}

export interface AccountSweepOptions {
  readonly items: AccountItems;
  readonly runs: SweptRuns;
  readonly indexes: SweptIndexes;
  readonly clock: Clock;
}

/**
 * What a sweep has done. `isDone` is false where its requests were used up before the end; another call goes on, because
 * what is gone is not found again.
 */
export interface Swept {
  readonly isDone: boolean;
  readonly removed: number;
}

/** The requests that one call may make, about; a batch counts by its items. */
const REQUESTS = 400;
const ITEMS_PER_REQUEST = 25;

/** Items to remove: those that lead to others go after them. */
interface Doomed {
  readonly leading: Key[];
  readonly lookedUp: Key[];
}

/** The call's requests are used up. */
class Pause extends Error {
  override readonly name = "Pause";
}

/**
 * Removes everything of an account but the user's own item. What leads to other items goes after them, so that a sweep
 * that breaks off, anywhere, is taken up by beginning again.
 */
export class AccountSweep {
  readonly #options: AccountSweepOptions;

  constructor(options: AccountSweepOptions) {
    this.#options = options;
  }

  /**
   * Sweeps a part. The first sweep leaves agents, end users and conversations standing as bare keys, closed to
   * everybody; the final one finds by them what was written late, and removes them too.
   */
  async run(email: string, isFinal: boolean): Promise<Swept> {
    const sweep = new Sweeping(email, isFinal, this.#options);
    try {
      await sweep.closeAgents();
      for (const root of rootsOf(email)) await sweep.partition(root);
      return { isDone: true, removed: sweep.removed };
    } catch (error) {
      if (!(error instanceof Pause)) throw error;
      return { isDone: false, removed: sweep.removed };
    }
  }
}

/** One call's work. */
class Sweeping {
  readonly #email: string;
  readonly #isFinal: boolean;
  readonly #options: AccountSweepOptions;
  #left = REQUESTS;
  /** Many items lead to one memory: an agent's, and its conversations. */
  readonly #memories = new Set<string>();
  removed = 0;

  constructor(email: string, isFinal: boolean, options: AccountSweepOptions) {
    this.#email = email;
    this.#isFinal = isFinal;
    this.#options = options;
  }

  /** Before anything else: what an agent does not stand for can't be begun any more. */
  async closeAgents(): Promise<void> {
    for await (const page of this.#options.items.agentTraces(this.#email))
      for (const item of page) if (item[DELETING] === undefined) await this.#close(keyOf(item));
  }

  async partition(partition: string): Promise<void> {
    this.#spend(1);
    for await (const page of this.#options.items.traces(partition)) await this.#page(page);
  }

  async #page(page: readonly Item[]): Promise<void> {
    const doomed: Doomed = { leading: [], lookedUp: [] };
    let pause: Pause | undefined;
    try {
      for (const item of page) await this.#item(item, doomed);
    } catch (error) {
      if (!(error instanceof Pause)) throw error;
      // What is finished is removed all the same: otherwise a long page would never be.
      pause = error;
    }

    await this.#remove(doomed.lookedUp);
    await this.#remove(doomed.leading);
    this.removed += doomed.leading.length;
    if (pause) throw pause;
  }

  async #item(item: Item, { leading, lookedUp }: Doomed): Promise<void> {
    const key = keyOf(item);
    const isLead = isLasting(this.#email, key);
    const isKept = isLead && !this.#isFinal;
    if (isKept && isSwept(item)) return;

    const next = await behind(this.#email, item);
    if (isUser(this.#email, key)) {
      if (this.#isFinal) lookedUp.push(...next.keys);
      return;
    }
    // Nothing joins what is closed, and no run begins there: none is left behind.
    if (isLead && item[DELETING] === undefined) await this.#close(key);
    if (isConversationLead(this.#email, key)) await this.#endRuns(key);
    await this.#sweepBehind(next);
    if (isKept) {
      await this.#options.items.empty(key, this.#options.clock.timestamp());
      return;
    }
    leading.push(key);
    lookedUp.push(...next.keys);
  }

  async #sweepBehind({ partitions, memories }: Behind): Promise<void> {
    for (const partition of partitions) await this.partition(partition);
    for (const memory of memories) await this.#memory(memory);
  }

  async #memory(memory: MemoryOwner): Promise<void> {
    const partition = partitionOf(memory);
    if (this.#memories.has(partition)) return;
    await this.partition(partition);
    this.#spend(1);
    await this.#options.indexes.forget(memory.agentId, memory.userId);
    this.#memories.add(partition);
  }

  async #endRuns(key: Key): Promise<void> {
    this.#spend(1);
    await this.#options.runs.forgetIn(conversationOwnerOf(key), key.sk.slice(key.sk.indexOf("#") + 1));
  }

  async #close(key: Key): Promise<void> {
    this.#spend(1);
    await this.#options.items.close(key, this.#options.clock.timestamp());
  }

  async #remove(keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#options.items.remove(keys);
    this.#left -= Math.ceil(keys.length / ITEMS_PER_REQUEST);
  }

  #spend(requests: number): void {
    if (this.#left <= 0) throw new Pause();
    this.#left -= requests;
  }
}

const isUser = (email: string, { pk, sk }: Key): boolean => {
  const user = userKey(email);
  return pk === user.pk && sk === user.sk;
};
