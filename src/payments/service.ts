import type { AccountEmail } from "../shared/id-types.ts";
import { type BillingCycle, findPlan, rankOf } from "../plans/pricing.ts";
import type { SubscriptionState } from "../plans/subscription.ts";
import { accountOf } from "../shared/email.ts";
import { AppError } from "../shared/errors.ts";
import type { StripeGateway } from "./gateway.ts";
import { notClaimed, type Payers } from "./payers.ts";
import { hasEnded, isRunning, planSold, type RemoteSubscription } from "./remote-subscription.ts";
import { inThisMode } from "./stripe-errors.ts";
import type { Payer, SubscriptionRepository } from "./subscription-repository.ts";
import type { SubscriptionSyncService } from "./subscription-sync.ts";

export interface PaymentServiceDeps {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly sync: SubscriptionSyncService;
  readonly payers: Payers;
  /** The origin of the pages that a checkout leads back to. */
  readonly frontendUrl: string;
  /** The page that an upgrade leads back to. */
  readonly settingsUrl: string;
}

export interface Order {
  readonly plan: string;
  readonly cycle: BillingCycle;
}

/** Sells plans: starts subscriptions and upgrades them. */
export class PaymentService {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #sync: SubscriptionSyncService;
  readonly #payers: Payers;
  readonly #frontendUrl: string;
  readonly #settingsUrl: string;

  constructor({ gateway, subscriptions, sync, payers, frontendUrl, settingsUrl }: PaymentServiceDeps) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#sync = sync;
    this.#payers = payers;
    this.#frontendUrl = frontendUrl;
    this.#settingsUrl = settingsUrl;
  }

  /**
   * Returns the URL where an order is paid. If the account has a subscription, changes that instead of starting a
   * second one. Throws `conflict` if the account's plan is unclaimed, because it would continue beside the new one.
   */
  async checkout(accountEmail: AccountEmail, order: Order): Promise<string> {
    const lookupKey = lookupKeyOf(order);
    const payer = await this.#sync.payer(accountEmail);
    const customer = await this.#customerOf(accountEmail, payer);
    const current = await this.#running(accountEmail, payer, customer);
    if (current) return this.#change(accountEmail, current, order, lookupKey);

    const unclaimed = await this.#payers.unclaimed(payer);
    if (unclaimed && !unclaimed.cancelAtPeriodEnd) throw notClaimed(unclaimed);
    return this.#gateway.checkouts.open({
      ...order,
      lookupKey,
      buyer: { customer, accountEmail },
      ...this.#pages(),
    });
  }

  /**
   * Returns the URL where somebody who is not signed in pays an order. The plan counts for the account that signs in
   * with the e-mail address that pays. Nothing is looked up by the address, so the answer does not reveal whether it
   * has an account.
   */
  async anonymousCheckout(order: Order, email: string | undefined): Promise<string> {
    const buyer = { email: accountOf(email) };
    return this.#gateway.checkouts.open({
      ...order,
      lookupKey: lookupKeyOf(order),
      buyer,
      ...this.#pages(),
    });
  }

  /** Returns the subscription that decides the account's plan, and whether it has unclaimed ones. */
  async subscriptionState(accountEmail: AccountEmail): Promise<SubscriptionState> {
    const [current, ...others] = this.#payers.live(await this.#payers.known(accountEmail));
    return { current, hasUnclaimed: [current, ...others].some((one) => one?.isClaimed === false) };
  }

  async #change(
    accountEmail: AccountEmail,
    current: RemoteSubscription,
    order: Order,
    lookupKey: string,
  ): Promise<string> {
    const plan = planSold(current.price) ?? "free";
    if (plan === order.plan)
      throw new AppError(
        "conflict",
        `You already have an active ${plan} subscription. Visit Settings to manage your subscription.`,
      );
    if (rankOf(order.plan) < rankOf(plan))
      throw new AppError(
        "conflict",
        `To downgrade from ${plan} to ${order.plan}, please visit Settings → Manage Subscription to modify your plan. Your ${plan} plan will continue until the end of your billing period.`,
      );

    const payFirst = await this.#gateway.changes.changePrice(current, lookupKey);
    // Who pays for more does not want it to end. Revoked only after the payment, so that a failed one leaves the
    // cancellation in force.
    if (payFirst === undefined && current.cancelAtPeriodEnd)
      await this.#gateway.changes.setEnding(current, false);
    await this.#sync.sync(current.id, accountEmail);
    return payFirst ?? upgradedPage(this.#settingsUrl, order.plan);
  }

  /**
   * Returns the account's own running subscription in its state at Stripe, because the table may be behind, or
   * `undefined` if there is none. Throws `conflict` if one is neither running nor ended.
   */
  async #running(
    accountEmail: AccountEmail,
    payer: Payer,
    customer: string,
  ): Promise<RemoteSubscription | undefined> {
    const [own] = this.#payers.own(payer);
    const [stored, ofCustomer] = await Promise.all([
      own && inThisMode(this.#gateway.subscription(own.id), undefined),
      this.#gateway.subscriptionsOf(customer),
    ]);
    if (stored && isRunning(stored) && (await this.#payers.isOwn(accountEmail, stored))) return stored;
    const other = ofCustomer.find(isRunning);
    if (other) return this.#gateway.subscription(other.id);

    // A subscription that is paused or waits for a payment could resume beside a second one.
    const waiting = ofCustomer.find((remote) => !hasEnded(remote));
    if (!waiting) return undefined;
    throw new AppError(
      "conflict",
      `You already have a subscription that is ${waiting.status}. Pay for it or cancel it before you order another one.`,
    );
  }

  /**
   * Returns the id of the account's own customer at Stripe, creating one if there is none. A customer of Stripe's other
   * mode is replaced, so that a deployment can move from test mode to live mode with its table.
   */
  async #customerOf(accountEmail: AccountEmail, payer: Payer): Promise<string> {
    const { customerId, name } = payer;
    if (
      customerId !== null &&
      (await inThisMode(this.#payers.reaches(accountEmail, payer, customerId), false))
    )
      return customerId;

    const customer = await this.#gateway.customerOf(accountEmail, name, customerId ?? undefined);
    return this.#subscriptions.setCustomer(accountEmail, customer, customerId);
  }

  #pages() {
    return {
      successUrl: `${this.#frontendUrl}/payments/success?session_id={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${this.#frontendUrl}/payments/cancel`,
    };
  }
}

/** Returns the page after an upgrade, which shows the new plan. */
function upgradedPage(settingsUrl: string, plan: string): string {
  const separator = settingsUrl.includes("?") ? "&" : "?";
  return `${settingsUrl}${separator}upgraded=${encodeURIComponent(plan)}`;
}

function lookupKeyOf({ plan, cycle }: Order): string {
  const lookupKey = findPlan(plan)?.lookup_keys[cycle];
  if (lookupKey !== undefined) return lookupKey;
  throw new AppError(
    "validation-failed",
    `Plan '${plan}' with '${cycle}' billing not found in pricing config`,
  );
}
