import type { DeletionStep } from "./deletion-model.ts";
import type { AccountSweep } from "./sweep.ts";

/** What of payments a deletion needs. */
interface Subscriptions {
  /** Ends everything that an account pays for; throws where it could not. */
  endAll(email: string): Promise<void>;
}

/** Nobody goes on paying for an account that is gone. A failure here holds the sweep up, and is tried again. */
const subscriptionsStep = (subscriptions: Subscriptions): DeletionStep => ({
  name: "subscriptions at the payment service",
  async run(email) {
    await subscriptions.endAll(email);
    return true;
  },
});

/**
 * What deleting an account takes, in order. What ends something outside of the table that it knows from the table, such
 * as a subscription, stands before the sweep, which removes the items.
 */
export const deletionSteps = (
  sweep: AccountSweep,
  subscriptions: Subscriptions | undefined,
): readonly DeletionStep[] => [
  ...(subscriptions ? [subscriptionsStep(subscriptions)] : []),
  {
    name: "everything in the table, runs and search indexes",
    async run(email, isFinal) {
      const { isDone, removed } = await sweep.run(email, isFinal);
      // What came while a final sweep was under way is found by the next one.
      return isDone && (!isFinal || removed === 0);
    },
  },
];
