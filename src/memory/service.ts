import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { sleep } from "../shared/async.ts";
import { type AccountPlan, type PlanRules } from "../plans/account-plan.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { memoryUserId, type AccessScope } from "../access/access-scope.ts";
import type { ChangeRecords, RecordChange } from "./change-records.ts";
import { asLines, isSameLines, isTooMuch } from "./lines.ts";
import { requireBelowLimit } from "../plans/refusals.ts";
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
import { KEPT_VERSIONS, thinVersions } from "./version-thinning.ts";

/** How often a change is attempted if the block changes concurrently. */
const TRIES = 32;
/** The longest delay before another attempt, in milliseconds. It is random, so that concurrent writers spread out. */
const MAX_DELAY_MS = 50;

/** The part of the agent service that memory needs. `get` throws `not-found` if the account has no such agent. */
export interface MemoryAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<unknown>;
}

/** The part of the plan service that memory needs. `nowMs` is in milliseconds since the epoch. */
export interface MemoryPlans {
  plan(accountEmail: AccountEmail, nowMs: number): Promise<AccountPlan>;
}

/** What callers provide to create a custom block. */
export type NewBlock = Pick<BlockDefinition, "name" | "description" | "wordLimit">;

/** Returns whether the content to be replaced is the one that the caller expects. */
export type IsExpected = (content: BlockContent) => boolean;

interface MemoryServiceDeps {
  readonly memory: MemoryRepository;
  readonly versions: BlockVersionRepository;
  readonly agents: MemoryAgents;
  readonly plans: MemoryPlans;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly records: Pick<ChangeRecords, "of" | "send">;
  readonly clock: Clock;
  /** Keeps the request alive for work that continues after the response. The work must not reject. */
  readonly later: (work: Promise<void>) => void;
}

/** New lines for a block, and the error if they exceed its limit. */
interface Lines {
  readonly lines: readonly string[];
  readonly author: Author;
  readonly record: RecordChange;
  readonly isExpected: IsExpected;
  /** The version that the lines come from. */
  readonly restores?: number;
  readonly tooLong: (words: number, limit: number) => AppError;
}

/** Lets the owner of an agent read and change its core memory of the owner or of an end user. */
export class MemoryService {
  readonly #memory: MemoryRepository;
  readonly #versions: BlockVersionRepository;
  readonly #agents: MemoryAgents;
  readonly #plans: MemoryPlans;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #records: Pick<ChangeRecords, "of" | "send">;
  readonly #clock: Clock;
  readonly #later: MemoryServiceDeps["later"];

  constructor({ memory, versions, agents, plans, rules, records, clock, later }: MemoryServiceDeps) {
    this.#memory = memory;
    this.#versions = versions;
    this.#agents = agents;
    this.#plans = plans;
    this.#rules = rules;
    this.#records = records;
    this.#clock = clock;
    this.#later = later;
  }

