import { type AccountPlan, type PlanRules, requireBlock } from "../plans/account-plan.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { personIn, type Space } from "../users/space.ts";
import { asLines, isSameLines } from "./lines.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  defaultDefinitions,
  type DefinitionChanges,
  emptyBlocks,
  isReservedName,
  type MemoryOwner,
  wordsIn,
} from "./model.ts";
import type { MemoryRepository } from "./repository.ts";
import type { Author, StoredVersion } from "./version-model.ts";
import type { BlockVersionRepository } from "./version-repository.ts";

/** How often a change is made again on what others have made of the block meanwhile. */
const TRIES = 32;
/** The longest rest before such a repetition, so that many who write at once get out of each other's way. */
const REST_MS = 50;

/** What of agents memory needs: throws a 404 for one that is absent or not the owner's. */
export interface MemoryAgents {
  get(owner: string, agentId: string): Promise<unknown>;
}

/** What of plans memory needs. */
export interface MemoryPlans {
  plan(email: string, nowMs: number): Promise<AccountPlan>;
}

/** What a custom block is made with. */
export type NewBlock = Pick<BlockDefinition, "name" | "description" | "wordLimit">;

/** Whether the content that a write would replace is what the caller takes it for. */
export type IsExpected = (content: BlockContent) => boolean;

interface Collaborators {
  readonly memory: MemoryRepository;
  readonly versions: BlockVersionRepository;
  readonly agents: MemoryAgents;
  readonly plans: MemoryPlans;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly clock: Clock;
}

/** New lines for a block, and what is said where its limit does not allow them. */
interface Lines {
  readonly lines: readonly string[];
  readonly author: Author;
  readonly isExpected: IsExpected;
  readonly tooLong: (words: number, limit: number) => AppError;
}

/** An agent's memory of its owner or of an end user, for its owner to look at and to change. */
export class MemoryService {
  readonly #memory: MemoryRepository;
  readonly #versions: BlockVersionRepository;
  readonly #agents: MemoryAgents;
  readonly #plans: MemoryPlans;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #clock: Clock;

