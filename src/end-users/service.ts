import type { Agent } from "../agents/model.ts";
import type { ClientTokens } from "../auth/client-tokens.ts";
import type { DeletionGuard, RemovalGuards } from "../deletions/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalidInput, notFound } from "../shared/errors.ts";
import type { AccountEmail, AgentId, ConversationId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { type AccessScope, type EndUserRef, isEndUserId } from "../access/access-scope.ts";
import { tokenEnded } from "../access/end-user-status.ts";
import { newEvent, type WantedEvents } from "../webhooks/event-model.ts";
import { type EndUser, isAnonymousId, scopeOfEndUser } from "./model.ts";
import type { EndUserRepository } from "./repository.ts";

/** Looks up agents; `get` throws `not-found` if the agent does not exist or belongs to someone else. */
interface EndUserAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<Agent>;
}

/** Removes conversations when an end user is deleted. */
interface EndUserConversations {
  idsOfAgent(scope: AccessScope, agentId: AgentId, limit: number): Promise<readonly ConversationId[]>;
  remove(
    scope: AccessScope,
    conversationId: ConversationId,
    guards: { readonly within: DeletionGuard },
  ): Promise<"absent" | "unfinished" | "done">;
}

/** Removes archival memory when an end user is deleted. */
interface EndUserMemories {
  /** Removes all memories. Returns false if so many are left that it takes another call. */
  sweep(scope: AccessScope, agentId: AgentId, guard: DeletionGuard): Promise<boolean>;
}

/** The account's webhooks. */
interface EndUserWebhooks {
  /** Returns which events the account's endpoints want. */
  wanted(accountEmail: AccountEmail): Promise<WantedEvents>;
}

/** Sends recorded events of an account. Never throws. */
interface EndUserWebhookSender {
  nudge(accountEmail: AccountEmail): Promise<void>;
}

/** The input for a client token. */
export interface ClientTokenRequest {
  readonly endUserId: string;
  readonly expiresInSeconds: number;
  /** If `undefined`, all of the agent's allowed origins. */
  readonly origins: readonly string[] | undefined;
}

