import type { AccountEmail } from "../shared/id-types.ts";
import type { DeletionStep } from "./deletion-model.ts";
import type { AccountSweep } from "./sweep.ts";

/** Ends subscriptions when an account is deleted. */
interface Subscriptions {
  /** Ends all subscriptions that the account pays for. Throws if it can't. */
  endAll(accountEmail: AccountEmail, isFinal: boolean): Promise<void>;
}

/** The object that delivers an account's webhooks. */
interface WebhookSender {
  /** Removes everything that it keeps. */
  forget(accountEmail: AccountEmail): Promise<void>;
}

/** Nobody must keep paying for a deleted account. A failure here blocks the sweep and is retried. */
const subscriptionsStep = (subscriptions: Subscriptions): DeletionStep => ({
  name: "subscriptions at the payment service",
  async run(accountEmail, isFinal) {
    await subscriptions.endAll(accountEmail, isFinal);
    return { isDone: true, hadRuns: false };
  },
});

/**
 * Returns the steps of an account deletion, in order. Steps that end something outside the table, such as a subscription, come
 * before the sweep, because the sweep removes the items that they read. The object of the webhooks comes after it, because it is
 * filled from the endpoints.
 */
export const deletionSteps = (
  sweep: AccountSweep,
  subscriptions: Subscriptions | undefined,
  webhooks: WebhookSender,
): readonly DeletionStep[] => [
  ...(subscriptions ? [subscriptionsStep(subscriptions)] : []),
  {
    name: "everything in the table, runs and search indexes",
    async run(accountEmail, isFinal) {
      const { isDone, removed, hadRuns } = await sweep.run(accountEmail, isFinal);
      // Items may arrive during a final sweep, so it is repeated until one finds nothing.
      return { isDone: isDone && (!isFinal || removed === 0), hadRuns };
    },
  },
  {
    name: "deliveries of webhooks",
    async run(accountEmail) {
      await webhooks.forget(accountEmail);
      return { isDone: true, hadRuns: false };
    },
  },
];
