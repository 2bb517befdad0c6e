import type { DeletionStep } from "./deletion-model.ts";
import type { AccountSweep } from "./sweep.ts";

/** What of payments a deletion needs. */
interface AccountPayments {
  /** Ends everything that an account pays for; throws until it is certain. */
  endAll(email: string): Promise<void>;
}

/**
 * What deleting an account takes, in order. What ends something outside of the table that it knows from the table, such
 * as a subscription, stands before the sweep, which removes the items.
 */
export const deletionSteps = (
  sweep: AccountSweep,
  payments: AccountPayments | undefined,
): readonly DeletionStep[] => [
  {
    name: "what is paid for",
    async run(email) {
      await payments?.endAll(email);
      return true;
    },
  },
  {
    name: "everything in the table, runs and search indexes",
    async run(email, isFinal) {
      const { isDone, removed } = await sweep.run(email, isFinal);
      // What came while a final sweep was under way is found by the next one.
      return isDone && (!isFinal || removed === 0);
    },
  },
];
