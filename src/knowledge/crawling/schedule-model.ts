import { DAY_MS } from "../../shared/clock.ts";
import type { KnowledgeBaseId } from "../../shared/id-types.ts";
import { map, optionalText, text } from "../../table/fields.ts";
import { knowledgeBasePartition } from "../../table/keys.ts";
import type { Item, Key } from "../../table/marshal.ts";
import { configAttribute, configFrom, type CrawlConfig } from "./crawl-model.ts";

/** How often a schedule crawls, in milliseconds. */
export const PERIODS = { daily: DAY_MS, weekly: 7 * DAY_MS } as const;

export type Period = keyof typeof PERIODS;

/** A crawl that is repeated. A knowledge base has at most one. */
export interface CrawlSchedule {
  readonly every: Period;
  readonly config: CrawlConfig;
  readonly status: "active" | "stopped";
  /** Why the schedule stopped, or why its last run did not begin. A sentence for people. */
  readonly problem: string | null;
  /** When it crawls next; `null` if it has stopped. */
  readonly nextRunAt: string | null;
  readonly createdAt: string;
}

export const crawlScheduleKey = (kbId: KnowledgeBaseId): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: "CrawlSchedule",
});

export const crawlScheduleItem = (kbId: KnowledgeBaseId, schedule: CrawlSchedule): Item => ({
  ...crawlScheduleKey(kbId),
  entity_type: "CrawlSchedule",
  kb_id: kbId,
  every: schedule.every,
  config: configAttribute(schedule.config),
  status: schedule.status,
  problem: schedule.problem,
  next_run_at: schedule.nextRunAt,
  created_at: schedule.createdAt,
});

export const crawlScheduleFrom = (item: Item): CrawlSchedule => ({
  every: item["every"] === "daily" ? "daily" : "weekly",
  config: configFrom(map(item, "config") ?? {}),
  status: item["status"] === "active" ? "active" : "stopped",
  problem: optionalText(item, "problem"),
  nextRunAt: optionalText(item, "next_run_at"),
  createdAt: text(item, "created_at"),
});
