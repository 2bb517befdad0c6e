import type { AccountEmail } from "../shared/id-types.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** A model's window, as its provider has stated it when it refused a request, or as a shorter request has shown it. */
export interface LearnedWindow {
  readonly provider: string;
  readonly model: string;
  readonly contextTokens: number;
}

/** How long a learned window counts. Servers are restarted with larger windows, and providers enlarge theirs. */
const LEARNED_FOR_MS = 7 * DAY_MS;

/** Between the provider settings and the subscriptions, so that a turn reads it with them. */
const LEARNED_WINDOW_PREFIX = "ProviderWindow#";

export const learnedWindowKey = (
  accountEmail: AccountEmail,
  { provider, model }: Pick<LearnedWindow, "provider" | "model">,
): Key => ({
  pk: userPartition(accountEmail),
  sk: `${LEARNED_WINDOW_PREFIX}${provider}#${model}`,
});

/** Returns the attributes of a window that was learned at `nowMs` (milliseconds since the epoch). */
export const learnedWindowAttributes = (
  { provider, model, contextTokens }: LearnedWindow,
  nowMs: number,
): Item => ({
  entity_type: "ProviderWindow",
  provider_name: provider,
  model,
  context_tokens: contextTokens,
  learned_at: new Date(nowMs).toISOString(),
  ttl: ttlAfter(nowMs, LEARNED_FOR_MS),
});

/**
 * Returns the learned windows among the items of a user's partition that still count at `nowMs` (milliseconds since the
 * epoch). The table removes expired items days later.
 */
export const learnedWindowsFrom = (items: readonly Item[], nowMs: number): readonly LearnedWindow[] =>
  items
    .filter((item) => text(item, "sk").startsWith(LEARNED_WINDOW_PREFIX))
    .filter((item) => count(item, "ttl") * 1_000 > nowMs)
    .map((item) => ({
      provider: text(item, "provider_name"),
      model: text(item, "model"),
      contextTokens: count(item, "context_tokens"),
    }))
    .filter(({ contextTokens }) => contextTokens > 0);
