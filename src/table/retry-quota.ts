/** The AWS SDK's bucket: 500 tokens, a retry costs 5 (10 after a transient fault), success earns its cost back or 1. */
const CAPACITY = 500;
const REWARD = 1;

/** Bounds how many retries all requests together may make, so that retries can't keep a failing database down. */
export interface RetryQuota {
  /** Takes `cost` tokens; false, and nothing taken, where the bucket holds fewer. */
  spend(cost: number): boolean;
  /** Tells of an answer that came, and what the retry that brought it had cost (0 without a retry). */
  succeeded(cost: number): void;
}

/** A full bucket. */
export function retryQuota(): RetryQuota {
  let tokens = CAPACITY;

  return {
    spend(cost) {
      if (cost > tokens) return false;
      tokens -= cost;
      return true;
    },
    succeeded(cost) {
      tokens = Math.min(CAPACITY, tokens + Math.max(cost, REWARD));
    },
  };
}
