import { saysTheSame } from "../plans/subscription.ts";
import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { StripeGateway } from "./gateway.ts";
import {
  hasEnded,
  isRunning,
  planSold,
  type RemoteSubscription,
  toSubscription,
} from "./remote-subscription.ts";
import type { PaymentEvent } from "./stripe-events.ts";
import type { Known, PaymentMark, SubscriptionRepository } from "./subscription-repository.ts";

/** Stripe repeats an event for three days at most; an operator may resend one for thirty. */
const MARKER_LIFETIME_MS = 40 * DAY_MS;
/** How often a subscription is fetched again because somebody else was storing it at the same time. */
const ATTEMPTS = 8;
/** Pages of a hundred that one comparison of all subscriptions goes through. */
const PAGES = 5;

export interface SubscriptionSyncOptions {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly clock: Clock;
}

/**
 * Brings what the table says of subscriptions in line with Stripe. What an event says of a subscription is never
 * stored: it is always fetched, behind reading what is stored, and stored only where nobody else has meanwhile. So the
 * order of events, and how often each arrives, does not matter.
 */
export class SubscriptionSync {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #clock: Clock;

  constructor({ gateway, subscriptions, clock }: SubscriptionSyncOptions) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#clock = clock;
  }

  /** Deals with an event. Throws where a repeat of the event may go better. */
  async handle(event: PaymentEvent): Promise<void> {
    if (!event.about || (await this.#subscriptions.isMarked(event.id))) return;

    const { about } = event;
    const id =
      "subscription" in about ? about.subscription : await this.#gateway.subscriptionOfInvoice(about.invoice);
    if (id === undefined) return this.#park(event, "The invoice is for no subscription.");
    await this.sync(id, event.emailHint, event);
  }

  /** Stores a subscription as Stripe has it now. `emailHint` saves a request where it is right. */
  async sync(id: string, emailHint?: string, event?: PaymentEvent): Promise<void> {
    let email =
      (await this.#accountOf(emailHint)) ??
      (await this.#accountOf((await this.#gateway.subscription(id))?.email));
    if (email === undefined) return this.#park(event, "The subscription has no e-mail.", id);

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.#subscriptions.known(email, id, event?.id);
      if (known.isRepeated) return;

      const remote = await this.#gateway.subscription(id);
      if (!remote) return this.#park(event, "Stripe has no such subscription.", id);
      const owner = await this.#accountOf(remote.email);
      if (owner === undefined) return this.#park(event, "The subscription has no e-mail.", id);

      if (owner !== email) email = owner;
      else if (await this.#store(remote, email, known, event)) return;
    }
    throw new AppError("unavailable", "The subscription is changing all the time. Please try again.");
  }

  /**
   * Compares a part of all subscriptions with the table and repairs what differs: what changed without an event that
   * arrived. The next call goes on where this one stopped, and begins anew at the end.
   */
  async reconcile(): Promise<void> {
    let after = await this.#subscriptions.reconciledUntil();

    for (let page = 0; page < PAGES; page++) {
      const remotes = await this.#gateway.subscriptionsAfter(after);
      await this.#compare(remotes);
      after = remotes.at(-1)?.id;
      await this.#subscriptions.setReconciledUntil(after, this.#clock.timestamp());
      if (after === undefined) return;
    }
  }

  async #compare(remotes: readonly RemoteSubscription[]): Promise<void> {
    const accounts = await this.#subscriptions.accounts(remotes.map(({ email }) => email));
    const owned = remotes.flatMap((remote, index) => {
      const email = accounts[index];
      return email === undefined ? [] : [{ email, id: remote.id, remote }];
    });
    const stored = await this.#subscriptions.stored(owned);

    for (const [index, { email, id, remote }] of owned.entries()) {
      const before = stored[index];
      const differs = before
        ? !saysTheSame(toSubscription(remote, email, before, before.updatedAt), before) || isLoose(remote)
        : !hasEnded(remote);
      if (!differs) continue;

      try {
        await this.sync(id, email);
      } catch (error) {
        // One that can't be repaired must not keep the others from it.
        console.error({
          message: "A subscription could not be compared.",
          subscription: id,
          error: String(error),
        });
      }
    }
  }

  async #accountOf(address: string | undefined): Promise<string | undefined> {
    const [account] = await this.#subscriptions.accounts([address]);
    return account;
  }

  async #store(
    remote: RemoteSubscription,
    email: string,
    known: Known,
    event: PaymentEvent | undefined,
  ): Promise<boolean> {
    const { subscription: before, payer } = known;
    if (!payer.isStaying || (!before && hasEnded(remote))) {
      if (!payer.isStaying && isRunning(remote))
        alert("A deleted account has a running subscription.", remote.id);
      await this.#park(event, "The account or the subscription has ended.");
      return true;
    }
    // Before anything is granted: one subscription must not wander from account to account with its customer's e-mail.
    if (isLoose(remote)) await this.#gateway.assign(remote.id, email);
    if (planSold(remote.price) === undefined && isRunning(remote))
      alert("A running subscription has a price that no plan has.", remote.id);

    const after = toSubscription(remote, email, before, this.#clock.timestamp());
    if (before && saysTheSame(before, after)) {
      await this.#park(event, "Nothing had changed.");
      return true;
    }
    return this.#subscriptions.store(after, known, event && this.#markOf(event));
  }

  /** Records an event that changes nothing, so that its repeats cost nothing; without one, there is nothing to record. */
  async #park(event: PaymentEvent | undefined, reason: string, alerting?: string): Promise<void> {
    if (alerting !== undefined) alert(reason, alerting);
    if (event) await this.#subscriptions.mark(this.#markOf(event), reason);
  }

  #markOf({ id, type }: PaymentEvent): PaymentMark {
    const ttl = ttlAfter(this.#clock.now(), MARKER_LIFETIME_MS);
    return { id, type, timestamp: this.#clock.timestamp(), ttl };
  }
}

/** Whether nothing but its customer's e-mail says whose it is. */
const isLoose = (remote: RemoteSubscription): boolean => !remote.isAssigned && !hasEnded(remote);

/** For whoever runs the service: money is involved, and nobody else will notice. */
const alert = (message: string, subscription: string): void =>
  console.error({ message, alert: "payments", subscription });
