import type { KnowledgeBaseId } from "../../shared/id-types.ts";
import type { TableClient } from "../../table/client.ts";
import { equals } from "../../table/expressions.ts";
import { knowledgeBaseKey } from "../../table/keys.ts";
import { isActiveBase, type KnowledgeBaseRef } from "../model.ts";
import {
  type CrawlSchedule,
  crawlScheduleFrom,
  crawlScheduleItem,
  crawlScheduleKey,
} from "./schedule-model.ts";

/** Stores the schedules of knowledge bases. */
export class ScheduleRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  async find(kbId: KnowledgeBaseId): Promise<CrawlSchedule | undefined> {
    const item = await this.#table.get(crawlScheduleKey(kbId));
    return item && crawlScheduleFrom(item);
  }

  /** Stores the schedule of a base in place of an earlier one. Returns false if the base is gone. */
  put({ accountEmail, kbId }: KnowledgeBaseRef, schedule: CrawlSchedule): Promise<boolean> {
    return this.#table.tryTransact([
      { check: knowledgeBaseKey(accountEmail, kbId), if: isActiveBase },
      { put: crawlScheduleItem(kbId, schedule) },
    ]);
  }

  /** Stores how a run of a schedule went. Does nothing if the schedule was replaced or removed meanwhile. */
  async advance(
    kbId: KnowledgeBaseId,
    { createdAt }: Pick<CrawlSchedule, "createdAt">,
    { status, problem, nextRunAt }: Pick<CrawlSchedule, "status" | "problem" | "nextRunAt">,
  ): Promise<void> {
    const changes = { set: { status, problem, next_run_at: nextRunAt } };
    await this.#table.tryUpdate(crawlScheduleKey(kbId), changes, equals("created_at", createdAt));
  }

  async remove(kbId: KnowledgeBaseId): Promise<void> {
    await this.#table.remove(crawlScheduleKey(kbId));
  }
}
