import { type Clock, DAY_MS } from "../shared/clock.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AgentId, type ConversationId, conversationIdOf } from "../shared/id-types.ts";
import { derivedId, isPlausibleId, newId } from "../shared/ids.ts";
import { isTransient, transientId } from "../shared/transient-ids.ts";
import { type AccessScope, memoryUserId, scopeName } from "../access/access-scope.ts";
import type { AccountPlan, PlanRules } from "../plans/account-plan.ts";
import { endUserConversationsExceeded } from "../plans/refusals.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { Conversation } from "./model.ts";
import type { ConversationRepository } from "./repository.ts";

/** The operations on plans that threads need. */
interface ThreadPlans {
  plan(accountEmail: AccountEmail, nowMs: number): Promise<AccountPlan>;
}

interface ThreadServiceDeps {
  readonly conversations: Pick<ConversationRepository, "create" | "find" | "findByName">;
  readonly plans: ThreadPlans;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly clock: Clock;
}

/** A thread as its client names it. */
interface ThreadName {
  readonly scope: AccessScope;
  readonly agentId: AgentId;
  /** The id of a conversation, or any text that the client has chosen for one. */
  readonly name: string;
}

/** How often a name is looked up while others create, delete and name conversations at the same time. */
const ATTEMPTS = 4;
const MAX_TITLE_CHARS = 80;
/** How long an idempotency key finds the conversation that it has begun, in milliseconds: as long as runners keep keys. */
const KEY_LIFETIME_MS = DAY_MS;

/**
 * Finds and creates conversations for clients that have ids of their own for them, or none: those of the AI SDK and of OpenAI.
 * A name is private to an agent and a person, so that nobody reaches somebody else's conversation by its name.
 */
export class ThreadService {
  readonly #conversations: ThreadServiceDeps["conversations"];
  readonly #plans: ThreadPlans;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #clock: Clock;

  constructor({ conversations, plans, rules, clock }: ThreadServiceDeps) {
    this.#conversations = conversations;
    this.#plans = plans;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Returns the conversation of a thread with the agent, or `undefined` if there is none. */
  async find(thread: ThreadName): Promise<ConversationId | undefined> {
    return (await this.#lookUp(thread, await hashOfName(thread.name))).id;
  }

  /**
   * Returns the conversation of a thread. Creates it, with a title from `text`, if there is none. Throws `not-found` if there is no
   * such agent, or if the name is the id of a transient conversation, and `limit-exceeded` if an end user has too many.
   */
  async open(thread: ThreadName, text: string): Promise<ConversationId> {
    const { scope, agentId, name } = thread;
    // It could not be continued: its client has the history. A name that only looks like such an id is one like any other.
    if (
      isTransient(name) &&
      isPlausibleId(name) &&
      (await this.#conversations.find(scope, conversationIdOf(name)))
    )
      throw notFound("Conversation");
    const hash = await hashOfName(name);

    for (let left = ATTEMPTS; left > 0; left--) {
      const { id, named } = await this.#lookUp(thread, hash);
      if (id !== undefined) return id;
      const conversation = this.#conversationOf(scope, agentId, text, newId(this.#clock.now()));
      const created = await this.#conversations.create(scope, conversation, { hash, replaced: named });
      if ("id" in created) return created.id;
      if ("tooMany" in created) throw await this.#tooMany(scope, created.tooMany);
    }
    throw contended();
  }

  /**
   * Creates a conversation for a first message whose client names none. A repeat with the same idempotency key finds the same
   * one, for as long as the runner knows the key: a day. Throws `not-found` and `limit-exceeded` like `open`.
   */
  async begin(
    scope: AccessScope,
    agentId: AgentId,
    text: string,
    key: string | undefined,
  ): Promise<ConversationId> {
    // No client's name has a hash that begins like this.
    const hash = key === undefined ? undefined : `key-${await hashOfName(key)}`;

    for (let left = ATTEMPTS; left > 0; left--) {
      const named =
        hash === undefined ? undefined : await this.#conversations.findByName(scope, agentId, hash);
      const known = named === undefined ? undefined : await this.#conversations.find(scope, named);
      const isOf =
        known?.agentId === agentId && this.#clock.now() - Date.parse(known.createdAt) < KEY_LIFETIME_MS;
      if (isOf) return known.id;

      const conversation = this.#conversationOf(scope, agentId, text, newId(this.#clock.now()));
      const name = hash === undefined ? undefined : { hash, replaced: named };
      const created = await this.#conversations.create(scope, conversation, name);
      if ("id" in created) return created.id;
      if ("tooMany" in created) throw await this.#tooMany(scope, created.tooMany);
    }
    throw contended();
  }

  /**
   * Creates a transient conversation for one request whose client keeps the history. A repeat of the request with the same
   * idempotency key finds the same one. Throws `not-found` if there is no such agent.
   */
  async openTransient(
    scope: AccessScope,
    agentId: AgentId,
    text: string,
    key: string | undefined,
  ): Promise<ConversationId> {
    const id =
      key === undefined
        ? newId(this.#clock.now())
        : derivedId(await sha256(JSON.stringify([scopeName(scope), scope.generation ?? "", agentId, key])));
    const conversation = this.#conversationOf(scope, agentId, text, transientId(id));
    const created = await this.#conversations.create(scope, conversation);
    if (!("id" in created)) throw new Error("Transient conversations have no name and do not count.");
    return created.id;
  }

  /** Returns the live conversation of a thread, and the conversation that the name leads to, whether or not it still exists. */
  async #lookUp({ scope, agentId, name }: ThreadName, hash: string) {
    const [named, own] = await Promise.all([
      this.#conversations.findByName(scope, agentId, hash),
      isPlausibleId(name) && !isTransient(name)
        ? this.#conversations.find(scope, conversationIdOf(name))
        : undefined,
    ]);
    if (own?.agentId === agentId) return { id: own.id, named };
    const conversation = named === undefined ? undefined : await this.#conversations.find(scope, named);
    return { id: conversation?.agentId === agentId ? conversation.id : undefined, named };
  }

  #conversationOf(scope: AccessScope, agentId: AgentId, text: string, id: string): Conversation {
    return {
      id: conversationIdOf(id),
      agentId,
      title: titleOf(text),
      description: null,
      createdBy: memoryUserId(scope),
      createdAt: this.#clock.timestamp(),
      updatedAt: null,
      messageCount: 0,
    };
  }

  async #tooMany({ accountEmail }: AccessScope, count: number): Promise<AppError> {
    const plan = await this.#plans.plan(accountEmail, this.#clock.now());
    return endUserConversationsExceeded(plan, count, this.#rules);
  }
}

const contended = (): AppError =>
  new AppError("conflict", "This conversation is being changed concurrently. Please try again.", {
    retryAfter: 1,
    retryable: true,
  });

/** Returns the beginning of a text as a title. */
export function titleOf(text: string): string {
  const line = text
    .slice(0, 4 * MAX_TITLE_CHARS)
    .replaceAll(/\s+/gu, " ")
    .trim();
  const title = line.length > MAX_TITLE_CHARS ? `${line.slice(0, MAX_TITLE_CHARS - 1).trimEnd()}…` : line;
  return title === "" ? "New conversation" : title.toWellFormed();
}

const hashOfName = async (name: string): Promise<string> => toHex(await sha256(name));
