import type { Agent } from "../agents/model.ts";
import type { ClientTokens } from "../auth/client-tokens.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { EndUserRef, Space } from "../users/space.ts";
import { type EndUser, spaceOfEndUser } from "./model.ts";
import type { EndUserRepository } from "./repository.ts";

/** What of agents end users need: throws a 404 for one that is absent or not the owner's. */
interface EndUserAgents {
  get(owner: string, agentId: string): Promise<Agent>;
}

/** What of conversations an end user's deletion needs. */
interface EndUserConversations {
  idsOfAgent(space: Space, agentId: string): Promise<readonly string[]>;
  remove(space: Space, conversationId: string): Promise<"absent" | "unfinished" | "done">;
}

/** What of archival memory an end user's deletion needs. */
interface EndUserMemories {
  /** Removes all memories; false where so many are left that it takes another call. */
  sweep(space: Space, agentId: string): Promise<boolean>;
}

/** What a client token is asked for with. */
export interface TokenWish {
  readonly endUserId: string;
  readonly expiresInSeconds: number;
  /** All of the agent's where nothing is said. */
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

interface Collaborators {
  readonly endUsers: EndUserRepository;
  readonly agents: EndUserAgents;
  readonly conversations: EndUserConversations;
  readonly memories: EndUserMemories;
  readonly tokens: ClientTokens;
  readonly clock: Clock;
}

/** End users removed per call when an agent goes: each costs a handful of requests. */
const REMOVED_AT_ONCE = 20;
const PARALLEL_REMOVALS = 4;

/** The people who talk to somebody's agents without an account of their own. */
export class EndUserService {
  readonly #with: Collaborators;

  constructor(collaborators: Collaborators) {
    this.#with = collaborators;
  }

  /** A token with which an end user, known by now or not, may talk to the agent from pages of these origins. */
  async mint(owner: string, agentId: string, wish: TokenWish): Promise<MintedToken> {
    const { endUsers, agents, tokens, clock } = this.#with;
    const { endUserId: id, expiresInSeconds } = wish;
    // Under the owner's e-mail stand the owner's own memories.
    if (id.toLowerCase() === owner.toLowerCase())
      throw invalid("end_user_id", "Must not be the e-mail of the account");

    const [agent, known] = await Promise.all([agents.get(owner, agentId), endUsers.find({ agentId, id })]);
    const origins = wish.origins ?? agent.allowedOrigins;
    if (!origins.every((origin) => agent.allowedOrigins.includes(origin)))
      throw invalid("origins", "Must be among the agent's `allowed_origins`");

    const now = clock.now();
    const created = { agentId, id, owner, generation: newId(now), createdAt: clock.timestamp() };
    const endUser = known ?? (await endUsers.create(created));
    const expiresAt = Math.floor(now / 1000) + expiresInSeconds;
    const grant = { owner, endUser: { agentId, id }, generation: endUser.generation, origins };
    return {
      token: await tokens.issue(grant, expiresAt),
      endUser,
      origins,
      expiresAt: expiresAt * 1000,
    };
  }

  /** The agent's end users by their ids. */
  async list(owner: string, agentId: string, limit: number, cursor: string | undefined) {
    const { agents, endUsers } = this.#with;
    const [, page] = await Promise.all([agents.get(owner, agentId), endUsers.list(agentId, limit, cursor)]);
    return page;
  }

  async get(owner: string, agentId: string, id: string): Promise<EndUser> {
    const { agents, endUsers } = this.#with;
    const [, endUser] = await Promise.all([agents.get(owner, agentId), endUsers.find({ agentId, id })]);
    if (!endUser) throw notFound("End user");
    return endUser;
  }

  /** The space of an end user, for the agent's owner to look at. */
  async space(owner: string, agentId: string, id: string): Promise<Space> {
    return spaceOfEndUser(await this.get(owner, agentId, id));
  }

  /**
   * Deletes an end user with conversations, runs and memories; its tokens are dead at once. False where so much is left
   * that it takes another call, which goes on where this one stopped. One who is not there is deleted already.
   */
  async remove(owner: string, agentId: string, id: string): Promise<boolean> {
    try {
      await this.#with.agents.get(owner, agentId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return true;
      throw error;
    }
    return this.#remove(owner, { agentId, id });
  }

  /** Deletes all end users of an agent that is being deleted; false where it takes another call. */
  async removeAll(owner: string, agentId: string): Promise<boolean> {
    const refs = await this.#with.endUsers.first(agentId, REMOVED_AT_ONCE);
    for (let from = 0; from < refs.length; from += PARALLEL_REMOVALS) {
      const group = refs.slice(from, from + PARALLEL_REMOVALS);
      const done = await Promise.all(group.map((ref) => this.#remove(owner, ref)));
      if (done.includes(false)) return false;
    }
    return refs.length < REMOVED_AT_ONCE;
  }

  async #remove(owner: string, endUser: EndUserRef): Promise<boolean> {
    const { endUsers, conversations, memories, clock } = this.#with;
    if (!(await endUsers.beginDeletion(endUser, clock.timestamp()))) return true;

    // Nothing new comes in from here on.
    const { agentId, id } = endUser;
    const space = { owner, endUser: { agentId, id } };
    for (const conversationId of await conversations.idsOfAgent(space, agentId))
      if ((await conversations.remove(space, conversationId)) === "unfinished") return false;
    if (!(await memories.sweep(space, agentId))) return false;
    if (!(await endUsers.sweep(endUser))) return false;

    await endUsers.endDeletion(endUser);
    return true;
  }
}

const invalid = (member: string, message: string): AppError =>
  new AppError("validation-failed", `The body is not valid: ${member}: ${message}`, {
    extensions: { errors: [{ path: [member], message, code: "custom" }] },
  });
