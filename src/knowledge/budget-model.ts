import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { type CrawlJobId, crawlJobIdOf, type KnowledgeBaseId } from "../shared/id-types.ts";
import { all, type Condition, differs, equals } from "../table/expressions.ts";
import { count, idAfter, text } from "../table/fields.ts";
import { knowledgeBasePartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

export const RESERVATION_PREFIX = "PageReservation#";
/** The same lifetime as that of a job's steps. */
const SETTLED_LIFETIME_MS = 90 * DAY_MS;

/** The pages of a month that a crawl job has reserved. */
export interface Reservation {
  readonly jobId: CrawlJobId;
  /** The month (UTC) in which the pages count, even if the job ends in the next one. */
  readonly month: string;
  /** How many pages the job got. */
  readonly pages: number;
  /** How many of them it has not stored yet. */
  readonly left: number;
  readonly isOpen: boolean;
}

export const reservationKey = (kbId: KnowledgeBaseId, jobId: CrawlJobId): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: `${RESERVATION_PREFIX}${jobId}`,
});

/** Holds as long as a job may store another page. */
export const hasPagesLeft: Condition = all(equals("state", "open"), differs("left", 0));

/** Returns the item of a new reservation. */
export const reservationItem = (
  kbId: KnowledgeBaseId,
  jobId: CrawlJobId,
  { pages, month }: Pick<Reservation, "pages" | "month">,
  createdAt: string,
): Item => ({
  ...reservationKey(kbId, jobId),
  entity_type: "PageReservation",
  job_id: jobId,
  month,
  pages,
  left: pages,
  state: "open",
  created_at: createdAt,
});

/** The changes that close a reservation. */
export const settledAttributes = (settledAt: string, nowMs: number): Item => ({
  state: "settled",
  settled_at: settledAt,
  ttl: ttlAfter(nowMs, SETTLED_LIFETIME_MS),
});

export const reservationFrom = (item: Item): Reservation => ({
  jobId: crawlJobIdOf(text(item, "job_id") || idAfter(item, RESERVATION_PREFIX)),
  month: text(item, "month"),
  pages: count(item, "pages"),
  left: count(item, "left"),
  isOpen: item["state"] === "open",
});
