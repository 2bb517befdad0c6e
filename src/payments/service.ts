import { type BillingCycle, findPlan, rankOf } from "../plans/pricing.ts";
import { activeSubscription, type Subscription } from "../plans/subscription.ts";
import type { Clock } from "../shared/clock.ts";
import { accountOf } from "../shared/email.ts";
import { AppError } from "../shared/errors.ts";
import type { StripeGateway } from "./gateway.ts";
import { hasEnded, isRunning, planSold, type RemoteSubscription } from "./remote-subscription.ts";
import type { Payer, SubscriptionRepository } from "./subscription-repository.ts";
import type { SubscriptionSync } from "./subscription-sync.ts";

export interface PaymentServiceOptions {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly sync: SubscriptionSync;
  readonly clock: Clock;
  /** Where the pages are that people come back to. */
  readonly frontendUrl: string;
}

export interface Order {
  readonly plan: string;
  readonly cycle: BillingCycle;
}

/** What a person does about what they pay for. */
export class PaymentService {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #sync: SubscriptionSync;
  readonly #clock: Clock;
  readonly #frontendUrl: string;

  constructor({ gateway, subscriptions, sync, clock, frontendUrl }: PaymentServiceOptions) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#sync = sync;
    this.#clock = clock;
    this.#frontendUrl = frontendUrl;
  }

  /**
   * The address where an order is paid. Who has a subscription already changes it instead of getting a second one.
   */
  async checkout(email: string, order: Order): Promise<string> {
    const lookupKey = lookupKeyOf(order);
    const payer = await this.#subscriptions.payer(email);
    const customer = await this.#customerOf(email, payer);
    const current = await this.#running(payer, customer);
    if (current) return this.#change(email, current, order, lookupKey);

    return this.#gateway.checkout({ ...order, lookupKey, buyer: { customer, email }, ...this.#pages() });
  }

  /** The same for somebody who is not signed in: the plan goes to whoever signs in with the e-mail that pays. */
  async anonymousCheckout(order: Order, email: string | undefined): Promise<string> {
    const buyer = { email: accountOf(email) };
    return this.#gateway.checkout({ ...order, lookupKey: lookupKeyOf(order), buyer, ...this.#pages() });
  }

  /** The subscription that decides a person's plan. Where the table knows none, Stripe is asked. */
  async current(email: string): Promise<Subscription | undefined> {
    const payer = await this.#subscriptions.payer(email);
    const known = activeSubscription(payer.subscriptions, this.#clock.now());
    if (known || payer.customerId === null) return known;

    const missed = (await this.#gateway.subscriptionsOf(payer.customerId)).find(isRunning);
    if (!missed) return undefined;
    return this.#afresh(email, missed.id);
  }

  /** Lets the subscription end with the period that is paid for, or go on after all. */
  async setEnding(email: string, ending: boolean): Promise<Subscription> {
    const current = await this.current(email);
    if (!current) throw noSubscription();
    if (current.cancelAtPeriodEnd === ending)
      throw new AppError(
        "conflict",
        ending
          ? "Subscription is already scheduled for cancellation"
          : "Subscription is not scheduled for cancellation",
      );

    if (!(await this.#gateway.setEnding(current.id, ending))) throw noSubscription();
    return (await this.#afresh(email, current.id)) ?? current;
  }

  /** The address of the pages on which cards, invoices and plans are managed. */
  async portal(email: string): Promise<string> {
    const payer = await this.#subscriptions.payer(email);
    const active = activeSubscription(payer.subscriptions, this.#clock.now());
    const customer = active?.customerId ?? payer.customerId;
    if (customer === null)
      throw new AppError("not-found", "There is nothing to manage yet: nothing has been bought.");
    return this.#gateway.portal(customer, `${this.#frontendUrl}/settings`);
  }

  /** Ends everything that an account pays for, at once. To be repeated until it does not throw. */
  async endAll(email: string): Promise<void> {
    const { subscriptions, customerId } = await this.#subscriptions.payer(email);
    const ofCustomer = customerId === null ? [] : await this.#gateway.subscriptionsOf(customerId);
    const stored = subscriptions.map(({ id }) => id);

    // Paused and unpaid ones could go on some day.
    const lasting = ofCustomer.filter((remote) => !hasEnded(remote)).map(({ id }) => id);

    for (const id of new Set([...stored, ...lasting])) await this.#gateway.end(id);
  }

  async #change(
    email: string,
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

    const payFirst = await this.#gateway.changePrice(current, lookupKey);
    if (payFirst === undefined && current.cancelAtPeriodEnd) await this.#gateway.setEnding(current.id, false);
    await this.#sync.sync(current.id, email);
    return payFirst ?? `${this.#frontendUrl}/payments/success?upgraded=${order.plan}`;
  }

  /**
   * The subscription that is paid for, as Stripe has it: the table may not have heard of it yet. Throws a 409 where one
   * is not paid for at the moment, but has not ended.
   */
  async #running(payer: Payer, customer: string): Promise<RemoteSubscription | undefined> {
    const active = activeSubscription(payer.subscriptions, this.#clock.now());
    const [stored, ofCustomer] = await Promise.all([
      active && this.#gateway.subscription(active.id),
      this.#gateway.subscriptionsOf(customer),
    ]);
    if (stored && isRunning(stored)) return stored;
    const other = ofCustomer.find(isRunning);
    if (other) return this.#gateway.subscription(other.id);

    // One that waits for a payment, or rests, would go on beside a second one some day.
    const waiting = ofCustomer.find((remote) => !hasEnded(remote));
    if (!waiting) return undefined;
    throw new AppError(
      "conflict",
      `You already have a subscription that is ${waiting.status}. Visit Settings to manage your subscription.`,
    );
  }

  async #customerOf(email: string, payer: Payer): Promise<string> {
    const { customerId, name } = payer;
    if (customerId !== null && (await this.#gateway.hasCustomer(customerId))) return customerId;

    const customer = await this.#gateway.customerOf(email, name, customerId ?? undefined);
    return this.#subscriptions.claimCustomer(email, customer, customerId);
  }

  async #afresh(email: string, id: string): Promise<Subscription | undefined> {
    await this.#sync.sync(id, email);
    const { subscriptions } = await this.#subscriptions.payer(email);
    return subscriptions.find((subscription) => subscription.id === id);
  }

  #pages() {
    return {
      successUrl: `${this.#frontendUrl}/payments/success?session_id={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${this.#frontendUrl}/payments/cancel`,
    };
  }
}

const noSubscription = (): AppError =>
  new AppError(
    "not-found",
    "No active subscription found. If you just signed up, please wait 30 seconds for processing.",
  );

function lookupKeyOf({ plan, cycle }: Order): string {
  const lookupKey = findPlan(plan)?.lookup_keys[cycle];
  if (lookupKey !== undefined) return lookupKey;
  throw new AppError(
    "validation-failed",
    `Plan '${plan}' with '${cycle}' billing not found in pricing config`,
  );
}
