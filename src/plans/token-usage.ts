import * as z from "zod";
import type { TokenUsage } from "../llm/model.ts";
import { count, map } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";

/** Token counts as callers see them, which is also how they are stored. */
export const TokenUsageView = z
  .object({ input_tokens: z.number(), output_tokens: z.number(), cached_tokens: z.number() })
  .meta({ id: "TokenUsage" });

export const toTokenUsageView = (usage: TokenUsage): z.infer<typeof TokenUsageView> => ({
  input_tokens: usage.inputTokens,
  output_tokens: usage.outputTokens,
  cached_tokens: usage.cachedTokens,
});

/** The counts under an item's attribute `usage`, or null where there are none. */
export function tokenUsageFrom(item: Item): TokenUsage | null {
  const usage = map(item, "usage");
  return (
    (usage && {
      inputTokens: count(usage, "input_tokens"),
      outputTokens: count(usage, "output_tokens"),
      cachedTokens: count(usage, "cached_tokens"),
    }) ??
    null
  );
}
