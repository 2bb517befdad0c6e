import type { AccountEmail } from "../shared/id-types.ts";

/** The state of a deletion, as its Durable Object stores it. Times are in milliseconds since the epoch. */
export interface Deletion {
  /** The account. Named `email`, because Durable Objects have stored it under that name. */
  readonly email: AccountEmail;
  readonly requestedAt: number;
  /**
   * `marking`: the account may or may not be marked yet. `sweeping`: everything is being removed. `resting`: waiting until no
   * late write can arrive any more. `finishing`: removing what arrived late. `ending`: only the account's item is left, if that.
   * `completed`: the account is gone.
   */
  readonly phase: "marking" | "sweeping" | "resting" | "finishing" | "ending" | "completed";
  readonly completedAt: number | null;
  /**
   * Whether a run was or may have been active during the first sweep, so that late writes can still arrive. Absent in states
   * of earlier versions, which knew nothing about runs.
   */
  readonly hadRuns?: boolean;
}

/** The result of a part of a step. */
export interface StepResult {
  /** Whether nothing was left to do. */
  readonly isDone: boolean;
  /** Whether a run was active. */
  readonly hadRuns: boolean;
}

/**
 * A step of a deletion. It may be interrupted anywhere and is repeated until it finds nothing left to do, in the first sweep
 * and again in the final one.
 */
export interface DeletionStep {
  readonly name: string;
  /** Does a bounded amount of work. */
  run(accountEmail: AccountEmail, isFinal: boolean): Promise<StepResult>;
}