  constructor({ memory, versions, agents, plans, rules, clock }: Collaborators) {
    this.#memory = memory;
    this.#versions = versions;
    this.#agents = agents;
    this.#plans = plans;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** All blocks by name; a memory that was never begun is begun with the default ones. */
  async blocks(space: Space, agentId: string): Promise<readonly Block[]> {
    const memoryOwner = memoryOf(space, agentId);
    const [, blocks] = await Promise.all([
      this.#agents.get(space.owner, agentId),
      this.#memory.blocks(memoryOwner),
    ]);
    if (blocks.length > 0) return blocks;

    const definitions = defaultDefinitions(this.#clock.timestamp());
    await this.#memory.begin(memoryOwner, space.owner, definitions);
    return emptyBlocks(definitions);
  }

  /** The block of a name, as it is spelled. */
  async block(space: Space, agentId: string, name: string): Promise<Block> {
    const block = (await this.blocks(space, agentId)).find((candidate) => candidate.name === name);
    if (!block) throw blockNotFound(name);
    return block;
  }

  /**
   * Makes a custom block. Who repeats a request gives it the same `creationId`. Throws a 429 where the owner's plan allows
   * no more.
   */
  async create(
    space: Space,
    agentId: string,
    input: NewBlock,
    creationId: string | undefined,
  ): Promise<Block> {
    const { name } = input;
    const memoryOwner = memoryOf(space, agentId);

    return this.#untilMade(name, async () => {
      const [plan, creations] = await Promise.all([
        this.#plans.plan(space.owner, this.#clock.now()),
        this.#memory.creations(memoryOwner),
      ]);
      // Behind the count of creations: a block that is made between the two is noticed.
      const blocks = await this.blocks(space, agentId);
      const isNew = !blocks.some((block) => block.name === name);
      if (isReservedName(name) && isNew) throw new AppError("conflict", `'${name}' is a reserved block name`);
      // One that has the name may be the work of this very request, whose answer was lost.
      if (isNew) requireBlock(plan, blocks.filter(({ isDefault }) => !isDefault).length, this.#rules);

      const createdAt = this.#clock.timestamp();
      const definition = { ...input, isDefault: false, createdAt, updatedAt: null };
      const made = await this.#memory.create(memoryOwner, space.owner, definition, creationId, creations);
      if (made === "taken") throw new AppError("conflict", `Memory block '${name}' already exists`);
      return made;
    });
  }

  /** Changes a block's description and limit; what is absent stays as it is. */
  async define(space: Space, agentId: string, name: string, changes: DefinitionChanges): Promise<Block> {
    return this.#untilMade(name, async () => {
      const block = await this.block(space, agentId, name);
      if (changes.description === undefined && changes.wordLimit === undefined) return block;

      const words = wordsIn(block.content.lines);
      if (changes.wordLimit !== undefined && words > changes.wordLimit)
        throw new AppError(
          "conflict",
          `Memory block '${name}' holds ${words} words: its limit can't be ${changes.wordLimit}. Shorten it first.`,
          { extensions: { word_count: words, word_limit: block.wordLimit } },
        );

      const changedAt = this.#clock.timestamp();
      const memoryOwner = memoryOf(space, agentId);
      const isMade = await this.#memory.define(memoryOwner, space.owner, block, changes, changedAt);
      return isMade ? { ...block, ...changes } : undefined;
    });
  }

  /** Deletes a custom block with its content; its versions stay. A block that is not there is deleted already. */
  async remove(space: Space, agentId: string, name: string): Promise<void> {
    await this.#untilMade(name, async () => {
      const block = (await this.#blocksIfAny(space, agentId)).find((candidate) => candidate.name === name);
      if (!block) return true;
      if (block.isDefault) throw new AppError("conflict", `Cannot delete default memory block '${name}'`);

      const removedAt = this.#clock.timestamp();
      return (
        (await this.#memory.remove(memoryOf(space, agentId), space.owner, block, removedAt)) || undefined
      );
    });
  }

  /** Gives a block these lines, on top of whatever stands there, if that is what the caller expects. */
  async replaceLines(
    space: Space,
    agentId: string,
    name: string,
    lines: readonly string[],
    isExpected: IsExpected,
  ): Promise<Block> {
    const block = await this.block(space, agentId, name);
    return this.#write(space, agentId, block, {
      lines: asLines(lines),
      author: { by: "user" },
      isExpected,
      tooLong: (words, limit) =>
        new AppError(
          "validation-failed",
          `Memory block '${name}' may hold ${limit} words, and these lines have ${words}.`,
          { extensions: { word_count: words, word_limit: limit } },
        ),
    });
  }

  /** A block's versions, newest first. */
  async versions(space: Space, agentId: string, name: string, limit: number, cursor: string | undefined) {
    await this.block(space, agentId, name);
    return this.#versions.list(memoryOf(space, agentId), name, limit, cursor);
  }

  /** Brings back the lines that a version left, as a new version. */
  async restore(
    space: Space,
    agentId: string,
    name: string,
    number: number,
    isExpected: IsExpected,
  ): Promise<Block> {
    const block = await this.block(space, agentId, name);
    const version = await this.#version(memoryOf(space, agentId), name, number);

    return this.#write(space, agentId, block, {
      lines: version.lines,
      author: { by: "restore" },
      isExpected,
      tooLong: (words, limit) =>
        new AppError(
          "conflict",
          `Version ${number} of memory block '${name}' has ${words} words, and the block may hold ${limit}. Raise its limit first.`,
          { extensions: { word_count: words, word_limit: limit } },
        ),
    });
  }

  /** Writes lines on top of what stands there, also when that changes meanwhile. Lines that stand there already stay. */
  async #write(space: Space, agentId: string, read: Block, change: Lines): Promise<Block> {
    const { lines, author, isExpected, tooLong } = change;
    const memoryOwner = memoryOf(space, agentId);
    const words = wordsIn(lines);
    let block = read;

    return this.#untilMade(read.name, async () => {
      if (!isExpected(block.content)) throw changedMeanwhile(read.name);
      if (isSameLines(lines, block.content.lines)) return block;
      if (words > block.wordLimit) throw tooLong(words, block.wordLimit);

      const changedAt = this.#clock.timestamp();
      const outcome = await this.#memory.saveContent(memoryOwner, space.owner, {
        block,
        lines,
        author,
        changedAt,
      });
      if ("saved" in outcome) return { ...block, content: outcome.saved };
      if (!outcome.current) throw blockNotFound(read.name);
      block = outcome.current;
      return undefined;
    });
  }

  /** Makes a change that others may be faster with; an attempt that gives nothing is made again. */
  async #untilMade<T>(name: string, attempt: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries++) {
      const made = await attempt();
      if (made !== undefined) return made;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * REST_MS));
    }
    throw new AppError("conflict", `Memory block '${name}' is being changed by others. Please try again.`, {
      retryAfter: 1,
      retryable: true,
    });
  }

  /** All blocks; none where there is no such agent. */
  async #blocksIfAny(space: Space, agentId: string): Promise<readonly Block[]> {
    try {
      return await this.blocks(space, agentId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return [];
      throw error;
    }
  }

  async #version(owner: MemoryOwner, name: string, number: number): Promise<StoredVersion> {
    const version = await this.#versions.find(owner, name, number);
    if (!version) throw notFound(`Version ${number} of memory block '${name}'`);
    return version;
  }
}

/** Where an agent keeps what it remembers of whoever the space is. */
const memoryOf = (space: Space, agentId: string): MemoryOwner => ({ agentId, userId: personIn(space) });

const blockNotFound = (name: string): AppError => notFound(`Memory block '${name}'`);

const changedMeanwhile = (name: string): AppError =>
  new AppError(
    "precondition-failed",
    `Memory block '${name}' has changed since it was read. Read it again, and repeat the change on what it says now.`,
  );
