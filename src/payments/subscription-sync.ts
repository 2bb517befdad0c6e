import type { AccountEmail } from "../shared/id-types.ts";
import {
  isLive,
  isSameState,
  liveSubscriptions,
  type Subscription,
  subscriptionKey,
} from "../plans/subscription.ts";
import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { alert } from "./alerts.ts";
import { type Claims, type KnownOwner, ownerActions } from "./claims.ts";
import type { StripeGateway } from "./gateway.ts";
import {
  hasEnded,
  isRunning,
  planSold,
  type RemoteSubscription,
  toSubscription,
} from "./remote-subscription.ts";
import { inThisMode } from "./stripe-errors.ts";
import type { PaymentEvent } from "./stripe-events.ts";
import type { Known, Payer, PaymentMark, SubscriptionRepository } from "./subscription-repository.ts";

/** Stripe repeats an event for up to three days, and an operator may resend it for thirty. */
const MARKER_LIFETIME_MS = 40 * DAY_MS;
/** How often a subscription is fetched again after a concurrent write. */
const ATTEMPTS = 8;
/** Pages of a hundred subscriptions that one call of `reconcile` compares. */
const PAGES = 5;

export interface SubscriptionSyncServiceDeps {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly claims: Claims;
  readonly clock: Clock;
}

/**
 * Keeps the stored subscriptions in line with Stripe. The contents of an event are never stored. The stored
 * subscription is read first, then the current one is fetched, and it is written only if the stored one has not changed
 * meanwhile. So the order and number of events do not matter.
 */
export class SubscriptionSyncService {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #claims: Claims;
  readonly #clock: Clock;

