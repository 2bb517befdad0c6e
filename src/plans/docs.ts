import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const LIMITS = {
  agents: "Agents of the account.",
  messages: "Messages in a month (UTC), those of end users included.",
  kb_pages:
    "Pages and files stored in knowledge bases in a month (UTC), with what running crawls have reserved.",
  memory_blocks: "Memory blocks of one person's memory with one agent, without the default ones.",
  archival_memories: "Archival memories of one person's memory with one agent.",
  memory_bytes: "Bytes of archival memories of one person's memory with one agent.",
  concurrent_runs: "Answers that are being written at the same time.",
  end_user_messages: "Messages of one end user in a month (UTC).",
} as const;

/** The texts and examples of limits and usage. */
export const planDocs: FeatureDocs = {
  operations: {
    getUsage: {
      tag: "Plans",
      summary: "Get the plan's limits and this month's usage",
      description:
        "Returns limits, usage and what is left. With `agent_id`, it adds the usage of that agent's memory; with `end_user_id` as well, that of an end user. A limit that is null is unlimited.",
      parameters: {
        agent_id: {
          description:
            "Adds the usage of this agent's memory to the answer, and applies the agent's own limits.",
          example: EXAMPLE.agentId,
        },
        end_user_id: {
          description: "An end user of that agent, whose usage is returned instead of your own.",
          example: EXAMPLE.endUserId,
        },
      },
      answers: {
        200: {
          tier: "free",
          period: "2026-06",
          limits: {
            agents: 3,
            messages: 100,
            kb_pages: 50,
            memory_blocks: 5,
            archival_memories: null,
            memory_bytes: null,
            concurrent_runs: 2,
            end_user_messages: null,
          },
          usage: { agents: 1, messages: 42, kb_pages: 12, concurrent_runs: 0 },
          remaining: { agents: 2, messages: 58, kb_pages: 38, concurrent_runs: 2 },
          resets_at: "2026-07-01T00:00:00.000Z",
        },
      },
      problems: ["not-found"],
    },
    listUsage: {
      tag: "Plans",
      summary: "List usage by month, newest first",
      description: "Returns how many messages and pages of knowledge bases were counted in each month (UTC).",
      answers: { 200: examplePage({ period: "2026-06", messages: 42, kb_pages: 12 }) },
    },
    getTokenUsage: {
      tag: "Plans",
      summary: "Get token usage by agent, model or day",
      description:
        "Sums the tokens that providers have counted from the day `from` to the day `to`, both included: the last 30 days by default, at most 93.",
      parameters: {
        from: { description: "The first day (UTC); by default 29 days before `to`.", example: "2026-06-01" },
      },
      answers: {
        200: {
          group_by: "model",
          from: "2026-06-01",
          to: "2026-06-30",
          items: [
            {
              key: "gpt-4o-mini",
              runs: 42,
              usage: { input_tokens: 51_200, output_tokens: 8_400, cached_tokens: 20_480 },
            },
          ],
        },
      },
    },
  },
  schemas: {
    Usage: {
      description: "Limits and usage of the account.",
      fields: {
        limits: "The limits of the plan; null where it sets none.",
        ...Object.fromEntries(Object.entries(LIMITS).map(([name, text]) => [`limits.${name}`, text])),
        usage: "What is used.",
        "usage.agents": LIMITS.agents,
        "usage.messages": LIMITS.messages,
        "usage.kb_pages": LIMITS.kb_pages,
        "usage.concurrent_runs": "Null if unlimited, because then it is not counted.",
        remaining: "What is left; null where there is no limit.",
        "remaining.agents": LIMITS.agents,
        "remaining.messages": LIMITS.messages,
        "remaining.kb_pages": LIMITS.kb_pages,
        "remaining.concurrent_runs": LIMITS.concurrent_runs,
        resets_at: { description: "When the counts of the month begin again (UTC).", format: "date-time" },
        agent: "The usage of one agent's memory for one person. Present if the request has `agent_id`.",
        "agent.end_user_id": "The end user whose usage it is; null for your own.",
        "agent.archival_memories": "How many archival memories there are.",
        "agent.memory_bytes": "How many bytes they have.",
        "agent.end_user_messages":
          "How many messages the end user has sent this month; null for your own usage.",
      },
    },
    MonthlyUsage: {
      description: "The usage of a month.",
      fields: { messages: "Messages that were counted.", kb_pages: "Pages and files that were stored." },
    },
    TokenUsageReport: {
      description: "Token usage of a number of days.",
      fields: {
        group_by: "What the report has one item for.",
        from: { description: "The first day (UTC).", format: "date" },
        to: { description: "The last day (UTC).", format: "date" },
        items: "One item per agent, model or day.",
        "items.key": "The id of the agent or model, or the day.",
        "items.runs": "How many runs were counted.",
        "items.usage": "The tokens of these runs.",
      },
    },
  },
};
