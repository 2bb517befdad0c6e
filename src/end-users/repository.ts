import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { type DeletionGuard, isBeingDeleted, isLive, markDeleted } from "../table/deletion.ts";
import { absent, absentOrExpired } from "../table/expressions.ts";
import { recordEvent, type WebhookEvent } from "../webhooks/event-model.ts";
import { END_USER_PREFIX, agentKey, agentPartition, memoryPartition } from "../table/keys.ts";
import { type ListPage, listInOrder } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import { endUserKey, type EndUserRef } from "../access/access-scope.ts";
import {
  deletedVisitorItem,
  deletedVisitorKey,
  type EndUser,
  endUserFrom,
  endUserItem,
  isAnonymousId,
} from "./model.ts";

/** Items removed per call of `sweep`. A Worker may make a limited number of requests, and callers should not wait long. */
const SWEEP_ITEMS = 5_000;

/** The indexes of the end user and of the agent among the actions of an end user's creation. */
const END_USER = 0;
const AGENT = 1;

export class EndUserRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  async find(ref: EndUserRef): Promise<EndUser | undefined> {
    return current(await this.#table.get(endUserKey(ref)));
  }

  /** Like `find`, but shares the request of the table's next read; see `TableClient.getBeside`. */
  async findBeside(ref: EndUserRef): Promise<EndUser | undefined> {
    return current(await this.#table.getBeside(endUserKey(ref)));
  }

  /**
   * Stores a new end user and returns it, or the existing one with the same id. Throws `not-found` if the agent does not exist
   * or is being deleted, and `conflict` if the end user is being deleted.
   */
  async create(endUser: EndUser): Promise<EndUser> {
    const refusal = await this.#table.transactOrRefusal([
      { put: endUserItem(endUser), if: absent("pk") },
      { check: agentKey(endUser.accountEmail, endUser.agentId), if: isLive },
    ]);
    if (!refusal) return endUser;
    const existing = refusal.get(END_USER);
    if (!existing) throw notFound("Agent");
    if (!isBeingDeleted(existing)) return endUserFrom(existing);
    throw new AppError("conflict", "This end user is being deleted. Please try again.", {
      retryAfter: 1,
      retryable: true,
    });
  }

  /**
   * Stores a visitor who had a token before. Returns false if the visitor has been deleted since. Idempotent. Throws `not-found` if the
   * agent does not exist or is being deleted.
   */
  async createVisitor(visitor: EndUser, nowMs: number): Promise<boolean> {
    const refusal = await this.#table.transactOrRefusal([
      { put: endUserItem(visitor), if: absent("pk") },
      { check: agentKey(visitor.accountEmail, visitor.agentId), if: isLive },
      { check: deletedVisitorKey(visitor), if: absentOrExpired(nowMs) },
    ]);
    if (!refusal) return true;
    const existing = refusal.get(END_USER);
    if (existing) return current(existing)?.generation === visitor.generation;
    if (refusal.has(AGENT)) throw notFound("Agent");
    return false;
  }

  /** Returns whether a visitor who had not signed in has been deleted, or is being deleted. */
  async wasDeleted(ref: EndUserRef): Promise<boolean> {
    const [endUser, deleted] = await this.#table.batchGet([endUserKey(ref), deletedVisitorKey(ref)]);
    return deleted !== undefined || (endUser !== undefined && isBeingDeleted(endUser));
  }

  /** Returns a page of an agent's end users, in the order of their ids. Callers must have checked who owns the agent. */
  async list(agentId: AgentId, limit: number, cursor: string | undefined): Promise<ListPage<EndUser>> {
    const request = {
      partition: agentPartition(agentId),
      range: { beginsWith: END_USER_PREFIX },
      cursorScope: `end users of ${agentId}`,
      limit,
      cursor,
    };
    const page = await listInOrder(this.#table, this.#cursors, request, (item) =>
      isBeingDeleted(item) ? undefined : endUserFrom(item),
    );
    return { ...page, items: page.items.filter((endUser) => endUser !== undefined) };
  }

  /** Returns the first `limit` end users of an agent, including partly deleted ones. */
  async first(agentId: AgentId, limit: number): Promise<readonly EndUserRef[]> {
    const options = { range: { beginsWith: END_USER_PREFIX }, limit };
    const { items } = await this.#table.queryPage(agentPartition(agentId), options);
    return items.map(endUserFrom);
  }

  /**
   * Hides an end user from all reads. Returns `undefined` if it does not exist, or if the deletion of `within` has ended; a partly deleted
   * one still exists.
   */
  beginDeletion(
    ref: EndUserRef,
    deletingAt: string,
    within?: DeletionGuard,
  ): Promise<DeletionGuard | undefined> {
    return markDeleted(this.#table, endUserKey(ref), deletingAt, { within });
  }

  /** Removes the agent's memory of an end user. Returns false if so much is left that it takes another call. */
  sweep({ agentId, id }: EndUserRef, guard: DeletionGuard): Promise<boolean> {
    return this.#table.removePartition(memoryPartition(agentId, id), SWEEP_ITEMS, guard);
  }

  /**
   * Removes the end user's item, and records the event of the account's webhooks if one is given. Call it last, after everything
   * else is gone. `nowMs` is in milliseconds since the epoch.
   */
  async endDeletion(
    ref: EndUserRef,
    guard: DeletionGuard,
    nowMs: number,
    event?: { readonly accountEmail: AccountEmail; readonly event: WebhookEvent },
  ): Promise<void> {
    const isAnonymous = isAnonymousId(ref.id);
    // Either is refused if another request has just removed it, and recorded its event.
    if (!event && !isAnonymous) await this.#table.tryRemove(guard.check, guard.if);
    else
      await this.#table.tryTransact([
        { remove: guard.check, if: guard.if },
        ...(isAnonymous ? [{ put: deletedVisitorItem(ref, nowMs) }] : []),
        ...(event ? [recordEvent(event.accountEmail, event.event)] : []),
      ]);
  }
}

const current = (item: Item | undefined): EndUser | undefined =>
  item && !isBeingDeleted(item) ? endUserFrom(item) : undefined;
