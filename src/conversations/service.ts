import type { AccountPlan, PlanRules } from "../plans/account-plan.ts";
import { endUserConversationsExceeded } from "../plans/refusals.ts";
import type { DeletionGuard, RemovalGuards } from "../deletions/model.ts";
import type { Clock } from "../shared/clock.ts";
import {
  type AccountEmail,
  type AgentId,
  type ConversationId,
  conversationIdOf,
} from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { Message } from "../messages/model.ts";
import { memoryUserId, type AccessScope } from "../access/access-scope.ts";
import type { Conversation, ConversationChanges, ConversationSettings } from "./model.ts";
import type { ConversationRepository } from "./repository.ts";

/** A page of a list; `nextCursor` is null at the end. */
interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** The operations on messages that conversations need. */
export interface ConversationMessages {
  list(conversationId: ConversationId, limit: number, cursor: string | undefined): Promise<Page<Message>>;
  /** Removes messages. Returns false if some are left; then call it again. */
  sweep(conversationId: ConversationId, guard: DeletionGuard): Promise<boolean>;
}

/** The operations on runs that deleting a conversation needs. */
export interface ConversationRuns {
  /** Ends the active run of the conversation and deletes the log of all its runs. */
  forget(scope: AccessScope, conversationId: ConversationId): Promise<void>;
}

/** The operations on plans that conversations need. */
interface ConversationPlans {
  plan(accountEmail: AccountEmail, nowMs: number): Promise<AccountPlan>;
}

interface ConversationServiceDeps {
  readonly conversations: ConversationRepository;
  readonly messages: ConversationMessages;
  readonly runs: ConversationRuns;
  readonly plans: ConversationPlans;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly clock: Clock;
}

/** `unfinished`: all readers see the conversation as absent, but another call must remove the rest. */
export type Removal = "absent" | "unfinished" | "done";

export class ConversationService {
  readonly #conversations: ConversationRepository;
  readonly #messages: ConversationMessages;
  readonly #runs: ConversationRuns;
  readonly #plans: ConversationPlans;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #clock: Clock;

  constructor({ conversations, messages, runs, plans, rules, clock }: ConversationServiceDeps) {
    this.#conversations = conversations;
    this.#messages = messages;
    this.#runs = runs;
    this.#plans = plans;
    this.#rules = rules;
    this.#clock = clock;
  }

  /**
   * Creates a conversation. `wantedId` is the id that an earlier attempt of the same request used; a repeat returns the
   * same conversation. Throws `limit-exceeded` if the end user has too many, and `not-found` if there is no such agent.
   */
  async create(scope: AccessScope, input: ConversationSettings, wantedId?: string): Promise<Conversation> {
    const id = conversationIdOf(wantedId ?? newId(this.#clock.now()));
    const createdAt = this.#clock.timestamp();
    const created = await this.#conversations.create(scope, {
      ...input,
      id,
      createdBy: memoryUserId(scope),
      createdAt,
      updatedAt: null,
      messageCount: 0,
    });
    if ("id" in created) return created;
    if (!("tooMany" in created)) throw new Error("A conversation without a name can't have a taken one.");
    const plan = await this.#plans.plan(scope.accountEmail, this.#clock.now());
    throw endUserConversationsExceeded(plan, created.tooMany, this.#rules);
  }

  /**
   * Applies the changes and returns the updated conversation. Throws `not-found` if it or the new agent does not exist.
   */
  update(scope: AccessScope, id: ConversationId, changes: ConversationChanges): Promise<Conversation> {
    if (Object.keys(changes).length === 0) return this.#conversations.get(scope, id);
    return this.#conversations.update(scope, id, changes, this.#clock.timestamp());
  }

  /** Returns a page of messages, newest first. Throws `not-found` if the conversation is not in the scope. */
  async messages(
    scope: AccessScope,
    id: ConversationId,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<Message>> {
    const [, page] = await Promise.all([
      this.#conversations.get(scope, id),
      this.#messages.list(id, limit, cursor),
    ]);
    return page;
  }

  /**
   * Deletes a conversation with its runs and messages. Returns `absent` if there is none, or if the deletion that this is a part of has
   * ended.
   */
  async remove(
    scope: AccessScope,
    id: ConversationId,
    { within, begun }: RemovalGuards = {},
  ): Promise<Removal> {
    return this.#remove(scope, id, begun ?? (await this.#begin(scope, id, "any", within)));
  }

  /** Deletes a conversation if nothing has been said or changed in it. Returns `absent` for any other one. */
  async removeUnused(scope: AccessScope, id: ConversationId): Promise<Removal> {
    return this.#remove(scope, id, await this.#begin(scope, id, "unused"));
  }

  #begin(scope: AccessScope, id: ConversationId, wanted: "any" | "unused", within?: DeletionGuard) {
    return this.#conversations.beginDeletion(scope, id, this.#clock.timestamp(), wanted, within);
  }

  async #remove(scope: AccessScope, id: ConversationId, guard: DeletionGuard | undefined): Promise<Removal> {
    if (!guard) return "absent";

    // From here on no run can start, so none is left behind.
    await this.#runs.forget(scope, id);
    if (!(await this.#messages.sweep(id, guard))) return "unfinished";

    await this.#conversations.endDeletion(scope, id, guard, this.#clock.timestamp());
    return "done";
  }

  idsOfAgent(scope: AccessScope, agentId: AgentId, limit: number): Promise<readonly ConversationId[]> {
    return this.#conversations.idsOfAgent(scope, agentId, limit);
  }
}
