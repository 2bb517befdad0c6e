/** The share of a window that estimates may use. The rest is for their errors. */
const USED_SHARE = 0.85;
/** The room for the answer if the agent sets no limit, in tokens, and the largest share of a window that it may take. */
const ANSWER_TOKENS = 4_096;
const ANSWER_SHARE = 0.25;
/** Bounds of the correction, so that a provider that counts something else does no harm. */
const FEWEST_PER_TOKEN = 0.9;
const MOST_PER_TOKEN = 3;

/** A model's window, and what is known about the requests that it gets. */
export interface Window {
  /** How many tokens a request and its answer may have together. */
  readonly contextTokens: number;
  /** The longest answer that the agent asks for; null for the provider's default. */
  readonly maxOutputTokens: number | null;
  /** How many tokens the provider counted per estimated token in the last answer of the conversation; 1 if unknown. */
  readonly tokenRatio: number;
}

/** Returns how many tokens, as `estimateTokens` counts them, a request may have: instructions, tools and messages. */
export function promptTokensOf({ contextTokens, maxOutputTokens, tokenRatio }: Window): number {
  const answer = Math.min(maxOutputTokens ?? ANSWER_TOKENS, contextTokens * ANSWER_SHARE);
  return Math.floor(((contextTokens - answer) * USED_SHARE) / tokenRatio);
}

/** Returns the window in which a request may have this many tokens. The inverse of `promptTokensOf`. */
export function contextTokensFor(promptTokens: number, { maxOutputTokens, tokenRatio }: Window): number {
  const request = (promptTokens * tokenRatio) / USED_SHARE;
  const most = maxOutputTokens ?? ANSWER_TOKENS;
  return Math.ceil(Math.min(request + most, request / (1 - ANSWER_SHARE)));
}

/**
 * Returns how many tokens the provider counted per estimated token, within plausible bounds; 1 without a count. Rounded up
 * to a tenth, so that it does not change the prompt with every answer.
 */
export const tokenRatioOf = (counted: number, estimated: number): number =>
  counted <= 0 || estimated <= 0
    ? 1
    : Math.min(MOST_PER_TOKEN, Math.max(FEWEST_PER_TOKEN, Math.ceil((counted / estimated) * 10) / 10));