/** A token for an end user. */
export interface MintedToken {
  readonly token: string;
  readonly endUser: EndUser;
  readonly origins: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface EndUserServiceDeps {
  readonly endUsers: EndUserRepository;
  readonly agents: EndUserAgents;
  readonly conversations: EndUserConversations;
  readonly memories: EndUserMemories;
  readonly tokens: ClientTokens;
  readonly webhooks: EndUserWebhooks;
  readonly webhookSender: EndUserWebhookSender;
  readonly clock: Clock;
  /** Keeps a request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** End users removed per call when an agent is deleted. Each costs a handful of requests. */
const REMOVED_AT_ONCE = 20;
const PARALLEL_REMOVALS = 4;
/** Conversations removed per call. Each takes five requests, of which a Worker may make a limited number. */
const CONVERSATIONS_AT_ONCE = 100;

/** Manages end users: the people who talk to an agent without an account. */
export class EndUserService {
  readonly #endUsers: EndUserRepository;
  readonly #agents: EndUserAgents;
  readonly #conversations: EndUserConversations;
  readonly #memories: EndUserMemories;
  readonly #tokens: ClientTokens;
  readonly #webhooks: EndUserWebhooks;
  readonly #webhookSender: EndUserWebhookSender;
  readonly #clock: Clock;
  readonly #later: (work: Promise<void>) => void;

  constructor({
    endUsers,
    agents,
    conversations,
    memories,
    tokens,
    webhooks,
    webhookSender,
    clock,
    later,
  }: EndUserServiceDeps) {
    this.#endUsers = endUsers;
    this.#agents = agents;
    this.#conversations = conversations;
    this.#memories = memories;
    this.#tokens = tokens;
    this.#webhooks = webhooks;
    this.#webhookSender = webhookSender;
    this.#clock = clock;
    this.#later = later;
  }

  /**
   * Issues a token with which an end user can talk to the agent from pages of these origins, and creates the end user if
   * necessary. Throws `not-found` if the agent does not exist, and `validation-failed` if the id is the account's e-mail address
   * or an origin is not among the agent's allowed ones.
   */
  async mint(
    accountEmail: AccountEmail,
    agentId: AgentId,
    request: ClientTokenRequest,
  ): Promise<MintedToken> {
    const { endUserId: id, expiresInSeconds } = request;
    if (isAddressOf(accountEmail, id))
      throw invalid("end_user_id", "must not be the e-mail address of the account.");

    const [agent, known] = await Promise.all([
      this.#agents.get(accountEmail, agentId),
      this.#endUsers.find({ agentId, id }),
    ]);
    const origins = request.origins ?? agent.allowedOrigins;
    if (!origins.every((origin) => agent.allowedOrigins.includes(origin)))
      throw invalid("origins", "must be among the agent's `allowed_origins`.");

    const now = this.#clock.now();
    const endUser = known ?? (await this.#create(accountEmail, { agentId, id }, "end_user_id"));
    const expiresAt = Math.floor(now / 1000) + expiresInSeconds;
    const grant = { accountEmail, endUser: { agentId, id }, generation: endUser.generation, origins };
    return {
      token: await this.#tokens.issue(grant, expiresAt),
      endUser,
      origins,
      expiresAt: expiresAt * 1000,
    };
  }

  /**
   * Returns the scope of an end user, for requests of the agent's owner, and creates the end user if necessary. Throws `not-found` if
   * the agent does not exist, and `validation-failed` for the account's e-mail address and for text that can't be an id; `member`
   * names it in the request.
   */
  async open(accountEmail: AccountEmail, ref: EndUserRef, member: string): Promise<AccessScope> {
    if (!isEndUserId(ref.id))
      throw invalid(member, "must have 1 to 128 letters, digits and the characters ._@:-");
    if (isAddressOf(accountEmail, ref.id))
      throw invalid(member, "must not be the e-mail address of the account.");
    const [, known] = await Promise.all([
      this.#agents.get(accountEmail, ref.agentId),
      this.#endUsers.find(ref),
    ]);
    return scopeOfEndUser(known ?? (await this.#create(accountEmail, ref, member)));
  }

  /**
   * Returns the scope of a new end user, and stores nothing; `settle` stores the end user. Throws `not-found` if the agent does not
   * exist.
   */
  async announce(accountEmail: AccountEmail, ref: EndUserRef): Promise<AccessScope> {
    await this.#agents.get(accountEmail, ref.agentId);
    return scopeOfEndUser(this.#newEndUser(accountEmail, ref));
  }

  /**
   * Stores the end user of a scope who may not be stored yet; has no effect on others. Call it before the first write to the scope.
   * Idempotent. Throws `not-found` if the agent does not exist, and `unauthenticated` if the end user has been deleted.
   */
  async settle({ accountEmail, endUser, generation, isStoredLater = false }: AccessScope): Promise<void> {
    if (!isStoredLater || !endUser || (await this.#endUsers.find(endUser))) return;
    const stored = { ...this.#newEndUser(accountEmail, endUser), generation: generation ?? "" };
    if (!(await this.#endUsers.createVisitor(stored, this.#clock.now()))) throw tokenEnded();
  }

  /** Returns a page of the agent's end users, in the order of their ids. */
  async list(accountEmail: AccountEmail, agentId: AgentId, limit: number, cursor: string | undefined) {
    const [, page] = await Promise.all([
      this.#agents.get(accountEmail, agentId),
      this.#endUsers.list(agentId, limit, cursor),
    ]);
    return page;
  }

  /** Returns an end user. Throws `not-found` if the agent or the end user does not exist. */
  async get(accountEmail: AccountEmail, agentId: AgentId, id: string): Promise<EndUser> {
    const [, endUser] = await Promise.all([
      this.#agents.get(accountEmail, agentId),
      this.#endUsers.find({ agentId, id }),
    ]);
    if (!endUser) throw notFound("End user");
    return endUser;
  }

  /** Returns the scope of an end user, for requests of the agent's owner. Throws `not-found` like `get`. */
  async scope(accountEmail: AccountEmail, agentId: AgentId, id: string): Promise<AccessScope> {
    return scopeOfEndUser(await this.get(accountEmail, agentId, id));
  }

  /**
   * Deletes an end user with their conversations, runs and memories; their tokens become invalid immediately. Returns false if
   * so much is left that it takes another call, which continues where this one stopped. Returns true if the end user does not
   * exist. With `begun`, only continues that deletion, which may have ended.
   */
  async remove(
    accountEmail: AccountEmail,
    agentId: AgentId,
    id: string,
    begun?: DeletionGuard,
  ): Promise<boolean> {
    try {
      await this.#agents.get(accountEmail, agentId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return true;
      throw error;
    }
    return this.#remove(accountEmail, { agentId, id }, { begun });
  }

  /** Deletes all end users of an agent that is being deleted. Returns false if it takes another call. */
  async removeAll(accountEmail: AccountEmail, agentId: AgentId, within: DeletionGuard): Promise<boolean> {
    const refs = await this.#endUsers.first(agentId, REMOVED_AT_ONCE);
    for (let from = 0; from < refs.length; from += PARALLEL_REMOVALS) {
      const group = refs.slice(from, from + PARALLEL_REMOVALS);
      const done = await Promise.all(group.map((ref) => this.#remove(accountEmail, ref, { within })));
      if (done.includes(false)) return false;
    }
    return refs.length < REMOVED_AT_ONCE;
  }

  /** Throws `validation-failed` for an id that this service has given to a visitor, whose token would end; `member` names it. */
  #create(accountEmail: AccountEmail, ref: EndUserRef, member: string): Promise<EndUser> {
    if (isAnonymousId(ref.id)) throw invalid(member, "must not begin with anon:");
    return this.#endUsers.create(this.#newEndUser(accountEmail, ref));
  }

  #newEndUser(accountEmail: AccountEmail, ref: EndUserRef): EndUser {
    const generation = newId(this.#clock.now());
    return { ...ref, accountEmail, generation, createdAt: this.#clock.timestamp() };
  }

  async #remove(
    accountEmail: AccountEmail,
    endUser: EndUserRef,
    { within, begun }: RemovalGuards,
  ): Promise<boolean> {
    const guard = begun ?? (await this.#endUsers.beginDeletion(endUser, this.#clock.timestamp(), within));
    if (!guard) return true;

    // From here on, nothing new can be written to the end user's scope.
    const { agentId, id } = endUser;
    const scope = { accountEmail, endUser: { agentId, id } };
    const conversationIds = await this.#conversations.idsOfAgent(scope, agentId, CONVERSATIONS_AT_ONCE + 1);
    for (const conversationId of conversationIds.slice(0, CONVERSATIONS_AT_ONCE))
      if ((await this.#conversations.remove(scope, conversationId, { within: guard })) === "unfinished")
        return false;
    if (conversationIds.length > CONVERSATIONS_AT_ONCE) return false;
    if (!(await this.#memories.sweep(scope, agentId, guard))) return false;
    const [isSwept, { types }] = await Promise.all([
      this.#endUsers.sweep(endUser, guard),
      this.#webhooks.wanted(accountEmail),
    ]);
    if (!isSwept) return false;

    await this.#endDeletion(accountEmail, endUser, guard, types);
    return true;
  }

  /** Removes what is left of an end user, and tells the account's webhook endpoints that want to know. */
  async #endDeletion(
    accountEmail: AccountEmail,
    endUser: EndUserRef,
    guard: DeletionGuard,
    types: WantedEvents["types"],
  ): Promise<void> {
    const now = this.#clock.now();
    if (!types.includes("end_user.deleted")) return this.#endUsers.endDeletion(endUser, guard, now);

    const data = { agent_id: endUser.agentId, end_user_id: endUser.id };
    const event = newEvent("end_user.deleted", data, this.#clock);
    await this.#endUsers.endDeletion(endUser, guard, now, { accountEmail, event });
    this.#later(this.#webhookSender.nudge(accountEmail));
  }
}

/** The owner's own memories are stored under the account's e-mail address, so no end user may have it as an id. */
const isAddressOf = (accountEmail: AccountEmail, id: string): boolean =>
  id.toLowerCase() === accountEmail.toLowerCase();

const invalid = (member: string, predicate: string): AppError =>
  invalidInput("json", [{ path: [member], message: `${member} ${predicate}`, code: "custom" }]);
