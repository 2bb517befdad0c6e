import type { MemorySearch, MemorySearchAnswer } from "../search/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { personIn, type Space } from "../users/space.ts";
import type { Memory, MemoryChanges, MemoryInput } from "./archival-model.ts";
import { contentHashOf, sortKeyOf } from "./archival-model.ts";
import { type ArchivalRepository, contended, type Inserted } from "./archival-repository.ts";
import type { MemoryOwner } from "./model.ts";
import type { MemoryAgents } from "./service.ts";

/** Memories of a batch that are stored at the same time; other requests want connections, too. */
const PARALLEL_INSERTS = 4;
/** How often a change is made again on what others have made of the memory meanwhile. */
const REBASES = 8;

/** Writes and reads cursors that are bound to a list. */
export interface PageCursors {
  write(scope: string, position: string): Promise<string>;
  read(scope: string, cursor: string | undefined): Promise<string | undefined>;
}

/** A page of what a search has found; `nextCursor` is null at the end. */
export interface FoundPage extends MemorySearchAnswer {
  readonly nextCursor: string | null;
}

interface Collaborators {
  readonly memories: ArchivalRepository;
  readonly agents: MemoryAgents;
  readonly search: MemorySearch;
  readonly cursors: PageCursors;
  readonly clock: Clock;
}

/** An agent's archival memory of its owner or of an end user, for its owner to look at and to change. */
export class ArchivalService {
  readonly #memories: ArchivalRepository;
  readonly #agents: MemoryAgents;
  readonly #search: MemorySearch;
  readonly #cursors: PageCursors;
  readonly #clock: Clock;

  constructor({ memories, agents, search, cursors, clock }: Collaborators) {
    this.#memories = memories;
    this.#agents = agents;
    this.#search = search;
    this.#cursors = cursors;
    this.#clock = clock;
  }

  /** Stores a memory, or gives the one that has its content. */
  async insert(space: Space, agentId: string, input: MemoryInput): Promise<Inserted> {
    // The write itself asks for the agent, too; this refuses one that is being deleted where the memory is there.
    const [, inserted] = await Promise.all([
      this.#agents.get(space.owner, agentId),
      this.#insert(space, agentId, input),
    ]);
    return inserted;
  }

  /**
   * Stores many memories and gives them in the order of the inputs; a content that comes twice is one memory, as its
   * first input has it. Where one fails, the rest is not begun: repeating the whole is harmless.
   */
  async insertAll(
    space: Space,
    agentId: string,
    inputs: readonly MemoryInput[],
  ): Promise<readonly Inserted[]> {
    await this.#agents.get(space.owner, agentId);

    const distinct = [...new Map(inputs.toReversed().map((input) => [input.content, input])).values()];
    const inserted = new Map<string, Inserted>();
    const pending = distinct.toReversed().values();
    const failures: unknown[] = [];
    // All workers take from the same iterator.
    const work = async () => {
      for (const input of pending) {
        if (failures.length > 0) return;
        try {
          inserted.set(input.content, await this.#insert(space, agentId, input));
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_INSERTS }, work));
    if (failures.length > 0) throw failures[0];

    return inputs.map(({ content }) => {
      const result = inserted.get(content);
      if (!result) throw new Error("Every input of a batch is stored, or the batch has failed.");
      // Whoever comes second with a content finds it there.
      inserted.set(content, { ...result, created: false });
      return result;
    });
  }

  /** The memories, those first that were stored or changed last. */
  async list(space: Space, agentId: string, limit: number, cursor: string | undefined) {
    const [, page] = await Promise.all([
      this.#agents.get(space.owner, agentId),
      this.#memories.list(memoryOf(space, agentId), limit, cursor),
    ]);
    return page;
  }

  async get(space: Space, agentId: string, id: string): Promise<Memory> {
    const memory = await this.#find(space, agentId, id);
    if (!memory) throw notFound("Memory");
    return memory;
  }

  /** Changes what is given and gives the memory as it then is. Throws a 409 where another one has the content. */
  async update(space: Space, agentId: string, id: string, changes: MemoryChanges): Promise<Memory> {
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const memory = await this.get(space, agentId, id);
      const wanted = { ...memory, ...changes };
      if (wanted.content === memory.content && wanted.occurredAt === memory.occurredAt) return memory;

      const changed = {
        ...wanted,
        contentHash: await contentHashOf(wanted.content),
        sortKey: sortKeyOf(this.#clock.timestamp(), id),
      };
      const outcome = await this.#memories.replace(memoryOf(space, agentId), space.owner, memory, changed);
      if (outcome === "done") return changed;
      if (outcome === "taken") throw new AppError("conflict", "Another memory already has this content.");
    }
    throw contended();
  }

  /** Removes a memory; one that is not there is no error. */
  async remove(space: Space, agentId: string, id: string): Promise<void> {
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const memory = await this.#find(space, agentId, id);
      if (!memory) return;

      const removedAt = this.#clock.timestamp();
      const outcome = await this.#memories.remove(memoryOf(space, agentId), space.owner, memory, removedAt);
      if (outcome === "done") return;
    }
    throw contended();
  }

  /** A page of what a query finds, best first. */
  async search(
    space: Space,
    agentId: string,
    query: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<FoundPage> {
    const scope = `archival search of ${personIn(space)} in ${agentId} for ${query}`;
    const [position] = await Promise.all([
      this.#cursors.read(scope, cursor),
      this.#agents.get(space.owner, agentId),
    ]);

    const offset = Number(position ?? 0);
    const request = { ...memoryOf(space, agentId), account: space.owner, query, limit, offset };
    const answer = await this.#search.search(request);
    const end = offset + answer.hits.length;
    const hasMore = answer.hits.length > 0 && end < answer.total;
    return { ...answer, nextCursor: hasMore ? await this.#cursors.write(scope, String(end)) : null };
  }

  /** Removes all memories of an agent that is being deleted; false where so many are left that it takes another call. */
  async sweep(space: Space, agentId: string): Promise<boolean> {
    if (!(await this.#memories.sweep(memoryOf(space, agentId)))) return false;
    await this.#search.forget(agentId, personIn(space));
    return true;
  }

  #insert(space: Space, agentId: string, input: MemoryInput): Promise<Inserted> {
    return this.#memories.insert(memoryOf(space, agentId), space.owner, {
      ...input,
      createdAt: this.#clock.timestamp(),
      by: "user",
      runId: null,
      spareId: newId(this.#clock.now()),
    });
  }

  async #find(space: Space, agentId: string, id: string): Promise<Memory | undefined> {
    const [, memory] = await Promise.all([
      this.#agents.get(space.owner, agentId),
      this.#memories.find(memoryOf(space, agentId), id),
    ]);
    return memory;
  }
}

const memoryOf = (space: Space, agentId: string): MemoryOwner => ({
  agentId,
  userId: personIn(space),
});
