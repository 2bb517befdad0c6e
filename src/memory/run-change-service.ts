import { type AccessScope, memoryUserId } from "../access/access-scope.ts";
import type { AgentId, RunId } from "../shared/id-types.ts";
import type { ArchivalService } from "./archival-service.ts";
import type { MemoryOwner } from "./model.ts";
import type { RunChange } from "./run-change-model.ts";
import type { RunChangeRepository } from "./run-change-repository.ts";
import type { MemoryAgents, MemoryService } from "./service.ts";

/** What became of a block or a memory that a run has changed. `conflict`: it has been changed since, and stays as it is. */
export interface Revert {
  readonly subject: { readonly block: string } | { readonly memoryId: string };
  readonly outcome: "reverted" | "conflict";
}

interface RunChangeServiceDeps {
  readonly changes: RunChangeRepository;
  readonly blocks: Pick<MemoryService, "revert">;
  readonly memories: Pick<ArchivalService, "removeOfRun">;
  readonly agents: MemoryAgents;
}

/** Lists what an agent has written to its memory in a run, and takes it back. */
export class RunChangeService {
  readonly #changes: RunChangeRepository;
  readonly #blocks: Pick<MemoryService, "revert">;
  readonly #memories: Pick<ArchivalService, "removeOfRun">;
  readonly #agents: MemoryAgents;

  constructor({ changes, blocks, memories, agents }: RunChangeServiceDeps) {
    this.#changes = changes;
    this.#blocks = blocks;
    this.#memories = memories;
    this.#agents = agents;
  }

  /** Returns a page of the changes of a run, in order. Throws `not-found` if there is no such agent. */
  async list(scope: AccessScope, agentId: AgentId, runId: RunId, limit: number, cursor: string | undefined) {
    const [, page] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#changes.list(memoryOwnerOf(scope, agentId), runId, limit, cursor),
    ]);
    return page;
  }

  /**
   * Takes the changes of a run back: each block gets the lines that it had before the run, as a new version, and memories that the run
   * has added are removed. What has been changed since stays as it is. A repeat changes nothing. Throws `not-found` if there is no
   * such agent.
   */
  async revert(scope: AccessScope, agentId: AgentId, runId: RunId): Promise<readonly Revert[]> {
    const [, changes] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#changes.all(memoryOwnerOf(scope, agentId), runId),
    ]);
    const reverts: Revert[] = [];
    for (const [block, versions] of versionsByBlock(changes)) {
      const isReverted = await this.#blocks.revert(scope, agentId, block, versions);
      reverts.push({ subject: { block }, outcome: isReverted ? "reverted" : "conflict" });
    }
    for (const { subject } of changes) {
      if ("block" in subject) continue;
      const isReverted = await this.#memories.removeOfRun(scope, agentId, subject.memoryId, runId);
      reverts.push({ subject, outcome: isReverted ? "reverted" : "conflict" });
    }
    return reverts;
  }
}

function versionsByBlock(changes: readonly RunChange[]): ReadonlyMap<string, readonly number[]> {
  const versions = new Map<string, number[]>();
  for (const { subject } of changes)
    if ("block" in subject)
      versions.set(subject.block, [...(versions.get(subject.block) ?? []), subject.version]);
  return versions;
}

const memoryOwnerOf = (scope: AccessScope, agentId: AgentId): MemoryOwner => ({
  agentId,
  userId: memoryUserId(scope),
});
