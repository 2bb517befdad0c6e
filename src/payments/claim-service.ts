import type { AccountEmail } from "../shared/id-types.ts";
import { liveSubscriptions } from "../plans/subscription.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Claims, KnownOwner } from "./claims.ts";
import type { Checkout } from "./checkouts.ts";
import type { StripeGateway } from "./gateway.ts";
import { hasEnded, isRunning, type RemoteSubscription } from "./remote-subscription.ts";
import { inThisMode } from "./stripe-errors.ts";
import type { Payer } from "./subscription-repository.ts";
import type { SubscriptionSyncService } from "./subscription-sync.ts";

/** How often an account is read again after a concurrent change. */
const ATTEMPTS = 4;

export interface ClaimServiceDeps {
  readonly gateway: StripeGateway;
  readonly claims: Claims;
  readonly sync: SubscriptionSyncService;
  readonly clock: Clock;
}

/** Moves purchases without a sign-in to the account that claims them. */
export class ClaimService {
  readonly #gateway: StripeGateway;
  readonly #claims: Claims;
  readonly #sync: SubscriptionSyncService;
  readonly #clock: Clock;

  constructor({ gateway, claims, sync, clock }: ClaimServiceDeps) {
    this.#gateway = gateway;
    this.#claims = claims;
    this.#sync = sync;
    this.#clock = clock;
  }

  /**
   * Makes the customer of a checkout, with its subscriptions, the account's own. The session id is the proof: only the
   * browsers that opened and paid the checkout know it. Safe to repeat. Throws `conflict` if the purchase cannot be
   * claimed and `not-found` if there is no such checkout.
   */
  async claim(accountEmail: AccountEmail, sessionId: string): Promise<void> {
    const checkout = await this.#gateway.checkouts.find(sessionId);
    const id = subscriptionOf(checkout);
    const remote = await this.#gateway.subscription(id);
    if (!remote || hasEnded(remote))
      throw new AppError("conflict", "The subscription of this checkout has ended.");

    await this.#record(accountEmail, checkout, remote);
    // Needed even if the claim was recorded before: that request may have died before this step.
    for (const one of await this.#gateway.subscriptionsOf(remote.customerId))
      await this.#sync.sync(one.id, accountEmail);
  }

  async #record(accountEmail: AccountEmail, checkout: Checkout, remote: RemoteSubscription): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [payer, owner] = await Promise.all([
        this.#sync.payer(accountEmail),
        this.#claims.ownerOf(remote),
      ]);
      if (owner?.isClaimed && owner.accountEmail === accountEmail) return;
      await this.#requireFree(accountEmail, checkout, owner);
      await this.#requireSingle(accountEmail, payer, remote.customerId);

      const outcome = await this.#claims.claim({
        accountEmail,
        customerId: remote.customerId,
        replaced: payer.customerId,
        timestamp: this.#clock.timestamp(),
      });
      if (outcome === "claimed") return;
      if (outcome === "taken") throw takenByAnother();
    }
    throw new AppError("unavailable", "Your account is being changed concurrently. Please try again.");
  }

  /** Throws `conflict` if the purchase certainly belongs to another account. */
  async #requireFree(
    accountEmail: AccountEmail,
    checkout: Checkout,
    owner: KnownOwner | undefined,
  ): Promise<void> {
    if (owner?.isClaimed) throw takenByAnother();
    const opener = await this.#claims.accountOf(checkout.account);
    // For a checkout that this service did not open, the session id proves nothing.
    const belongsToAnother = checkout.isOurs
      ? checkout.account !== undefined && opener !== accountEmail
      : owner?.accountEmail !== accountEmail;
    if (belongsToAnother) throw takenByAnother();
  }

  /**
   * Throws `conflict` if the account would then pay for two plans. Checks Stripe as well, because the table may be
   * behind.
   */
  async #requireSingle(accountEmail: AccountEmail, payer: Payer, customerId: string): Promise<void> {
    const others = new Set([...payer.claimed, ...(payer.customerId === null ? [] : [payer.customerId])]);
    others.delete(customerId);
    const pages = await Promise.all(
      [...others].map((id) => inThisMode(this.#gateway.subscriptionsOf(id), [])),
    );
    const lasting = pages.flat().filter((one) => isRunning(one) && !one.cancelAtPeriodEnd);
    const owners = await this.#claims.ownersOf(lasting);
    const isAnyOwn = owners.some((owner) => owner?.isClaimed && owner.accountEmail === accountEmail);

    const stored = liveSubscriptions(payer.subscriptions, this.#clock.now()).some(
      (one) => one.isClaimed && !one.cancelAtPeriodEnd && one.customerId !== customerId,
    );
    if (!isAnyOwn && !stored) return;
    throw new AppError(
      "conflict",
      "This account already pays for a plan. Cancel that plan, then claim this purchase. You keep the better of the two until the cancelled plan's period ends.",
    );
  }
}

/**
 * Returns the id of the subscription that a paid checkout created. Throws `conflict` if it is unpaid or not for a plan.
 */
function subscriptionOf({ status, paymentStatus, subscription }: Checkout): string {
  if (status === "expired") throw new AppError("not-found", "Session not found or expired");
  if (status !== "complete" || paymentStatus === "unpaid")
    throw new AppError("conflict", "This checkout has not been paid yet.");
  if (subscription === undefined) throw new AppError("conflict", "This checkout was not for a plan.");
  return subscription;
}

const takenByAnother = (): AppError => new AppError("conflict", "This purchase belongs to another account.");
