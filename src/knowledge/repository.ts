import type { AccountEmail, KnowledgeBaseId } from "../shared/id-types.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { DELETING, isBeingDeleted } from "../table/deletion.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import { keyOf, optionalCount } from "../table/fields.ts";
import {
  KNOWLEDGE_BASE_PREFIX,
  knowledgeBaseKey,
  knowledgeBasePartition,
  userPartition,
} from "../table/keys.ts";
import {
  CRAWL_JOB_PREFIX,
  creationsKey,
  isActive,
  isActiveBase,
  keyOfBase,
  type KnowledgeBase,
  type KnowledgeBaseChanges,
  knowledgeBaseFrom,
  knowledgeBaseItem,
  type KnowledgeBaseRef,
} from "./model.ts";

/**
 * Items removed per call of `sweep`. A Worker may make a limited number of requests, and callers wait a limited time.
 */
const SWEEP_ITEMS = 5_000;

/** The positions of writes in the transaction that creates a base. */
const BASE = 0;

/** An account's bases at one time. A creation that names the `version` is refused if another base was created since. */
export interface BaseRoster {
  readonly bases: readonly KnowledgeBase[];
  readonly version: number | undefined;
}

/** How a deletion begins: `deleting` also if an earlier attempt has begun it and it is unfinished. */
export type DeletionStart = "absent" | "deleted" | "deleting";

export class KnowledgeBaseRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns all knowledge bases of the account that are not deleted, oldest first. */
  async list(accountEmail: AccountEmail): Promise<readonly KnowledgeBase[]> {
    const items = await this.#table.query(userPartition(accountEmail), {
      range: { beginsWith: KNOWLEDGE_BASE_PREFIX },
    });
    return items.filter(isActive).map(knowledgeBaseFrom);
  }

  /** Returns these knowledge bases of the account in the order of the ids, without those that are absent or deleted. */
  async listByIds(
    accountEmail: AccountEmail,
    ids: readonly KnowledgeBaseId[],
  ): Promise<readonly KnowledgeBase[]> {
    const items = await this.#table.batchGet(ids.map((id) => knowledgeBaseKey(accountEmail, id)));
    return items.flatMap((item) => (item && isActive(item) ? [knowledgeBaseFrom(item)] : []));
  }

  /** Returns a knowledge base, even if it is deleted. Throws `not-found` if there is none. */
  async get(accountEmail: AccountEmail, id: KnowledgeBaseId): Promise<KnowledgeBase> {
    const item = await this.#table.get(knowledgeBaseKey(accountEmail, id));
    if (!item) throw notFound("Knowledge base");
    return knowledgeBaseFrom(item);
  }

  /** Returns the account's bases. Read it before `create`. */
  async roster(accountEmail: AccountEmail): Promise<BaseRoster> {
    // Read before the bases, so that a later creation changes the version.
    const creations = await this.#table.get(creationsKey(accountEmail));
    const version = creations && optionalCount(creations, "version");
    return { version, bases: await this.list(accountEmail) };
  }

  /**
   * Creates a base, or returns the one that an earlier attempt of the same request has created. Returns `undefined` if another base
   * was created since the roster was read.
   */
  async create(base: KnowledgeBase, { version }: BaseRoster): Promise<KnowledgeBase | undefined> {
    const refusal = await this.#table.transactOrRefusal([
      { put: knowledgeBaseItem(base), if: absent("pk") },
      {
        update: creationsKey(base.accountEmail),
        changes: { add: { version: 1 }, set: { updated_at: base.createdAt } },
        if: version === undefined ? absent("version") : equals("version", version),
      },
    ]);
    if (!refusal) return base;
    const existing = refusal.get(BASE);
    return existing && knowledgeBaseFrom(existing);
  }

  /**
   * Applies the changes and returns the updated base. With `expected`, returns `undefined` if the base has changed since that was
   * read. Throws `not-found` if there is no such base or it is deleted.
   */
  async update(
    { accountEmail, kbId }: KnowledgeBaseRef,
    changes: KnowledgeBaseChanges,
    updatedAt: string,
    expected?: KnowledgeBase,
  ): Promise<KnowledgeBase | undefined> {
    const set = { ...changes, updated_at: updatedAt };
    const condition = expected ? all(isActiveBase, isAsRead(expected)) : isActiveBase;
    const key = knowledgeBaseKey(accountEmail, kbId);
    const { applied, item } = await this.#table.updateOrRefusal(key, { set }, condition);
    if (applied) return knowledgeBaseFrom(item);
    if (!item || !isActive(item)) throw notFound("Knowledge base");
    return undefined;
  }

  /** Marks a base as deleted and closes it for all writes. */
  async beginDeletion(base: KnowledgeBaseRef, deletedAt: string): Promise<DeletionStart> {
    const set = { status: "deleted", deleted_at: deletedAt, [DELETING]: deletedAt };
    const { applied, item } = await this.#table.updateOrRefusal(keyOfBase(base), { set }, isActiveBase);
    if (applied) return "deleting";
    if (!item) return "absent";
    return isBeingDeleted(item) ? "deleting" : "deleted";
  }

  /**
   * Removes the pages, jobs and everything else of a base that is closed. Returns false if some items are left; then call it again.
   */
  async sweep({ kbId }: KnowledgeBaseRef): Promise<boolean> {
    const partition = knowledgeBasePartition(kbId);
    const jobs = { range: { beginsWith: CRAWL_JOB_PREFIX }, attributes: ["pk", "sk"] };
    for await (const page of this.#table.pages(partition, jobs))
      for (const job of page)
        if (!(await this.#table.removePartition(keyOf(job).sk, SWEEP_ITEMS))) return false;
    return this.#table.removePartition(partition, SWEEP_ITEMS);
  }

  /** Ends a deletion after everything of the base is gone. The empty base is kept until `ttl`, in seconds since the epoch. */
  async endDeletion(base: KnowledgeBaseRef, ttl: number): Promise<void> {
    const changes = {
      set: { page_count: 0, chunk_count: 0, total_pages: 0, total_chunks: 0, total_vectors: 0, ttl },
      remove: [DELETING],
    };
    // If this is refused, a concurrent repeat of the request was faster.
    await this.#table.tryUpdate(keyOfBase(base), changes, present(DELETING));
  }
}

/** Timestamps are unique, so a base that was changed has another `updated_at`. */
const isAsRead = ({ updatedAt }: KnowledgeBase): Condition =>
  updatedAt === null
    ? any(absent("updated_at"), equals("updated_at", null))
    : equals("updated_at", updatedAt);
