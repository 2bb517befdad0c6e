import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type AccountPlan, accountPlanFrom, planRange, type PlanRules } from "./account-plan.ts";
import { type DailyTokens, dailyTokensFrom, TOKENS_PREFIX } from "./token-counts.ts";

/** What was used in a month. */
export interface MonthlyUsage {
  /** By UTC: `2026-01`. */
  readonly period: string;
  readonly messages: number;
  readonly kbPages: number;
}

/** Years of months lie between these; `Usage#active` and other items do not. */
const MONTHS = ["Usage#0000-00", "Usage#9999-99"] as const;

export class UsageRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor(table: TableClient, cursors: Cursors, rules: Pick<PlanRules, "isSuperuser">) {
    this.#table = table;
    this.#cursors = cursors;
    this.#rules = rules;
  }

  /** What an account may use, and what it has used in the month of `nowMs`. */
  async plan(email: string, nowMs: number): Promise<AccountPlan> {
    const items = await this.#table.query(userPartition(email), { range: planRange(nowMs) });
    return accountPlanFrom(items, nowMs, this.#rules.isSuperuser(email));
  }

  /** Months in which something was used, newest first. */
  history(email: string, limit: number, cursor: string | undefined): Promise<ListPage<MonthlyUsage>> {
    const request = {
      partition: userPartition(email),
      range: { between: MONTHS },
      scope: `usage of ${email}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, (item) => ({
      period: text(item, "period_key") || text(item, "sk").slice("Usage#".length),
      messages: count(item, "messages_used"),
      kbPages: count(item, "kb_pages_used"),
    }));
  }

  /** Token counts by day, agent and model, from the first day to the last (`2026-01-31`), both included. */
  async tokens(email: string, from: string, to: string): Promise<readonly DailyTokens[]> {
    const items = await this.#table.query(userPartition(email), {
      range: { between: [`${TOKENS_PREFIX}${from}`, `${TOKENS_PREFIX}${to}~`] },
    });
    return items.map(dailyTokensFrom);
  }
}
