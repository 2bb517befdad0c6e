import type { TokenUsage } from "../llm/model.ts";
import type { WriteAction } from "../table/client.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { tokenCountsOf, toTokenUsageView } from "./token-usage.ts";

/** Tokens that an agent's runs took of a model on one day, as the provider counted them. */
export interface DailyTokens {
  /** By UTC, of the run's beginning: `2026-01-31`. */
  readonly day: string;
  readonly agentId: string;
  readonly provider: string;
  readonly model: string;
  readonly runs: number;
  readonly usage: TokenUsage;
}

/** Whose tokens are counted. */
export interface TokenSource {
  readonly email: string;
  readonly agentId: string;
  readonly provider: string;
  readonly model: string;
  /** When the run began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The present as it is stored. */
  readonly timestamp: string;
}

export const TOKENS_PREFIX = "UsageTokens#";

/** DynamoDB's sort keys hold 1,024 bytes; names of models are far shorter, unless somebody tries. */
const MAX_MODEL_CHARS = 300;

/** Counts a run's tokens; to stand in the transaction that stores its answer, so that it counts once. */
export function countTokens(source: TokenSource, usage: TokenUsage): WriteAction {
  const { email, agentId, provider, model, startedAt, timestamp } = source;
  const day = new Date(startedAt).toISOString().slice(0, 10);
  const name = encodeURIComponent(`${provider}/${model}`.toWellFormed()).slice(0, MAX_MODEL_CHARS);

  return {
    update: { pk: userPartition(email), sk: `${TOKENS_PREFIX}${day}#${agentId}#${name}` },
    changes: {
      add: { runs: 1, ...toTokenUsageView(usage) },
      set: { updated_at: timestamp },
      setIfAbsent: { entity_type: "UsageTokens", user_email: email, day, agent_id: agentId, provider, model },
    },
  };
}

export const dailyTokensFrom = (item: Item): DailyTokens => ({
  day: text(item, "day"),
  agentId: text(item, "agent_id"),
  provider: text(item, "provider"),
  model: text(item, "model"),
  runs: count(item, "runs"),
  usage: tokenCountsOf(item),
});
