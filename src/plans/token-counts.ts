import { dayOf } from "../shared/clock.ts";
import { type AccountEmail, type AgentId, agentIdOf } from "../shared/id-types.ts";
import type { TokenUsage } from "../llm/model.ts";
import type { WriteAction } from "../table/requests.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { sumOfTokens, tokenCountsOf, toTokenUsageView } from "./token-usage.ts";

/** Tokens that an agent's runs used of a model on one day, as the provider counted them. */
export interface DailyTokens {
  /** The day (UTC) on which the run began: `2026-01-31`. */
  readonly day: string;
  readonly agentId: AgentId;
  readonly provider: string;
  readonly model: string;
  readonly runs: number;
  readonly usage: TokenUsage;
}

/** The run whose tokens are counted. */
export interface TokenSource {
  readonly accountEmail: AccountEmail;
  readonly agentId: AgentId;
  readonly provider: string;
  readonly model: string;
  /** When the run began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The current time in the format that is stored. */
  readonly timestamp: string;
}

export const TOKENS_PREFIX = "UsageTokens#";

/** DynamoDB's sort keys hold 1,024 bytes. Real model names are far shorter, but callers may send any. */
const MAX_MODEL_CHARS = 300;

/** Returns the key of the item that counts the tokens of a run. */
export function tokensKey({ accountEmail, agentId, provider, model, startedAt }: TokenSource): Key {
  const name = encodeURIComponent(`${provider}/${model}`.toWellFormed()).slice(0, MAX_MODEL_CHARS);
  return { pk: userPartition(accountEmail), sk: `${TOKENS_PREFIX}${dayOf(startedAt)}#${agentId}#${name}` };
}

/**
 * Returns the write that counts the tokens of runs, which must have the same `tokensKey`; `source` is one of them. Use it in the
 * transaction that stores their answers, so that they count once.
 */
export function countTokens(source: TokenSource, usages: readonly TokenUsage[]): WriteAction {
  const { accountEmail, agentId, provider, model, startedAt, timestamp } = source;
  const day = dayOf(startedAt);
  const sum = usages.reduce((total, usage) => sumOfTokens(total, usage));
  return {
    update: tokensKey(source),
    changes: {
      add: { runs: usages.length, ...toTokenUsageView(sum) },
      set: { updated_at: timestamp },
      setIfAbsent: {
        entity_type: "UsageTokens",
        user_email: accountEmail,
        day,
        agent_id: agentId,
        provider,
        model,
      },
    },
  };
}

export const dailyTokensFrom = (item: Item): DailyTokens => ({
  day: text(item, "day"),
  agentId: agentIdOf(text(item, "agent_id")),
  provider: text(item, "provider"),
  model: text(item, "model"),
  runs: count(item, "runs"),
  usage: tokenCountsOf(item),
});
