/** How far a deletion has come, as its Durable Object keeps it. Times in milliseconds since the epoch. */
export interface Deletion {
  readonly email: string;
  readonly requestedAt: number;
  /**
   * `marking`: the account may or may not be marked yet. `sweeping`: everything is being removed. `resting`: until nothing
   * that was on its way can arrive any more. `finishing`: what arrived is being removed. `completed`: the account is gone.
   */
  readonly phase: "marking" | "sweeping" | "resting" | "finishing" | "completed";
  readonly completedAt: number | null;
}

/** What is asked of a deletion, as JSON in the body of a request to its Durable Object. */
export interface DeletionCall {
  readonly kind: "begin" | "get";
  readonly email: string;
}

/** What it answers: nothing where there is no deletion, or where there is no account to delete. */
export interface DeletionReply {
  readonly deletion: Deletion | null;
}

/**
 * A part of a deletion. It may be broken off anywhere and is repeated until it has found nothing left to do, in the first
 * sweep and again in the final one.
 */
export interface DeletionStep {
  readonly name: string;
  /** Does a bounded part; true once it found nothing left to do. */
  run(email: string, isFinal: boolean): Promise<boolean>;
}
