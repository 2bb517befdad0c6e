import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import { type AccountPlan, accountPlanFrom, planRange, type PlanRules } from "./account-plan.ts";
import { countCloudflareTurn } from "./cloudflare-turns.ts";
import { countOfDay, type DailyCount } from "./daily-counts.ts";
import { endUserUsageKey } from "./end-user-usage.ts";
import { type DailyTokens, dailyTokensFrom, TOKENS_PREFIX } from "./token-counts.ts";

/** The usage of one month. */
export interface MonthlyUsage {
  /** The month (UTC): `2026-01`. */
  readonly period: string;
  readonly messages: number;
  readonly kbPages: number;
}

/** Sort keys of all months. `Usage#active` is not among them. */
const MONTHS = ["Usage#0000-00", "Usage#9999-99"] as const;

interface UsageRepositoryDeps {
  readonly table: TableClient;
  readonly cursors: Cursors;
  readonly rules: Pick<PlanRules, "isSuperuser">;
}

export class UsageRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor({ table, cursors, rules }: UsageRepositoryDeps) {
    this.#table = table;
    this.#cursors = cursors;
    this.#rules = rules;
  }

  /** Returns what an account may use, and what it has used in the month of `nowMs`. */
  async plan(accountEmail: AccountEmail, nowMs: number): Promise<AccountPlan> {
    const items = await this.#table.query(userPartition(accountEmail), { range: planRange(nowMs) });
    return accountPlanFrom(items, nowMs, this.#rules.isSuperuser(accountEmail));
  }

  /** Returns a page of months in which something was used, newest first. */
  history(
    accountEmail: AccountEmail,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<MonthlyUsage>> {
    const request = {
      partition: userPartition(accountEmail),
      range: { between: MONTHS },
      cursorScope: `usage of ${accountEmail}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, (item) => ({
      period: text(item, "period_key") || text(item, "sk").slice("Usage#".length),
      messages: count(item, "messages_used"),
      kbPages: count(item, "kb_pages_used"),
    }));
  }

  /** Returns how many messages an end user has sent to an agent in the month of `nowMs`. */
  async endUserMessages(endUser: EndUserRef, nowMs: number): Promise<number> {
    return (await this.endUserUsage(endUser, nowMs)).messagesUsed;
  }

  /** Returns the same with the attributes of the stored item; none if there is no item. */
  async endUserUsage(
    endUser: EndUserRef,
    nowMs: number,
  ): Promise<{ readonly messagesUsed: number; readonly attributes: Item }> {
    const attributes = (await this.#table.get(endUserUsageKey(endUser, nowMs))) ?? {};
    return { messagesUsed: count(attributes, "messages_used"), attributes };
  }

  /**
   * Returns a function that counts what an account is about to cost the deployment. It returns false, and counts nothing, if
   * that would exceed `limit` on the current day (UTC). Superusers are counted but exempt.
   */
  dailyMeter(count: DailyCount, accountEmail: AccountEmail, limit: number | null, now: () => number) {
    const effective = this.#rules.isSuperuser(accountEmail) ? null : limit;
    return (more: number): Promise<boolean> =>
      this.#table.tryTransact([countOfDay(count, accountEmail, more, effective, now())]);
  }

  /**
   * Counts a turn that a model of Cloudflare is about to answer at the deployment's cost. Returns false, and counts
   * nothing, if it would exceed `limit` on the day (UTC) of `nowMs`. Superusers are counted but exempt.
   */
  async countCloudflareTurn(
    accountEmail: AccountEmail,
    limit: number | null,
    nowMs: number,
  ): Promise<boolean> {
    const effective = this.#rules.isSuperuser(accountEmail) ? null : limit;
    return this.#table.tryTransact([countCloudflareTurn(accountEmail, effective, nowMs)]);
  }

  /**
   * Returns token counts by day, agent and model, from the day `from` to the day `to` (`2026-01-31`), both included.
   */
  async tokens(accountEmail: AccountEmail, from: string, to: string): Promise<readonly DailyTokens[]> {
    const items = await this.#table.query(userPartition(accountEmail), {
      range: { between: [`${TOKENS_PREFIX}${from}`, `${TOKENS_PREFIX}${to}~`] },
    });
    return items.map(dailyTokensFrom);
  }
}