  constructor({ gateway, subscriptions, claims, clock }: SubscriptionSyncServiceDeps) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#claims = claims;
    this.#clock = clock;
  }

  /** Handles an event. Throws if a repeat of the event may succeed. */
  async handle(event: PaymentEvent): Promise<void> {
    if (!event.about && event.alert === undefined) return;
    if (await this.#subscriptions.isMarked(event.id)) return;

    const { about } = event;
    if (!about) {
      alert(event.alert ?? "", { event: event.id, type: event.type });
      return this.#park(event, "The operator was alerted.");
    }
    const id =
      "subscription" in about
        ? about.subscription
        : await inThisMode(this.#gateway.subscriptionOfInvoice(about.invoice), undefined);
    if (id === undefined) return this.#park(event, "The invoice is not for a subscription.");
    await this.sync(id, event.emailHint, event);
  }

  /** Stores a subscription in its current state at Stripe. `emailHint` saves a request if it is right. */
  async sync(id: string, emailHint?: string, event?: PaymentEvent): Promise<void> {
    let accountEmail =
      (await this.#accountOf(emailHint)) ?? (await this.#ownerOf(await this.#remote(id)))?.accountEmail;
    if (accountEmail === undefined) return this.#park(event, "The subscription has no e-mail address.", id);

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.#subscriptions.known(accountEmail, id, event?.id);
      if (known.isRepeated) return;

      const remote = await this.#remote(id);
      if (!remote) return this.#park(event, "Stripe has no such subscription.", id);
      const owner = await this.#ownerOf(remote);
      if (owner === undefined) return this.#park(event, "The subscription has no e-mail address.", id);

      if (owner.accountEmail !== accountEmail) accountEmail = owner.accountEmail;
      else if (await this.#store(remote, owner, known, event)) return;
    }
    throw new AppError("unavailable", "The subscription is being changed concurrently. Please try again.");
  }

  /**
   * Returns an account with its subscriptions and claims. Live subscriptions that do not record yet whether the account
   * may change them are fetched first. Those that Stripe does not know are left as they are, and count as unclaimed.
   */
  async payer(accountEmail: AccountEmail): Promise<Payer> {
    const payer = await this.#subscriptions.payer(accountEmail);
    const open = liveSubscriptions(payer.subscriptions, this.#clock.now()).filter(
      ({ isClaimed }) => isClaimed === null,
    );
    if (open.length === 0) return payer;

    for (const { id } of open) await this.sync(id, accountEmail);
    return this.#subscriptions.payer(accountEmail);
  }

  /**
   * Compares some of all subscriptions with the table and repairs differences, which lost events cause. The next call
   * continues where this one stopped, and starts over at the end.
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
    const owners = await this.#claims.ownersOf(remotes);
    const owned = remotes.flatMap((remote, index) => {
      const owner = owners[index];
      return owner ? [{ accountEmail: owner.accountEmail, id: remote.id, remote, owner }] : [];
    });
    const stored = await this.#subscriptions.stored(owned);

    for (const [index, { accountEmail, id, remote, owner }] of owned.entries()) {
      const before = stored[index];
      const differs = before
        ? !isSameState(toSubscription(remote, owner, before, before.updatedAt), before) ||
          needsAssignment(remote, owner)
        : !hasEnded(remote);
      if (!differs) continue;

      try {
        await this.sync(id, accountEmail);
      } catch (error) {
        // One failure must not keep the others from being repaired.
        console.error({
          message: "A subscription could not be compared with Stripe.",
          subscription: id,
          error: String(error),
        });
      }
    }
  }

  async #accountOf(address: string | undefined): Promise<AccountEmail | undefined> {
    const [accountEmail] = await this.#subscriptions.accounts([address]);
    return accountEmail;
  }

  /** Returns a subscription, or `undefined` if it does not exist in the mode of this deployment's key. */
  async #remote(id: string): Promise<RemoteSubscription | undefined> {
    return inThisMode(this.#gateway.subscription(id), undefined);
  }

  async #ownerOf(remote: RemoteSubscription | undefined): Promise<KnownOwner | undefined> {
    return remote && this.#claims.ownerOf(remote);
  }

  async #store(
    remote: RemoteSubscription,
    owner: KnownOwner,
    known: Known,
    event: PaymentEvent | undefined,
  ): Promise<boolean> {
    const { subscription: before, payer } = known;
    // A claimed subscription must be removed from its former account, even if it has ended meanwhile.
    if (payer.isBeingDeleted || (!before && hasEnded(remote) && owner.former === undefined)) {
      if (payer.isBeingDeleted && isRunning(remote))
        alert("A deleted account has a running subscription.", { subscription: remote.id });
      await this.#park(event, "The account or the subscription has ended.");
      return true;
    }
    // Assign before granting anything: otherwise a customer who changes the e-mail address could move the plan to other
    // accounts.
    if (needsAssignment(remote, owner)) await this.#gateway.assign(remote.id, owner.accountEmail);
    if (planSold(remote.price) === undefined && isRunning(remote))
      alert("A running subscription has a price that belongs to no plan.", { subscription: remote.id });

    const after = toSubscription(remote, owner, before, this.#clock.timestamp());
    if (before && isSameState(before, after)) {
      await this.#park(event, "Nothing has changed.");
      return true;
    }
    const more = ownerActions(remote, owner, subscriptionKey);
    if (!(await this.#subscriptions.store(after, known, event && this.#markOf(event), more))) return false;

    const begins = !before || !isLive(before, this.#clock.now()) || before.isClaimed !== after.isClaimed;
    if (begins && isLive(after, this.#clock.now())) await this.#alertOfSeveral(after);
    return true;
  }

  /** Alerts if an account now has several plans: two that it pays for itself, or another's purchase beside its own. */
  async #alertOfSeveral({ id, accountEmail, isClaimed }: Subscription): Promise<void> {
    const { subscriptions } = await this.#subscriptions.payer(accountEmail);
    const live = liveSubscriptions(subscriptions, this.#clock.now());
    const own = live.filter((one) => one.isClaimed);
    if (isClaimed && own.length > 1)
      alert("An account pays for several plans. The best of them counts.", {
        subscriptions: own.map((one) => one.id),
      });
    if (own.length === 0) return;
    for (const one of live)
      if (!one.isClaimed && (isClaimed || one.id === id))
        alert(
          "A plan was bought without a sign-in for an account that already has one. It was not changed.",
          { subscription: one.id },
        );
  }

  /**
   * Marks an event that changes nothing as handled, so that its repeats cost nothing. Does nothing without an event.
   */
  async #park(event: PaymentEvent | undefined, reason: string, alerting?: string): Promise<void> {
    if (alerting !== undefined) alert(reason, { subscription: alerting });
    if (event) await this.#subscriptions.mark(this.#markOf(event), reason);
  }

  #markOf({ id, type }: PaymentEvent): PaymentMark {
    const ttl = ttlAfter(this.#clock.now(), MARKER_LIFETIME_MS);
    return { id, type, timestamp: this.#clock.timestamp(), ttl };
  }
}

/** Returns whether only the customer's e-mail address says whose subscription it is. */
const needsAssignment = (remote: RemoteSubscription, { claimant }: KnownOwner): boolean =>
  !remote.isAssigned && claimant === undefined && !hasEnded(remote);
