import type { Clock } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import { type Block, defaultDefinitions, emptyBlocks } from "./model.ts";
import type { MemoryRepository } from "./repository.ts";

/** What of agents memory needs: throws a 404 for one that is absent or not the owner's. */
export interface MemoryAgents {
  get(owner: string, agentId: string): Promise<unknown>;
}

/** An agent's memory of its owner, for its owner to look at. */
export class MemoryService {
  readonly #memory: MemoryRepository;
  readonly #agents: MemoryAgents;
  readonly #clock: Clock;

  constructor(memory: MemoryRepository, agents: MemoryAgents, clock: Clock) {
    this.#memory = memory;
    this.#agents = agents;
    this.#clock = clock;
  }

  /** All blocks by name; a memory that was never begun is begun with the default ones. */
  async blocks(owner: string, agentId: string): Promise<readonly Block[]> {
    const memoryOwner = { agentId, userId: owner };
    const [, blocks] = await Promise.all([
      this.#agents.get(owner, agentId),
      this.#memory.blocks(memoryOwner),
    ]);
    if (blocks.length > 0) return blocks;

    const definitions = defaultDefinitions(this.#clock.timestamp());
    await this.#memory.begin(memoryOwner, owner, definitions);
    return emptyBlocks(definitions);
  }

  /** The block of a name, as it is spelled. */
  async block(owner: string, agentId: string, name: string): Promise<Block> {
    const block = (await this.blocks(owner, agentId)).find((candidate) => candidate.name === name);
    if (!block) throw notFound(`Memory block '${name}'`);
    return block;
  }
}