  /** Returns all blocks by name. Creates the default ones on first access. Throws `not-found` if there is no agent. */
  async blocks(scope: AccessScope, agentId: AgentId): Promise<readonly Block[]> {
    const memoryOwner = memoryOwnerOf(scope, agentId);
    const [, blocks] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#memory.blocks(memoryOwner),
    ]);
    if (blocks.length > 0) return blocks;

    const definitions = defaultDefinitions(this.#clock.timestamp());
    await this.#memory.begin(memoryOwner, scope.accountEmail, definitions);
    return emptyBlocks(definitions);
  }

  /** Returns the block with exactly this name. Throws `not-found` if there is none. */
  async block(scope: AccessScope, agentId: AgentId, name: string): Promise<Block> {
    const block = (await this.blocks(scope, agentId)).find((candidate) => candidate.name === name);
    if (!block) throw blockNotFound(name);
    return block;
  }

  /**
   * Creates a custom block. A repeated request must have the same `creationId`. Throws a 429 if the limit of the
   * owner's plan is reached, and a `conflict` if the name is reserved or taken.
   */
  async create(
    scope: AccessScope,
    agentId: AgentId,
    input: NewBlock,
    creationId: string | undefined,
  ): Promise<Block> {
    const { name } = input;
    const memoryOwner = memoryOwnerOf(scope, agentId);

    return this.#retryUntilDone(name, async () => {
      const [plan, creations] = await Promise.all([
        this.#plans.plan(scope.accountEmail, this.#clock.now()),
        this.#memory.creations(memoryOwner),
      ]);
      // Read after the creation counter, so that a block created in between is noticed.
      const blocks = await this.blocks(scope, agentId);
      const isNew = !blocks.some((block) => block.name === name);
      if (isReservedName(name) && isNew) throw new AppError("conflict", `'${name}' is a reserved block name`);
      // The limit is not checked if the name exists: an earlier attempt of this request may have created the block.
      const custom = blocks.filter(({ isDefault }) => !isDefault).length;
      if (isNew) requireBelowLimit(plan, "memory_blocks", custom, this.#rules);

      const createdAt = this.#clock.timestamp();
      const definition = { ...input, isDefault: false, createdAt, updatedAt: null };
      const created = await this.#memory.create(
        memoryOwner,
        scope.accountEmail,
        definition,
        creationId,
        creations,
      );
      if (created === "taken") throw new AppError("conflict", `Memory block '${name}' already exists`);
      return created;
    });
  }

  /** Changes a block's description and limit. Throws a `conflict` if its content exceeds the new limit. */
  async define(
    scope: AccessScope,
    agentId: AgentId,
    name: string,
    changes: DefinitionChanges,
  ): Promise<Block> {
    return this.#retryUntilDone(name, async () => {
      const block = await this.block(scope, agentId, name);
      if (Object.keys(changes).length === 0) return block;

      const words = wordsIn(block.content.lines);
      if (changes.wordLimit !== undefined && words > changes.wordLimit)
        throw new AppError(
          "conflict",
          `Memory block '${name}' has ${words} words, so its limit can't be ${changes.wordLimit}. Shorten the block first.`,
          { extensions: { word_count: words, word_limit: block.wordLimit } },
        );

      const changedAt = this.#clock.timestamp();
      const memoryOwner = memoryOwnerOf(scope, agentId);
      const isDone = await this.#memory.define(memoryOwner, scope.accountEmail, block, changes, changedAt);
      return isDone ? { ...block, ...changes } : undefined;
    });
  }

  /**
   * Deletes a custom block and its content; its versions are kept. Does nothing if there is no such block. Throws a
   * `conflict` for a default block.
   */
  async remove(scope: AccessScope, agentId: AgentId, name: string): Promise<void> {
    const { accountEmail } = scope;
    await this.#retryUntilDone(name, async () => {
      const [blocks, record] = await Promise.all([
        this.#blocksIfAny(scope, agentId),
        this.#records.of(accountEmail),
      ]);
      const block = blocks.find((candidate) => candidate.name === name);
      if (!block) return true;
      if (block.isDefault) throw new AppError("conflict", `Cannot delete default memory block '${name}'`);

      const removedAt = this.#clock.timestamp();
      const owner = memoryOwnerOf(scope, agentId);
      if (!(await this.#memory.remove(owner, accountEmail, block, removedAt, record))) return undefined;
      this.#records.send(accountEmail, record);
      return true;
    });
  }

  /**
   * Replaces a block's lines. Throws `precondition-failed` if the current content is not the expected one,
   * `payload-too-large` above 400 KB, and `validation-failed` above the block's word limit.
   */
  async replaceLines(
    scope: AccessScope,
    agentId: AgentId,
    name: string,
    lines: readonly string[],
    isExpected: IsExpected,
  ): Promise<Block> {
    if (isTooMuch(lines))
      throw new AppError(
        "payload-too-large",
        "These lines exceed 400 KB, the most that a memory block can hold.",
      );
    const [block, record] = await Promise.all([
      this.block(scope, agentId, name),
      this.#records.of(scope.accountEmail),
    ]);
    return this.#write(scope, agentId, block, {
      lines: asLines(lines),
      author: { by: "user" },
      record,
      isExpected,
      tooLong: (words, limit) =>
        new AppError(
          "validation-failed",
          `Memory block '${name}' can hold at most ${limit} words, but these lines have ${words}.`,
          { extensions: { word_count: words, word_limit: limit } },
        ),
    });
  }

  /** Returns a page of a block's versions, newest first. Throws `not-found` if there is no such block. */
  async versions(
    scope: AccessScope,
    agentId: AgentId,
    name: string,
    limit: number,
    cursor: string | undefined,
  ) {
    await this.block(scope, agentId, name);
    return this.#versions.list(memoryOwnerOf(scope, agentId), name, limit, cursor);
  }

  /**
   * Removes a version, even one that was restored. Does nothing if it was removed before. Throws a `conflict` for the
   * newest version, which is the current content, and `not-found` for a version that never existed.
   */
  async removeVersion(scope: AccessScope, agentId: AgentId, name: string, number: number): Promise<void> {
    await this.block(scope, agentId, name);
    const owner = memoryOwnerOf(scope, agentId);
    const newest = await this.#versions.newest(owner, name);
    if (number > newest) throw versionNotFound(name, number);
    if (number === newest)
      throw new AppError(
        "conflict",
        `Version ${number} is the current version of memory block '${name}' and can't be deleted. Change the block first.`,
      );
    await this.#versions.remove(owner, name, number);
  }

  /**
   * Restores the lines of a version as a new version. Throws `not-found` if there is no such version,
   * `precondition-failed` if the current content is not the expected one, and `conflict` above the block's word limit.
   */
  async restore(
    scope: AccessScope,
    agentId: AgentId,
    name: string,
    number: number,
    isExpected: IsExpected,
  ): Promise<Block> {
    const [block, record] = await Promise.all([
      this.block(scope, agentId, name),
      this.#records.of(scope.accountEmail),
    ]);
    const version = await this.#version(memoryOwnerOf(scope, agentId), name, number);

    return this.#write(scope, agentId, block, {
      lines: version.lines,
      author: { by: "restore" },
      record,
      restores: number,
      isExpected,
      tooLong: (words, limit) =>
        new AppError(
          "conflict",
          `Version ${number} of memory block '${name}' has ${words} words, but the block can hold at most ${limit}. Raise its limit first.`,
          { extensions: { word_count: words, word_limit: limit } },
        ),
    });
  }

  /**
   * Restores the lines that a block had before these versions, which one run has written, as a new version. Returns whether the block
   * has these lines now; otherwise it was deleted or changed since, also between these versions, or its former lines are not kept.
   */
  async revert(
    scope: AccessScope,
    agentId: AgentId,
    name: string,
    written: readonly number[],
  ): Promise<boolean> {
    const [first, last] = [Math.min(...written), Math.max(...written)];
    const [blocks, before] = await Promise.all([
      this.#blocksIfAny(scope, agentId),
      first === 1 ? NOTHING : this.#versions.find(memoryOwnerOf(scope, agentId), name, first - 1),
    ]);
    const block = blocks.find((candidate) => candidate.name === name);
    if (!block || !before) return false;
    if (isSameLines(before.lines, block.content.lines)) return true;

    const record = await this.#records.of(scope.accountEmail);
    const isOfRun = written.length === last - first + 1;
    try {
      await this.#write(scope, agentId, block, {
        lines: before.lines,
        author: { by: "restore" },
        record,
        ...(first > 1 && { restores: first - 1 }),
        isExpected: ({ revision }) => isOfRun && revision?.version === last,
        // Its limit has been lowered since.
        tooLong: () => changedMeanwhile(name),
      });
      return true;
    } catch (error) {
      if (error instanceof AppError && GONE_OR_CHANGED.includes(error.code)) return false;
      throw error;
    }
  }

  /** Replaces a block's lines, and tries again after concurrent changes. Writes nothing if the lines are equal. */
  async #write(scope: AccessScope, agentId: AgentId, read: Block, change: Lines): Promise<Block> {
    const { lines, author, record, isExpected, restores, tooLong } = change;
    const memoryOwner = memoryOwnerOf(scope, agentId);
    const words = wordsIn(lines);
    let block = read;

    return this.#retryUntilDone(read.name, async () => {
      if (!isExpected(block.content)) throw changedMeanwhile(read.name);
      if (isSameLines(lines, block.content.lines)) return block;
      if (words > block.wordLimit) throw tooLong(words, block.wordLimit);

      const changedAt = this.#clock.timestamp();
      const outcome = await this.#memory.saveContent(memoryOwner, scope.accountEmail, {
        block,
        lines,
        author,
        changedAt,
        record,
        ...(restores !== undefined && { restores }),
      });
      if ("saved" in outcome) {
        this.#thin(memoryOwner, read.name, outcome.saved);
        this.#records.send(scope.accountEmail, record);
        return { ...block, content: outcome.saved };
      }
      if (!outcome.current) throw blockNotFound(read.name);
      block = outcome.current;
      return undefined;
    });
  }

  /** Repeats an attempt until it returns a value. `undefined` means that the block was changed concurrently. */
  async #retryUntilDone<T>(name: string, attempt: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries++) {
      const result = await attempt();
      if (result !== undefined) return result;
      await sleep(Math.random() * MAX_DELAY_MS);
    }
    throw new AppError(
      "conflict",
      `Memory block '${name}' is being changed concurrently. Please try again.`,
      {
        retryAfter: 1,
        retryable: true,
      },
    );
  }

  /** Returns all blocks, or none if there is no such agent. */
  async #blocksIfAny(scope: AccessScope, agentId: AgentId): Promise<readonly Block[]> {
    try {
      return await this.blocks(scope, agentId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return [];
      throw error;
    }
  }

  async #version(owner: MemoryOwner, name: string, number: number): Promise<StoredVersion> {
    const version = await this.#versions.find(owner, name, number);
    if (!version) throw versionNotFound(name, number);
    return version;
  }

  /** Thins the old versions of a block that was just written, after the response has been sent. */
  #thin(owner: MemoryOwner, block: string, { revision }: BlockContent): void {
    const version = revision?.version ?? 0;
    if (version > KEPT_VERSIONS) this.#later(thinVersions(owner, { block, version }, this.#versions));
  }
}

/** The lines of a block before its first version. */
const NOTHING: Pick<StoredVersion, "lines"> = { lines: [] };

/** The errors of a block that is no longer as a run has left it. */
const GONE_OR_CHANGED: readonly string[] = ["precondition-failed", "not-found"];

/** Identifies the agent's memory of the user of an access scope. */
const memoryOwnerOf = (scope: AccessScope, agentId: AgentId): MemoryOwner => ({
  agentId,
  userId: memoryUserId(scope),
});

const versionNotFound = (name: string, number: number): AppError =>
  notFound(`Version ${number} of memory block '${name}'`);

const blockNotFound = (name: string): AppError => notFound(`Memory block '${name}'`);

const changedMeanwhile = (name: string): AppError =>
  new AppError(
    "precondition-failed",
    `Memory block '${name}' has changed since you read it. Read it again and reapply your change.`,
  );
