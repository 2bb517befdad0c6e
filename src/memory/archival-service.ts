import type { DeletionGuard } from "../deletions/model.ts";
import { mapConcurrent } from "../shared/async.ts";
import type { AccountPlan, PlanRules } from "../plans/account-plan.ts";
import { isAnywhereLimited } from "../plans/pricing.ts";
import { limitExceeded } from "../plans/refusals.ts";
import type { Counts } from "../plans/tally.ts";
import { cursorSubject, nextPosition, positionOf } from "../search/page-position.ts";
import { bestOf, markBest, relativeScores, splitBest } from "../search/relative-scores.ts";
import type {
  MemoryIndexStatus,
  MemorySearch,
  MemorySearchAnswer,
  MemorySearchCriteria,
} from "../search/model.ts";
import { type Clock, timestampAfter } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AgentId, RunId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { memoryUserId, type AccessScope } from "../access/access-scope.ts";
import {
  type Memory,
  type MemoryChanges,
  type MemoryInput,
  changedMemory,
  contentHashOf,
  normalContent,
  storedAt,
  type ArchiveFull,
} from "./archival-model.ts";
import { type ArchivalRepository, contended, type Inserted } from "./archival-repository.ts";
import type { ChangeRecords, RecordChange } from "./change-records.ts";
import type { MemoryOwner } from "./model.ts";
import type { MemoryAgents, MemoryPlans } from "./service.ts";

/** How many memories of a batch are stored concurrently. More would take connections from other requests. */
const PARALLEL_INSERTS = 4;
/** How often a change is attempted if the memory changes concurrently. */
const REBASES = 8;

/** Writes and reads cursors that are valid for one list only. */
export interface PageCursors {
  write(cursorScope: string, position: string): Promise<string>;
  read(cursorScope: string, cursor: string | undefined): Promise<string | undefined>;
}

/** A page of search results. `nextCursor` is null on the last page. */
export interface FoundPage extends MemorySearchAnswer {
  readonly nextCursor: string | null;
}

/** How many memories there are, and how far they can be found. */
export interface ArchiveStatus extends MemoryIndexStatus {
  readonly memories: number;
}

interface ArchivalServiceDeps {
  readonly memories: ArchivalRepository;
  readonly agents: MemoryAgents;
  readonly search: MemorySearch;
  readonly cursors: PageCursors;
  readonly plans: MemoryPlans;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly records: Pick<ChangeRecords, "of" | "send">;
  readonly clock: Clock;
}

/** What has to be known before memories change. */
interface Terms {
  readonly plan: AccountPlan | undefined;
  /** How changes are recorded. It is needed with the last request only, so nothing waits for it before. */
  readonly record: Promise<RecordChange>;
}

/** Lets the owner of an agent read and change its archival memory of the owner or of an end user. */
export class ArchivalService {
  readonly #memories: ArchivalRepository;
  readonly #agents: MemoryAgents;
  readonly #search: MemorySearch;
  readonly #cursors: PageCursors;
  readonly #plans: MemoryPlans;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #records: Pick<ChangeRecords, "of" | "send">;
  readonly #clock: Clock;

  constructor({ memories, agents, search, cursors, plans, rules, records, clock }: ArchivalServiceDeps) {
    this.#memories = memories;
    this.#agents = agents;
    this.#search = search;
    this.#cursors = cursors;
    this.#plans = plans;
    this.#rules = rules;
    this.#records = records;
    this.#clock = clock;
  }

