import type { AccountEmail } from "../shared/id-types.ts";
import { liveSubscriptions, type Subscription } from "../plans/subscription.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Claims } from "./claims.ts";
import type { StripeGateway } from "./gateway.ts";
import { isRunning, type RemoteSubscription } from "./remote-subscription.ts";
import { inThisMode } from "./stripe-errors.ts";
import type { Payer, SubscriptionRepository } from "./subscription-repository.ts";
import type { SubscriptionSyncService } from "./subscription-sync.ts";

export interface PayersDeps {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly claims: Claims;
  readonly sync: SubscriptionSyncService;
  readonly clock: Clock;
}

/**
 * Finds what an account has bought and may change. Threat: whoever pays without a sign-in can type in anybody's address.
 * Therefore an account reaches only Stripe customers that this service created for it, or that it has claimed.
 */
export class Payers {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #claims: Claims;
  readonly #sync: SubscriptionSyncService;
  readonly #clock: Clock;

  constructor({ gateway, subscriptions, claims, sync, clock }: PayersDeps) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#claims = claims;
    this.#sync = sync;
    this.#clock = clock;
  }

  /** Returns an account with its subscriptions. If the table has no live one of its own, asks Stripe. */
  async known(accountEmail: AccountEmail): Promise<Payer> {
    const payer = await this.#sync.payer(accountEmail);
    return this.own(payer).length > 0 ? payer : this.#completed(accountEmail, payer);
  }

  /** Returns an account with its subscriptions, including those that Stripe has and the table has missed. */
  async complete(accountEmail: AccountEmail): Promise<Payer> {
    return this.#completed(accountEmail, await this.#sync.payer(accountEmail));
  }

  /** Returns the subscriptions that grant a plan now, the deciding one first. */
  live({ subscriptions }: Payer): readonly Subscription[] {
    return liveSubscriptions(subscriptions, this.#clock.now());
  }

  /** Returns the live subscriptions that the account may change, the best one first. */
  own(payer: Payer): readonly Subscription[] {
    return this.live(payer).filter(({ isClaimed }) => isClaimed);
  }

  /**
   * Returns the best unclaimed subscription for the account's address that is still running at Stripe, or `undefined`.
   */
  async unclaimed(payer: Payer): Promise<Subscription | undefined> {
    for (const subscription of this.live(payer)) {
      if (subscription.isClaimed) continue;
      const remote = await inThisMode(this.#gateway.subscription(subscription.id), undefined);
      if (remote && isRunning(remote))
        return { ...subscription, cancelAtPeriodEnd: remote.cancelAtPeriodEnd };
    }
    return undefined;
  }

  /**
   * Returns whether a customer is the account's own: created for it by this service, or claimed by it. Throws `conflict`
   * if the customer belongs to Stripe's other mode.
   */
  async reaches(accountEmail: AccountEmail, payer: Payer, customerId: string): Promise<boolean> {
    const customer = await this.#gateway.customer(customerId);
    if (!customer) return false;
    if (customer.account === undefined) return payer.claimed.includes(customerId);
    const [customerAccount] = await this.#subscriptions.accounts([customer.account]);
    return customerAccount === accountEmail;
  }

  /** Returns whether the account may change a subscription. */
  async isOwn(accountEmail: AccountEmail, remote: RemoteSubscription): Promise<boolean> {
    const owner = await this.#claims.ownerOf(remote);
    return owner?.accountEmail === accountEmail && owner.isClaimed;
  }

  async #completed(accountEmail: AccountEmail, payer: Payer): Promise<Payer> {
    if (payer.customerId === null) return payer;
    const isStored = ({ id }: RemoteSubscription) => payer.subscriptions.some((stored) => stored.id === id);
    const atStripe = await inThisMode(this.#gateway.subscriptionsOf(payer.customerId), []);
    const missed = atStripe.filter((remote) => isRunning(remote) && !isStored(remote));
    if (missed.length === 0) return payer;
    for (const { id } of missed) await this.#sync.sync(id, accountEmail);
    return this.#subscriptions.payer(accountEmail);
  }
}

/** The error if an account has no plan of its own. */
export const noSubscription = (): AppError =>
  new AppError(
    "not-found",
    "No active subscription found. If you just signed up, please wait 30 seconds for processing.",
  );

/** The error if an account may not change its plan, because it was bought without a sign-in. */
export const notClaimed = ({ plan }: Subscription): AppError =>
  new AppError(
    "conflict",
    `Your ${plan} plan was bought without signing in and has not been claimed yet. If you paid for it, claim it with the session id of its checkout, or manage it through the link that Stripe's login page mails you.`,
  );
