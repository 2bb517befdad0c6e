import type { MemorySearch, MemorySearchAnswer } from "../search/model.ts";
import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { Inserted, MemoryDraft } from "./archival-repository.ts";
import type { MemoryOwner } from "./model.ts";

/** Whose archival memory, and the run that works with it. */
export interface ArchivePlace {
  readonly owner: MemoryOwner;
  /** The account that the agent belongs to. */
  readonly account: string;
  readonly runId: string;
}

/** Stores a memory for one owner; see `ArchivalRepository.insert`. */
export type InsertMemory = (draft: MemoryDraft) => Promise<Inserted>;

/** The archival memory of one turn: the agent's memory of the user, without any ids to get wrong. */
export class ArchivalMemory {
  readonly #place: ArchivePlace;
  readonly #insert: InsertMemory;
  readonly #search: MemorySearch;
  readonly #clock: Clock;

  constructor(place: ArchivePlace, insert: InsertMemory, search: MemorySearch, clock: Clock) {
    this.#place = place;
    this.#insert = insert;
    this.#search = search;
    this.#clock = clock;
  }

  /** Stores a memory, or gives the one that has its content. */
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

  /** What a query finds, best first. Nothing where the search fails: a turn goes on without it. */
  async search(query: string, limit: number, offset: number): Promise<MemorySearchAnswer | undefined> {
    const { owner, account, runId } = this.#place;
    try {
      return await this.#search.search({ ...owner, account, query, limit, offset });
    } catch (error) {
      console.warn({ message: "A search in archival memory failed.", runId, error: String(error) });
      return undefined;
    }
  }
}
