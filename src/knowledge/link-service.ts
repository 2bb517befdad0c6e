import type { DeletionGuard } from "../deletions/model.ts";
import { mapConcurrent, sleep } from "../shared/async.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { MAX_LINKS } from "./link-model.ts";
import type { LinkRepository } from "./link-repository.ts";
import type { KnowledgeBase, KnowledgeBaseRef } from "./model.ts";
import type { KnowledgeBaseRepository } from "./repository.ts";

/** How often a write is attempted while the agent's links are changed. */
const ATTEMPTS = 16;
/** The longest random pause between attempts, which spreads concurrent requests out. */
const MAX_PAUSE_MS = 50;

/** Links removed at a time. A Worker may have six connections waiting for a response. */
const PARALLEL = 6;

interface LinkServiceDeps {
  readonly links: LinkRepository;
  readonly knowledgeBases: Pick<KnowledgeBaseRepository, "listByIds">;
  readonly agents: { get(accountEmail: AccountEmail, id: AgentId): Promise<unknown> };
  readonly clock: Clock;
}

/** Links knowledge bases to the agents that may search them. */
export class LinkService {
  readonly #links: LinkRepository;
  readonly #bases: LinkServiceDeps["knowledgeBases"];
  readonly #agents: LinkServiceDeps["agents"];
  readonly #clock: Clock;

  constructor({ links, knowledgeBases, agents, clock }: LinkServiceDeps) {
    this.#links = links;
    this.#bases = knowledgeBases;
    this.#agents = agents;
    this.#clock = clock;
  }

  /**
   * Links a base to an agent of the same account. Returns when, or `undefined` if they were linked already. Throws `not-found` if
   * there is no such agent or base, and `conflict` if the agent has as many links as it may have.
   */
  link(base: KnowledgeBaseRef, agentId: AgentId): Promise<{ readonly linkedAt: string | undefined }> {
    const { accountEmail: linkedBy, kbId } = base;
    return this.#retry(async () => {
      const state = await this.#links.state(base, agentId);
      if (!state.hasAgent) throw notFound("Agent");
      if (!state.hasBase) throw notFound("Knowledge base");
      if (state.isComplete) return { linkedAt: undefined };
      if (!state.linked.includes(kbId) && state.linked.length >= MAX_LINKS) throw tooMany();

      const linkedAt = state.linkedAt ?? this.#clock.timestamp();
      const isAdded = await this.#links.add(base, { agentId, kbId, linkedAt, linkedBy }, state);
      if (!isAdded) return undefined;
      return { linkedAt: state.linkedAt === undefined ? linkedAt : undefined };
    });
  }

  /** Removes a link if there is one. Throws `not-found` if the account has no such agent. */
  async unlink({ accountEmail, kbId }: KnowledgeBaseRef, agentId: AgentId): Promise<void> {
    await this.#agents.get(accountEmail, agentId);
    await this.#remove(agentId, { accountEmail, kbId });
  }

  /** Returns the bases that an agent is linked to. Throws `not-found` if the account has no such agent. */
  async list(accountEmail: AccountEmail, agentId: AgentId): Promise<readonly KnowledgeBase[]> {
    const [kbIds] = await Promise.all([
      this.#links.basesOf(agentId),
      this.#agents.get(accountEmail, agentId),
    ]);
    return this.#bases.listByIds(accountEmail, kbIds);
  }

  /** Removes a base that is being deleted from all agents that it is linked to. */
  async unlinkAll(base: KnowledgeBaseRef): Promise<void> {
    const agentIds = await this.#links.agentsOf(base);
    await mapConcurrent(agentIds, PARALLEL, (agentId) => this.#remove(agentId, base));
  }

  /** Removes what leads to an agent that is being deleted from its knowledge bases. The agent's own items go with its partition. */
  async forgetAgent(agentId: AgentId, guard: DeletionGuard): Promise<void> {
    await this.#links.forgetAgent(agentId, await this.#links.basesOf(agentId), guard);
  }

  async #remove(agentId: AgentId, { kbId }: KnowledgeBaseRef): Promise<void> {
    await this.#retry(async () => {
      const linked = await this.#links.linked(agentId);
      return (await this.#links.remove(agentId, kbId, { linked })) || undefined;
    });
  }

  /** Attempts a write until it returns a result: `undefined` says that the agent's links have changed. */
  async #retry<T>(write: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const written = await write();
      if (written !== undefined) return written;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw new AppError("unavailable", "The agent's links are being changed concurrently. Please try again.", {
      retryAfter: 1,
    });
  }
}

const tooMany = (): AppError =>
  new AppError(
    "conflict",
    `An agent can be linked to at most ${MAX_LINKS} knowledge bases. Unlink one to link another.`,
  );
