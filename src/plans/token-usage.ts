import * as z from "zod";
import type { TokenUsage } from "../llm/model.ts";
import { count, map, optionalCount } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";

/** Token counts in answers. They are stored in the same form. */
export const TokenUsageView = z
  .object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cached_tokens: z.number(),
    reasoning_tokens: z.number().exactOptional(),
  })
  .meta({ id: "TokenUsage" });

export const toTokenUsageView = (usage: TokenUsage): z.infer<typeof TokenUsageView> => ({
  input_tokens: usage.inputTokens,
  output_tokens: usage.outputTokens,
  cached_tokens: usage.cachedTokens,
  ...(usage.reasoningTokens !== undefined && { reasoning_tokens: usage.reasoningTokens }),
});

/** Returns the counts in an item's attribute `usage`, or null if there are none. */
export function tokenUsageFrom(item: Item): TokenUsage | null {
  const usage = map(item, "usage");
  return usage ? tokenCountsOf(usage) : null;
}

/** Returns the counts among the attributes of an item. Missing ones are 0. */
export function tokenCountsOf(item: Item): TokenUsage {
  const reasoningTokens = optionalCount(item, "reasoning_tokens");
  return {
    inputTokens: count(item, "input_tokens"),
    outputTokens: count(item, "output_tokens"),
    cachedTokens: count(item, "cached_tokens"),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}

/** Returns the tokens that came after `before`; null if they are not counted. */
export function differenceOfTokens(all: TokenUsage | null, before: TokenUsage | null): TokenUsage | null {
  if (!all || !before) return all;
  const reasoning = all.reasoningTokens;
  return {
    inputTokens: all.inputTokens - before.inputTokens,
    outputTokens: all.outputTokens - before.outputTokens,
    cachedTokens: all.cachedTokens - before.cachedTokens,
    ...(reasoning !== undefined && { reasoningTokens: reasoning - (before.reasoningTokens ?? 0) }),
  };
}

/** Returns the sum of two counts. Null means not counted, and counts as nothing. */
export function sumOfTokens<A extends TokenUsage | null>(a: A, b: A): A;
export function sumOfTokens(a: TokenUsage | null, b: TokenUsage | null): TokenUsage | null {
  if (!a || !b) return a ?? b;
  const reasoning = [a.reasoningTokens, b.reasoningTokens].filter((tokens) => tokens !== undefined);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    ...(reasoning.length > 0 && { reasoningTokens: reasoning.reduce((sum, tokens) => sum + tokens) }),
  };
}
