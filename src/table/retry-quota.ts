/**
 * A retry costs ten tokens, and one after a conflict. Each operation adds two. So after a burst of 50 retries, retries add at most
 * 20 % to the requests of a database that fails or throttles.
 */
const CAPACITY = 500;
const REWARD = 2;

/**
 * Limits the retries of all requests together, so that retries can't keep a failing database down. `transport.ts` decides which
 * failures are retried, such as throttling, and after which wait.
 */
export interface RetryQuota {
  /** Takes `cost` tokens. Returns false and takes nothing if the bucket holds fewer. */
  spend(cost: number): boolean;
  /** Reports the first attempt of an operation. */
  began(): void;
}

/** Returns a full bucket. */
export function retryQuota(): RetryQuota {
  let tokens = CAPACITY;

  return {
    spend(cost) {
      if (cost > tokens) return false;
      tokens -= cost;
      return true;
    },
    began() {
      tokens = Math.min(CAPACITY, tokens + REWARD);
    },
  };
}