  /**
   * Stores a memory, or returns the existing one with the same content. Throws a 429 if the plan's limit is reached,
   * and `not-found` if there is no such agent.
   */
  async insert(scope: AccessScope, agentId: AgentId, input: MemoryInput): Promise<Inserted> {
    // The write checks the agent too, but an existing memory is returned without a write: that case is refused here.
    const record = this.#records.of(scope.accountEmail);
    const [, inserted] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#plan(scope).then((plan) => this.#insert(scope, agentId, input, { plan, record })),
      record,
    ]);
    return inserted;
  }

  /**
   * Stores many memories and returns them in the order of the inputs. A content that occurs twice, apart from spaces and
   * a final full stop, becomes one memory, created from its first input. If one fails, the remaining ones are not
   * started; repeating the batch is safe.
   */
  async insertAll(
    scope: AccessScope,
    agentId: AgentId,
    inputs: readonly MemoryInput[],
  ): Promise<readonly Inserted[]> {
    const record = this.#records.of(scope.accountEmail);
    const [plan] = await Promise.all([
      this.#plan(scope),
      this.#agents.get(scope.accountEmail, agentId),
      record,
    ]);

    const contents = inputs.map(({ content }) => normalContent(content));
    const first = new Map(inputs.map((input, index) => [contents[index] ?? "", input] as const).toReversed());
    const inserted = new Map<string, Inserted>();
    await mapConcurrent([...first].toReversed(), PARALLEL_INSERTS, async ([content, input]) => {
      inserted.set(content, await this.#insert(scope, agentId, input, { plan, record }));
    });

    return contents.map((content) => {
      const result = inserted.get(content);
      if (!result) throw new Error("An input of the batch was not stored.");
      // Later inputs with the same content did not create it.
      inserted.set(content, { ...result, created: false });
      return result;
    });
  }

  /** Returns a page of the memories, most recently stored or changed first. */
  async list(scope: AccessScope, agentId: AgentId, limit: number, cursor: string | undefined) {
    const [, page] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#memories.list(memoryOwnerOf(scope, agentId), limit, cursor),
    ]);
    return page;
  }

  /** Returns a page of the texts that memories had before changes, the most recently replaced first. */
  formerTexts(scope: AccessScope, agentId: AgentId, limit: number, cursor: string | undefined) {
    return this.#memories.formerTexts(memoryOwnerOf(scope, agentId), limit, cursor);
  }

  /** Returns a memory. Throws `not-found` if there is none. */
  async get(scope: AccessScope, agentId: AgentId, id: string): Promise<Memory> {
    const memory = await this.#find(scope, agentId, id);
    if (!memory) throw notFound("Memory");
    return memory;
  }

  /**
   * Applies the changes, keeps the former text for searches `asOf` an earlier time, and returns the changed memory. Throws
   * `not-found` if there is none, a 409 if another memory has the content or the memory is being changed concurrently, and a
   * 429 if the plan's limit is reached.
   */
  async update(scope: AccessScope, agentId: AgentId, id: string, changes: MemoryChanges): Promise<Memory> {
    const [plan, record, first] = await Promise.all([
      changes.content === undefined ? undefined : this.#plan(scope),
      this.#records.of(scope.accountEmail),
      this.get(scope, agentId, id),
    ]);
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const memory = attempt === 0 ? first : await this.get(scope, agentId, id);
      const wanted = { ...memory, ...changes };
      if (wanted.content === memory.content && wanted.occurredAt === memory.occurredAt) return memory;

      // The index and searches as of a time take the text with the latest time for the current one.
      const changedAt = timestampAfter(storedAt(memory), this.#clock.timestamp());
      const contentHash = await contentHashOf(wanted.content);
      const changed = changedMemory(memory, { ...changes, contentHash, changedAt });
      const outcome = await this.#memories.replace(
        memoryOwnerOf(scope, agentId),
        scope.accountEmail,
        memory,
        changed,
        {
          limits: plan?.limits,
          changedAt,
          record,
        },
      );
      if (typeof outcome === "object") throw this.#refusal(plan, outcome);
      if (outcome === "done") {
        this.#records.send(scope.accountEmail, record);
        return changed;
      }
      if (outcome === "taken") throw new AppError("conflict", "Another memory already has this content.");
    }
    throw contended();
  }

  /** Removes a memory. Does nothing if there is none. */
  async remove(scope: AccessScope, agentId: AgentId, id: string): Promise<void> {
    await this.#removeIf(scope, agentId, id, () => true);
  }

  /** Removes a memory that a run has stored, if it has not been changed since. Returns whether the memory is gone. */
  removeOfRun(scope: AccessScope, agentId: AgentId, id: string, runId: RunId): Promise<boolean> {
    return this.#removeIf(
      scope,
      agentId,
      id,
      (memory) => memory.runId === runId && memory.changeTimes.length === 0,
    );
  }

  /** Removes a memory, if it is as expected. Returns whether there is none any more. */
  async #removeIf(
    scope: AccessScope,
    agentId: AgentId,
    id: string,
    isExpected: (memory: Memory) => boolean,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const [memory, record] = await Promise.all([
        this.#find(scope, agentId, id),
        this.#records.of(scope.accountEmail),
      ]);
      if (!memory) return true;
      if (!isExpected(memory)) return false;

      const removedAt = this.#clock.timestamp();
      const outcome = await this.#memories.remove(
        memoryOwnerOf(scope, agentId),
        scope.accountEmail,
        memory,
        removedAt,
        record,
      );
      if (outcome === "done") {
        this.#records.send(scope.accountEmail, record);
        return true;
      }
    }
    throw contended();
  }

  /** Returns a page of the memories that a search finds, best first. */
  async search(
    scope: AccessScope,
    agentId: AgentId,
    criteria: MemorySearchCriteria,
    limit: number,
    cursor: string | undefined,
  ): Promise<FoundPage> {
    const cursorScope = `archival search of ${memoryUserId(scope)} in ${agentId} for ${cursorSubject(criteria)}`;
    const [position] = await Promise.all([
      this.#cursors.read(cursorScope, cursor),
      this.#agents.get(scope.accountEmail, agentId),
    ]);

    const marked = splitBest(position);
    const at = positionOf(marked.position);
    const request = {
      ...memoryOwnerOf(scope, agentId),
      accountEmail: scope.accountEmail,
      ...criteria,
      limit,
      ...at,
    };
    const answer = await this.#search.search(request);
    const next = nextPosition(at, limit, answer);
    const best = bestOf(marked.best, answer.hits);
    const nextCursor =
      next === undefined ? null : await this.#cursors.write(cursorScope, markBest(best, next));
    return { ...answer, hits: relativeScores(answer.hits, best), nextCursor };
  }

  /** Returns how far the memories can be found. Throws `not-found` if there is no such agent. */
  async status(scope: AccessScope, agentId: AgentId): Promise<ArchiveStatus> {
    // Anti-DoS: first, because an index that is asked about is created.
    await this.#agents.get(scope.accountEmail, agentId);
    const owner = memoryOwnerOf(scope, agentId);
    const [counts, status] = await Promise.all([
      this.usage(scope, agentId),
      this.#search.status({ ...owner, accountEmail: scope.accountEmail }),
    ]);
    return { ...status, memories: counts["memories"] ?? 0 };
  }

  /** Removes the memories of an agent being deleted. Returns false if some are left and another call is needed. */
  async sweep(scope: AccessScope, agentId: AgentId, guard: DeletionGuard): Promise<boolean> {
    if (!(await this.#memories.sweep(memoryOwnerOf(scope, agentId), guard))) return false;
    await this.#search.forget(agentId, memoryUserId(scope));
    return true;
  }

  /** Returns the number of memories and of their bytes. */
  usage(scope: AccessScope, agentId: AgentId): Promise<Counts> {
    return this.#memories.usage(memoryOwnerOf(scope, agentId), this.#clock.timestamp());
  }

  async #insert(
    scope: AccessScope,
    agentId: AgentId,
    input: MemoryInput,
    { plan, record }: Terms,
  ): Promise<Inserted> {
    const draft = {
      ...input,
      createdAt: this.#clock.timestamp(),
      by: "user",
      runId: null,
      spareId: newId(this.#clock.now()),
      record,
    } as const;
    const inserted = await this.#memories.insert(
      memoryOwnerOf(scope, agentId),
      scope.accountEmail,
      draft,
      plan?.limits,
    );
    if ("full" in inserted) throw this.#refusal(plan, inserted);
    if (inserted.created) this.#records.send(scope.accountEmail, await record);
    return inserted;
  }

  /** Returns the owner's plan, or `undefined` without reading it if no plan of the deployment limits memories. */
  async #plan(scope: AccessScope): Promise<AccountPlan | undefined> {
    if (!isAnywhereLimited("archival_memories", "memory_bytes")) return undefined;
    return this.#plans.plan(scope.accountEmail, this.#clock.now());
  }

  #refusal(plan: AccountPlan | undefined, { full, used }: ArchiveFull): Error {
    if (!plan) throw new Error("A limit was reached although no plan was read.");
    return limitExceeded(plan, full, used, this.#rules);
  }

  async #find(scope: AccessScope, agentId: AgentId, id: string): Promise<Memory | undefined> {
    const [, memory] = await Promise.all([
      this.#agents.get(scope.accountEmail, agentId),
      this.#memories.find(memoryOwnerOf(scope, agentId), id),
    ]);
    return memory;
  }
}

const memoryOwnerOf = (scope: AccessScope, agentId: AgentId): MemoryOwner => ({
  agentId,
  userId: memoryUserId(scope),
});
