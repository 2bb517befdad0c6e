/** A block's words and its limit. */
interface Filled {
  readonly wordCount: number;
  readonly wordLimit: number;
}

/** The share of its limit from which a block counts as nearly full. Fixed by the specification. */
const WARNING_SHARE = 0.8;

/** Returns a block's usage in percent of its limit; 0 for a block without a limit. */
export const capacityPercent = ({ wordCount, wordLimit }: Filled): number =>
  wordLimit <= 0 ? 0 : (wordCount * 100) / wordLimit;

export const isNearlyFull = ({ wordCount, wordLimit }: Filled): boolean =>
  wordLimit > 0 && wordCount / wordLimit >= WARNING_SHARE;

/** Returns a block's usage as text: `23/5000 words`. */
export const usageOf = ({ wordCount, wordLimit }: Filled): string => `${wordCount}/${wordLimit} words`;

/** Appends a warning line to a tool result if the block is nearly full. */
export function withWarning(result: string, block: Filled): string {
  if (!isNearlyFull(block)) return result;

  const percent = formatFixed(capacityPercent(block), 0);
  const advice = "Consider consolidating or moving data to archival memory.";
  return `${result}\n⚠️ WARNING: Block at ${percent}% capacity. ${advice}`;
}

/** Formats a number with ties rounded to even, as the legacy Python service did in the texts that clients know. */
export function formatFixed(value: number, decimals: number): string {
  const scale = 10 ** decimals;
  const scaled = value * scale;
  const floor = Math.floor(scaled);
  const isTie = scaled - floor === 0.5;
  const rounded = isTie ? floor + (floor % 2) : Math.round(scaled);
  return (rounded / scale).toFixed(decimals);
}
