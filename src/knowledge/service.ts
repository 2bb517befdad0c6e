import { sleep } from "../shared/async.ts";
import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AccountEmail, type KnowledgeBaseId, knowledgeBaseIdOf } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import {
  type KnowledgeBase,
  type KnowledgeBaseChanges,
  type KnowledgeBaseRef,
  MAX_KNOWLEDGE_BASES,
} from "./model.ts";
import type { KnowledgeBaseRepository } from "./repository.ts";

/** How often a creation is attempted while other bases are created. */
const ATTEMPTS = 32;
/** The longest random pause between attempts, which spreads concurrent requests out. */
const MAX_PAUSE_MS = 50;
/** How long a deleted base can still be read, without its pages. */
const DELETED_LIFETIME_MS = 30 * DAY_MS;

/** Forgets the search index of a base. */
export interface DocumentIndexes {
  forget(kbId: KnowledgeBaseId): Promise<void>;
}

/** Ends the crawl jobs of a base. */
export interface CrawlJobs {
  /** Cancels all running jobs of a base that is closed for writes. */
  stop(base: KnowledgeBaseRef): Promise<void>;
}

/** The operations on links that deleting a base needs. */
export interface BaseLinks {
  /** Removes the base from all agents that it is linked to. */
  unlinkAll(base: KnowledgeBaseRef): Promise<void>;
}

/** The operations on page budgets that deleting a base needs. */
export interface BaseBudget {
  settleAll(base: KnowledgeBaseRef): Promise<void>;
}

interface KnowledgeBaseServiceDeps {
  readonly knowledgeBases: KnowledgeBaseRepository;
  readonly links: BaseLinks;
  readonly budget: BaseBudget;
  readonly indexes: DocumentIndexes;
  readonly crawlJobs: CrawlJobs;
  readonly clock: Clock;
}

/** What a base is created with. */
export type NewKnowledgeBase = Pick<KnowledgeBase, "name" | "description">;

export class KnowledgeBaseService {
  readonly #bases: KnowledgeBaseRepository;
  readonly #links: BaseLinks;
  readonly #budget: BaseBudget;
  readonly #indexes: DocumentIndexes;
  readonly #crawlJobs: CrawlJobs;
  readonly #clock: Clock;

  constructor({ knowledgeBases, links, budget, indexes, crawlJobs, clock }: KnowledgeBaseServiceDeps) {
    this.#bases = knowledgeBases;
    this.#links = links;
    this.#budget = budget;
    this.#indexes = indexes;
    this.#crawlJobs = crawlJobs;
    this.#clock = clock;
  }

  /** Returns all knowledge bases of the account that are not deleted. */
  list(accountEmail: AccountEmail): Promise<readonly KnowledgeBase[]> {
    return this.#bases.list(accountEmail);
  }

  /** Returns a knowledge base, even if it is deleted. Throws `not-found` if there is none. */
  get(accountEmail: AccountEmail, id: KnowledgeBaseId): Promise<KnowledgeBase> {
    return this.#bases.get(accountEmail, id);
  }

  /**
   * Returns a knowledge base. Throws `not-found` if the account has no such base or it is deleted. Every route about the pages or
   * jobs of a base calls this: their items do not name the account.
   */
  async active(accountEmail: AccountEmail, id: KnowledgeBaseId): Promise<KnowledgeBase> {
    const base = await this.#bases.get(accountEmail, id);
    if (base.status === "deleted") throw notFound("Knowledge base");
    return base;
  }

  /**
   * Creates a knowledge base. `wantedId` is the id that an earlier attempt of the same request used. Throws `conflict` if the
   * account has as many as it may have.
   */
  async create(
    accountEmail: AccountEmail,
    input: NewKnowledgeBase,
    wantedId?: string,
  ): Promise<KnowledgeBase> {
    const base: KnowledgeBase = {
      id: knowledgeBaseIdOf(wantedId ?? newId(this.#clock.now())),
      accountEmail,
      ...input,
      totalPages: 0,
      totalChunks: 0,
      totalVectors: 0,
      pineconeNamespace: null,
      status: "active",
      createdAt: this.#clock.timestamp(),
      updatedAt: null,
    };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const roster = await this.#bases.roster(accountEmail);
      const earlier = roster.bases.find(({ id }) => id === base.id);
      if (earlier) return earlier;
      if (roster.bases.length >= MAX_KNOWLEDGE_BASES) throw tooMany();
      const created = await this.#bases.create(base, roster);
      if (created) return created;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw new AppError(
      "unavailable",
      "Your knowledge bases are being changed concurrently. Please try again.",
      {
        retryAfter: 1,
      },
    );
  }

  /**
   * Applies the changes and returns the updated base. Throws `not-found` if there is none, and `precondition-failed` if there is a
   * precondition and the stored base does not meet it.
   */
  async update(
    base: KnowledgeBaseRef,
    changes: KnowledgeBaseChanges,
    precondition?: (stored: KnowledgeBase) => boolean,
  ): Promise<KnowledgeBase> {
    const stored = await this.active(base.accountEmail, base.kbId);
    if (precondition && !precondition(stored)) throw outdated();
    if (Object.keys(changes).length === 0) return stored;

    // Pages that are stored meanwhile change the base, too. Without a precondition, they are no reason to refuse the update.
    const expected = precondition && stored;
    const updated = await this.#bases.update(base, changes, this.#clock.timestamp(), expected);
    if (!updated) throw outdated();
    return updated;
  }

  /**
   * Deletes a knowledge base with its pages, jobs, links and index. Nothing can be stored in it from the beginning of the deletion on.
   * Returns false if something is left to remove; the next call continues there. Throws `not-found` if there is no such base, or if
   * it is deleted already. `askedFor` is how the caller has named the base: for a caller that may reach none, the id is another.
   */
  async remove(base: KnowledgeBaseRef, askedFor: string = base.kbId): Promise<boolean> {
    const start = await this.#bases.beginDeletion(base, this.#clock.timestamp());
    if (start === "absent") throw new AppError("not-found", `Knowledge base ${askedFor} not found`);
    if (start === "deleted")
      throw new AppError("not-found", `Knowledge base ${base.kbId} is already deleted`);

    await this.#crawlJobs.stop(base);
    await this.#budget.settleAll(base);
    await this.#links.unlinkAll(base);
    await this.#indexes.forget(base.kbId);
    if (!(await this.#bases.sweep(base))) return false;

    await this.#bases.endDeletion(base, ttlAfter(this.#clock.now(), DELETED_LIFETIME_MS));
    return true;
  }
}

const tooMany = (): AppError =>
  new AppError(
    "conflict",
    `An account can have at most ${MAX_KNOWLEDGE_BASES} knowledge bases. Delete one to create another.`,
  );

const outdated = (): AppError =>
  new AppError("precondition-failed", "The knowledge base has changed since you read it. Read it again.");
