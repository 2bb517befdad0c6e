import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { monthOf } from "../shared/clock.ts";
import type { DailyTokens } from "./token-counts.ts";
import { sumOfTokens, TokenUsageView, toTokenUsageView } from "./token-usage.ts";

/** Null where there is no limit. */
const Limit = z.number().nullable();

const UsageView = z
  .object({
    tier: z.string(),
    period: z.string(),
    limits: z.object({ agents: Limit, messages: Limit, kb_pages: Limit, memory_blocks: Limit }),
    usage: z.object({ agents: z.number(), messages: z.number(), kb_pages: z.number() }),
    remaining: z.object({ agents: Limit, messages: Limit, kb_pages: Limit }),
    resets_at: z.string(),
  })
  .meta({ id: "Usage" });

const MonthView = z
  .object({ period: z.string(), messages: z.number(), kb_pages: z.number() })
  .meta({ id: "MonthlyUsage" });

const GROUPS = ["agent", "model", "day"] as const;

const TokensView = z
  .object({
    group_by: z.enum(GROUPS),
    from: z.string(),
    to: z.string(),
    items: z.array(z.object({ key: z.string(), runs: z.number(), usage: TokenUsageView })),
  })
  .meta({ id: "TokenUsageReport" });

/** A quarter of a year of days is plenty for a picture, and bounded. */
const MAX_DAYS = 93;
const DEFAULT_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

const TokensQuery = z
  .object({
    group_by: blankAsAbsent(z.enum(GROUPS).default("day")),
    from: blankAsAbsent(z.iso.date().optional()),
    to: blankAsAbsent(z.iso.date().optional()),
  })
  .transform(({ group_by: groupBy, from, to }) => {
    const last = to ?? dayOf(Date.now());
    return { groupBy, to: last, from: from ?? dayOf(Date.parse(last) - (DEFAULT_DAYS - 1) * DAY_MS) };
  })
  .refine(({ from, to }) => from <= to && Date.parse(to) - Date.parse(from) < MAX_DAYS * DAY_MS, {
    error: `\`from\` comes before \`to\`, and at most ${MAX_DAYS} days lie between`,
    path: ["from"],
  });

export const usageRoutes = userRouter()
  .get(
    "/",
    operation(
      "getUsage",
      "What the plan allows this month, and what of it is used",
      { 200: UsageView },
      { access: ["user"] },
    ),
    async (c) => {
      const { usage, agents, clock } = c.var.deps;
      const { owner: email } = c.var.space;
      const now = clock.now();
      const [plan, owned] = await Promise.all([usage.plan(email, now), agents.list(email)]);
      const used = { agents: owned.length, messages: plan.messagesUsed, kb_pages: plan.kbPagesUsed };
      const { agents: maxAgents, messages_per_month: maxMessages, kb_pages, memory_blocks } = plan.limits;
      const limits = { agents: maxAgents, messages: maxMessages, kb_pages, memory_blocks };

      return c.json(
        {
          tier: plan.tier,
          period: monthOf(now),
          limits,
          usage: used,
          remaining: {
            agents: left(limits.agents, used.agents),
            messages: left(limits.messages, used.messages),
            kb_pages: left(limits.kb_pages, used.kb_pages),
          },
          resets_at: new Date(plan.resetsAt).toISOString(),
        },
        200,
      );
    },
  )
  .get(
    "/history",
    operation("listUsage", "Use by month, newest first", { 200: pageOf(MonthView) }, { access: ["user"] }),
    validate("query", pageQuery(12)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.usage.history(c.var.space.owner, limit, cursor);
      const views = items.map(({ period, messages, kbPages }) => ({ period, messages, kb_pages: kbPages }));
      return c.json(toPage(views, nextCursor), 200);
    },
  )
  .get(
    "/tokens",
    operation(
      "getTokenUsage",
      "Tokens as the providers counted them, by agent, model or day",
      {
        200: TokensView,
      },
      { access: ["user"] },
    ),
    validate("query", TokensQuery),
    async (c) => {
      const { groupBy, from, to } = c.req.valid("query");
      const rows = await c.var.deps.usage.tokens(c.var.space.owner, from, to);
      return c.json({ group_by: groupBy, from, to, items: grouped(rows, groupBy) }, 200);
    },
  );

const left = (limit: number | null, used: number): number | null =>
  limit === null ? null : Math.max(0, limit - used);

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Sums over what a group has in common, in the order of its keys. */
function grouped(rows: readonly DailyTokens[], groupBy: (typeof GROUPS)[number]) {
  const keyOf = {
    agent: ({ agentId }: DailyTokens) => agentId,
    model: ({ provider, model }: DailyTokens) => `${provider}/${model}`,
    day: ({ day }: DailyTokens) => day,
  }[groupBy];

  return [...Map.groupBy(rows, keyOf)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, members]) => ({
      key,
      runs: members.reduce((sum, { runs }) => sum + runs, 0),
      usage: toTokenUsageView(members.map(({ usage }) => usage).reduce(sumOfTokens)),
    }));
}
