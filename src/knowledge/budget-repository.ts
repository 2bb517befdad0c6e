import type { CrawlJobId } from "../shared/id-types.ts";
import { countPages } from "../plans/model.ts";
import type { TableClient } from "../table/client.ts";
import { absent, all, equals } from "../table/expressions.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import {
  type Reservation,
  RESERVATION_PREFIX,
  reservationFrom,
  reservationItem,
  reservationKey,
  settledAttributes,
} from "./budget-model.ts";
import { isActiveBase, keyOfBase, type KnowledgeBaseRef } from "./model.ts";
import type { WriteTime } from "./page-repository.ts";

/** The positions of writes in the transaction that reserves pages. */
const BASE = 0;
const RESERVATION = 1;

/** Pages that a job is about to reserve. */
interface Wanted {
  readonly jobId: CrawlJobId;
  readonly month: string;
  readonly pages: number;
  /** The plan's limit; null means no limit. */
  readonly limit: number | null;
}

/** Stores what crawl jobs have reserved of the pages that a plan allows in a month. */
export class PageBudgetRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns what a job has reserved, or `undefined` if it has reserved nothing. */
  async find({ kbId }: KnowledgeBaseRef, jobId: CrawlJobId): Promise<Reservation | undefined> {
    const item = await this.#table.get(reservationKey(kbId, jobId));
    return item && reservationFrom(item);
  }

  /** Returns the jobs of a base whose reservations are open. */
  async open({ kbId }: KnowledgeBaseRef): Promise<readonly Reservation[]> {
    const items = await this.#table.query(knowledgeBasePartition(kbId), {
      range: { beginsWith: RESERVATION_PREFIX },
    });
    return items.map(reservationFrom).filter(({ isOpen }) => isOpen);
  }

  /**
   * Reserves pages and counts them as used. Returns the reservation that the job has already, `gone` if the base is deleted, and
   * `undefined` if the pages would exceed the limit because others were used meanwhile.
   */
  async reserve(
    base: KnowledgeBaseRef,
    { jobId, month, pages, limit }: Wanted,
    { timestamp }: WriteTime,
  ): Promise<Pick<Reservation, "pages"> | "gone" | undefined> {
    const refusal = await this.#table.transactOrRefusal([
      { check: keyOfBase(base), if: isActiveBase },
      { put: reservationItem(base.kbId, jobId, { pages, month }, timestamp), if: absent("pk") },
      countPages({ accountEmail: base.accountEmail, month, timestamp }, pages, limit),
    ]);
    if (!refusal) return { pages };
    const existing = refusal.get(RESERVATION);
    if (existing) return reservationFrom(existing);
    return refusal.has(BASE) ? "gone" : undefined;
  }

  /**
   * Closes a reservation and gives back what is left of it. One of which nothing was used is removed: its job was refused, and may
   * begin later. Returns false if it has changed since it was read.
   */
  settle(
    { accountEmail, kbId }: KnowledgeBaseRef,
    { jobId, month, left, pages }: Reservation,
    { timestamp, nowMs }: WriteTime,
  ): Promise<boolean> {
    const key = reservationKey(kbId, jobId);
    const isAsRead = all(equals("state", "open"), equals("left", left));
    return this.#table.tryTransact([
      left === pages
        ? { remove: key, if: isAsRead }
        : { update: key, changes: { set: settledAttributes(timestamp, nowMs) }, if: isAsRead },
      ...(left > 0 ? [countPages({ accountEmail, month, timestamp }, -left, null)] : []),
    ]);
  }
}
