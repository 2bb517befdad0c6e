/** How full a block is, in the words that models and people read. */
interface Filled {
  readonly wordCount: number;
  readonly wordLimit: number;
}

/** From this share of its limit on, a block counts as nearly full. */
const WARNING_SHARE = 0.8;

/** How full a block is, in percent of its limit; 0 for a block without a limit. */
export const capacityPercent = ({ wordCount, wordLimit }: Filled): number =>
  wordLimit <= 0 ? 0 : (wordCount / wordLimit) * 100;

export const isNearlyFull = ({ wordCount, wordLimit }: Filled): boolean =>
  wordLimit > 0 && wordCount / wordLimit >= WARNING_SHARE;

/** `23/5000 words` */
export const usageOf = ({ wordCount, wordLimit }: Filled): string => `${wordCount}/${wordLimit} words`;

/** Ends a result about a block with a warning line where the block is nearly full. */
export function withWarning(result: string, block: Filled): string {
  if (!isNearlyFull(block)) return result;

  const percent = formatFixed(capacityPercent(block), 0);
  const advice = "Consider consolidating or moving data to archival memory.";
  return `${result}\n⚠️ WARNING: Block at ${percent}% capacity. ${advice}`;
}

/** A number with so many decimals, ties to even: the rounding of the service before, whose texts these are. */
export function formatFixed(value: number, decimals: number): string {
  const scale = 10 ** decimals;
  const scaled = value * scale;
  const floor = Math.floor(scaled);
  const isTie = scaled - floor === 0.5;
  const rounded = isTie ? floor + (floor % 2) : Math.round(scaled);
  return (rounded / scale).toFixed(decimals);
}
