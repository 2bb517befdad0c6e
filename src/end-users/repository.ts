import { agentKey } from "../agents/model.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { DELETING, isBeingDeleted, isLive } from "../table/deletion.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, any, present } from "../table/expressions.ts";
import { agentPartition, memoryPartition } from "../table/keys.ts";
import { type ListPage, listInOrder } from "../table/list.ts";
import type { EndUserRef } from "../users/space.ts";
import { END_USER_PREFIX, type EndUser, endUserFrom, endUserItem, endUserKey } from "./model.ts";

/** Items removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_ITEMS = 5_000;

/** Where the end user stands among the actions of its creation. */
const END_USER = 0;

export class EndUserRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  async find(ref: EndUserRef): Promise<EndUser | undefined> {
    const item = await this.#table.get(endUserKey(ref));
    return item && !isBeingDeleted(item) ? endUserFrom(item) : undefined;
  }

  /** Stores a new end user, or gives the one that is there. Throws a 404 where the agent does not stand. */
  async create(endUser: EndUser): Promise<EndUser> {
    try {
      await this.#table.transact([
        { put: endUserItem(endUser), if: absent("pk") },
        { check: agentKey(endUser.owner, endUser.agentId), if: isLive },
      ]);
      return endUser;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      const existing = error.failed.get(END_USER);
      if (!existing) throw notFound("Agent");
      if (!isBeingDeleted(existing)) return endUserFrom(existing);
      throw new AppError("conflict", "This end user is being deleted. Please try again.", {
        retryAfter: 1,
        retryable: true,
      });
    }
  }

  /** A page of an agent's end users by their ids. Whose agent it is, the caller has checked. */
  async list(agentId: string, limit: number, cursor: string | undefined): Promise<ListPage<EndUser>> {
    const request = {
      partition: agentPartition(agentId),
      range: { beginsWith: END_USER_PREFIX },
      scope: `end users of ${agentId}`,
      limit,
      cursor,
    };
    const page = await listInOrder(this.#table, this.#cursors, request, (item) =>
      isBeingDeleted(item) ? undefined : endUserFrom(item),
    );
    return { ...page, items: page.items.filter((endUser) => endUser !== undefined) };
  }

  /** The first of an agent's end users, those whose deletion stopped half-way included. */
  async first(agentId: string, limit: number): Promise<readonly EndUserRef[]> {
    const options = { range: { beginsWith: END_USER_PREFIX }, limit };
    const { items } = await this.#table.queryPage(agentPartition(agentId), options);
    return items.map(endUserFrom);
  }

  /** Makes an end user absent to everybody; false where there is none. One deleted half-way counts as there. */
  async beginDeletion(ref: EndUserRef, deletingAt: string): Promise<boolean> {
    try {
      await this.#table.update(endUserKey(ref), { set: { [DELETING]: deletingAt } }, present("pk"));
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Removes what the agent remembers of an end user; false where so much is left that it takes another call. */
  sweep({ agentId, id }: EndUserRef): Promise<boolean> {
    return this.#table.removePartition(memoryPartition(agentId, id), SWEEP_ITEMS);
  }

  /** Removes the end user's item, once nothing else is left. */
  async endDeletion(ref: EndUserRef): Promise<void> {
    await this.#table.remove(endUserKey(ref), any(absent("pk"), present(DELETING)));
  }
}
