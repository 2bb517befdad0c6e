import type { MemorySearch, MemorySearchAnswer, MemorySearchCriteria } from "../search/model.ts";
import type { Clock } from "../shared/clock.ts";
import type { AccountEmail, RunId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { Inserted, MemoryDraft } from "./archival-repository.ts";
import type { Memory } from "./archival-model.ts";
import type { MemoryOwner } from "./model.ts";

/** Whose archival memory it is, and the run that uses it. */
export interface ArchivePlace {
  readonly owner: MemoryOwner;
  /** The account that owns the agent. */
  readonly accountEmail: AccountEmail;
  readonly runId: RunId;
}

/** Stores a memory for one owner; see `ArchivalRepository.insert`. */
export type InsertMemory = (draft: MemoryDraft) => Promise<Inserted>;

/** Returns a memory of one owner; see `ArchivalRepository.find` and, for a time, `findAt`. */
export type FindMemory = (id: string, asOf: number | undefined) => Promise<Memory | undefined>;

interface ArchivalMemoryDeps {
  readonly place: ArchivePlace;
  readonly insert: InsertMemory;
  /** Returns a memory, or `undefined` if there is none. */
  readonly find: FindMemory;
  readonly search: Pick<MemorySearch, "search">;
  readonly clock: Clock;
}

/** An agent's archival memory of one user, for one turn. Callers pass no ids, so they can't reach another memory. */
export class ArchivalMemory {
  readonly #place: ArchivePlace;
  readonly #insert: InsertMemory;
  readonly #find: FindMemory;
  readonly #search: Pick<MemorySearch, "search">;
  readonly #clock: Clock;
  /** The order that the first page of a query has kept, so that its later pages neither skip nor repeat a memory. */
  readonly #snapshots = new Map<string, string>();

  constructor({ place, insert, find, search, clock }: ArchivalMemoryDeps) {
    this.#place = place;
    this.#insert = insert;
    this.#find = find;
    this.#search = search;
    this.#clock = clock;
  }

  /** Stores a memory, or returns the existing one with the same content. Throws `not-found` if the agent is gone. */
  insert(content: string): Promise<Inserted> {
    return this.#insert({
      content,
      occurredAt: null,
      createdAt: this.#clock.timestamp(),
      by: "agent",
      runId: this.#place.runId,
      spareId: newId(this.#clock.now()),
    });
  }

  /**
   * Returns a memory, or `undefined` if there is none with this id. With `asOf` (ms since the epoch), returns the text that
   * it had then.
   */
  read(id: string, asOf?: number): Promise<Memory | undefined> {
    return this.#find(id, asOf);
  }

  /** Returns what a search finds, best first, or `undefined` if the search fails: a turn can continue without it. */
  async search(
    criteria: MemorySearchCriteria,
    limit: number,
    offset: number,
  ): Promise<MemorySearchAnswer | undefined> {
    const { owner, accountEmail, runId } = this.#place;
    const key = JSON.stringify(criteria);
    const snapshot = this.#snapshots.get(key);
    try {
      const answer = await this.#search.search({
        ...owner,
        accountEmail,
        ...criteria,
        limit,
        offset,
        snapshot,
      });
      if (answer.snapshot !== undefined) this.#snapshots.set(key, answer.snapshot);
      return answer;
    } catch (error) {
      console.warn({ message: "Searching archival memory failed.", runId, error: String(error) });
      return undefined;
    }
  }
}
