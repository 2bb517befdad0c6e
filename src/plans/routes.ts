import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { Hono } from "hono";
import * as z from "zod";
import { isEndUserId, ownScope } from "../access/access-scope.ts";
import { endUserIn, endUserQuery } from "../access/end-user-query.ts";
import type { UserEnv } from "../access/env.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { AgentIdText, blankAsAbsent, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { DAY_MS, dayOf, monthOf } from "../shared/clock.ts";
import { invalidInput } from "../shared/errors.ts";
import { withAgentLimit } from "./account-plan.ts";
import type { DailyTokens } from "./token-counts.ts";
import { sumOfTokens, TokenUsageView, toTokenUsageView } from "./token-usage.ts";

/** Null means unlimited. */
const Limit = z.number().nullable();

const UsageView = z
  .object({
    tier: z.string(),
    period: z.string(),
    limits: z.object({
      agents: Limit,
      messages: Limit,
      kb_pages: Limit,
      memory_blocks: Limit,
      archival_memories: Limit,
      memory_bytes: Limit,
      concurrent_runs: Limit,
      end_user_messages: Limit,
    }),
    usage: z.object({
      agents: z.number(),
      messages: z.number(),
      kb_pages: z.number(),
      concurrent_runs: z.number().nullable(),
    }),
    remaining: z.object({ agents: Limit, messages: Limit, kb_pages: Limit, concurrent_runs: Limit }),
    resets_at: z.string(),
    agent: z
      .object({
        agent_id: z.string(),
        end_user_id: z.string().nullable(),
        archival_memories: z.number(),
        memory_bytes: z.number(),
        end_user_messages: z.number().nullable(),
      })
      .optional(),
  })
  .meta({ id: "Usage" });

const UsageQuery = z.object({
  agent_id: blankAsAbsent(AgentIdText.optional()),
  ...endUserQuery,
});

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

/** The longest report: a quarter of a year. */
const MAX_DAYS = 93;
const DEFAULT_DAYS = 30;

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
    error: `\`from\` must not be after \`to\`, and the report may cover at most ${MAX_DAYS} days.`,
    path: ["from"],
  });

export const usageRoutes = new Hono<AppEnv>()
  .get(
    "/",
    operation("getUsage", { 200: UsageView }),
    requireAccess("user"),
    validate("query", UsageQuery),
    async (c) => {
      const { usage, agents, clock } = c.var.deps;
      const { accountEmail } = c.var.scope;
      const { agent_id: agentId, ...query } = c.req.valid("query");
      const endUserId = endUserIn(query);
      if (endUserId !== undefined && agentId === undefined) throw agentMissing();
      const now = clock.now();
      const [ofAccount, owned, agent] = await Promise.all([
        usage.plan(accountEmail, now),
        agents.list(accountEmail),
        agentId === undefined ? undefined : agents.get(accountEmail, agentId),
      ]);
      const plan = agent ? withAgentLimit(ofAccount, agent.endUserMessagesPerMonth) : ofAccount;
      const memoryUsage = agent && (await memoryUsageOf(c.var.deps, accountEmail, agent.id, endUserId));
      const { messages_per_month, end_user_messages_per_month, ...others } = plan.limits;
      const limits = {
        ...others,
        messages: messages_per_month,
        end_user_messages: end_user_messages_per_month,
      };
      const used = { agents: owned.length, messages: plan.messagesUsed, kb_pages: plan.kbPagesUsed };

      return c.json(
        {
          tier: plan.tier,
          period: monthOf(now),
          limits,
          usage: { ...used, concurrent_runs: limits.concurrent_runs === null ? null : plan.openRuns },
          remaining: {
            agents: remainingOf(limits.agents, used.agents),
            messages: remainingOf(limits.messages, used.messages),
            kb_pages: remainingOf(limits.kb_pages, used.kb_pages),
            concurrent_runs: remainingOf(limits.concurrent_runs, plan.openRuns),
          },
          resets_at: new Date(plan.resetsAt).toISOString(),
          ...(memoryUsage && { agent: memoryUsage }),
        },
        200,
      );
    },
  )
  .get(
    "/history",
    operation("listUsage", { 200: pageOf(MonthView) }),
    requireAccess("user"),
    validate("query", pageQuery(12)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.usage.history(c.var.scope.accountEmail, limit, cursor);
      const views = items.map(({ period, messages, kbPages }) => ({ period, messages, kb_pages: kbPages }));
      return c.json(toPage(views, nextCursor), 200);
    },
  )
  .get(
    "/tokens",
    operation("getTokenUsage", {
      200: TokensView,
    }),
    requireAccess("user"),
    validate("query", TokensQuery),
    async (c) => {
      const { groupBy, from, to } = c.req.valid("query");
      const rows = await c.var.deps.usage.tokens(c.var.scope.accountEmail, from, to);
      return c.json({ group_by: groupBy, from, to, items: grouped(rows, groupBy) }, 200);
    },
  );

/** Returns the usage of an agent's memory for its owner or, with `endUserId`, for an end user. */
async function memoryUsageOf(
  { endUserService, archivalService, usage, clock }: UserEnv["Variables"]["deps"],
  accountEmail: AccountEmail,
  agentId: AgentId,
  endUserId: string | undefined,
) {
  const scope =
    endUserId === undefined
      ? ownScope(accountEmail)
      : // An invalid id is replaced by one that no end user has, so that the answer is that for an unknown end user.
        await endUserService.scope(accountEmail, agentId, isEndUserId(endUserId) ? endUserId : "!");
  const [archive, messages] = await Promise.all([
    archivalService.usage(scope, agentId),
    scope.endUser ? usage.endUserMessages(scope.endUser, clock.now()) : null,
  ]);
  return {
    agent_id: agentId,
    end_user_id: endUserId ?? null,
    archival_memories: archive["memories"] ?? 0,
    memory_bytes: archive["bytes"] ?? 0,
    end_user_messages: messages,
  };
}

const agentMissing = () =>
  invalidInput("query", [
    { path: ["agent_id"], message: "agent_id is required with end_user_id.", code: "custom" },
  ]);

const remainingOf = (limit: number | null, used: number): number | null =>
  limit === null ? null : Math.max(0, limit - used);

/** Sums the rows of each group. Groups are sorted by key. */
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
