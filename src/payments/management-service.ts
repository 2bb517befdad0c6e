import type { AccountEmail } from "../shared/id-types.ts";
import type { Subscription } from "../plans/subscription.ts";
import { AppError } from "../shared/errors.ts";
import { alert } from "./alerts.ts";
import type { StripeGateway } from "./gateway.ts";
import { noSubscription, notClaimed, type Payers } from "./payers.ts";
import { hasEnded } from "./remote-subscription.ts";
import { inThisMode } from "./stripe-errors.ts";
import type { Payer, SubscriptionRepository } from "./subscription-repository.ts";
import type { SubscriptionSyncService } from "./subscription-sync.ts";

export interface ManagementServiceDeps {
  readonly gateway: StripeGateway;
  readonly subscriptions: SubscriptionRepository;
  readonly sync: SubscriptionSyncService;
  readonly payers: Payers;
  /** The page that Stripe's portal leads back to. */
  readonly settingsUrl: string;
  /** Stripe's login page, which mails people a link to their portal. If `undefined`, Stripe is asked for it. */
  readonly portalLoginUrl: string | undefined;
}

/** Stripe's portal for an account. */
export interface Portal {
  /** The portal of the deciding subscription, or Stripe's login page for an unclaimed one. */
  readonly url: string;
  /** The account's own live subscriptions, the best one first, each with its portal. */
  readonly subscriptions: readonly { readonly subscription: Subscription; readonly url: string }[];
}

/** Cancels, resumes and ends the subscriptions of an account, and opens Stripe's portal for them. */
export class ManagementService {
  readonly #gateway: StripeGateway;
  readonly #subscriptions: SubscriptionRepository;
  readonly #sync: SubscriptionSyncService;
  readonly #payers: Payers;
  readonly #settingsUrl: string;
  readonly #portalLoginUrl: string | undefined;

  constructor({ gateway, subscriptions, sync, payers, settingsUrl, portalLoginUrl }: ManagementServiceDeps) {
    this.#gateway = gateway;
    this.#subscriptions = subscriptions;
    this.#sync = sync;
    this.#payers = payers;
    this.#settingsUrl = settingsUrl;
    this.#portalLoginUrl = portalLoginUrl;
  }

  /**
   * Schedules all subscriptions of the account to end with their paid periods, so that nothing is charged any more.
   * Returns those that were changed, the best one first. Throws `not-found` if the account has none, and `conflict` if
   * they are unclaimed, already cancelled, or managed by a schedule.
   */
  async cancel(accountEmail: AccountEmail): Promise<readonly Subscription[]> {
    const lasting = (await this.#own(accountEmail)).filter(({ cancelAtPeriodEnd }) => !cancelAtPeriodEnd);
    if (lasting.length === 0)
      throw new AppError("conflict", "Subscription is already scheduled for cancellation");

    for (const { id } of lasting) await this.#setEnding(accountEmail, id, true);
    return this.#reread(accountEmail, lasting);
  }

  /**
   * Revokes the cancellation of the best subscription. Throws `not-found` if the account has none, and `conflict` if
   * none is cancelled, or if another one would be charged as well.
   */
  async resume(accountEmail: AccountEmail): Promise<readonly Subscription[]> {
    const own = await this.#own(accountEmail);
    const ending = own.find(({ cancelAtPeriodEnd }) => cancelAtPeriodEnd);
    const lasting = own.find(({ cancelAtPeriodEnd }) => !cancelAtPeriodEnd);
    if (!ending) throw new AppError("conflict", "Subscription is not scheduled for cancellation");
    if (lasting)
      throw new AppError(
        "conflict",
        `Your ${lasting.plan} plan continues, so resuming your ${ending.plan} plan would charge you for both. Cancel the ${lasting.plan} plan first.`,
      );

    await this.#setEnding(accountEmail, ending.id, false);
    return this.#reread(accountEmail, [ending]);
  }

  /**
   * Returns the portal where cards, invoices and plans are managed. For an unclaimed plan, returns Stripe's login page,
   * which mails a link to the person who paid. Throws `not-found` if the account has bought nothing.
   */
  async portal(accountEmail: AccountEmail): Promise<Portal> {
    const payer = await this.#payers.complete(accountEmail);
    const own = this.#payers.own(payer);
    const unclaimed = own.length > 0 ? undefined : this.#payers.live(payer)[0];
    const portals = await this.#portals(
      accountEmail,
      payer,
      own.length > 0 || unclaimed ? own.map(({ customerId }) => customerId) : [payer.customerId],
    );
    const subscriptions = own.flatMap((subscription) => {
      const url = portals.get(subscription.customerId ?? "");
      return url === undefined ? [] : [{ subscription, url }];
    });
    const [url] = portals.values();
    if (url !== undefined) return { url, subscriptions };
    if (!unclaimed)
      throw new AppError(
        "not-found",
        "There is nothing to manage yet, because this account has not bought a plan.",
      );

    const login = this.#portalLoginUrl ?? (await this.#gateway.portalLogin());
    if (login === undefined) throw notClaimed(unclaimed);
    return { url: login, subscriptions: [] };
  }

  /**
   * Cancels everything of its own that an account pays for, at once. Purchases without a sign-in for its address
   * continue, because others may have paid for them. `isFinal` also removes the account from the customers that were
   * created for it. Repeat it until it does not throw. Customers of Stripe's other mode are out of reach: they are left,
   * and an alert is logged.
   */
  async endAll(accountEmail: AccountEmail, isFinal: boolean): Promise<void> {
    const payer = await this.#subscriptions.payer(accountEmail);
    const stored = await Promise.all(
      payer.subscriptions.map(
        async ({ id, customerId }) =>
          customerId ?? (await inThisMode(this.#gateway.subscription(id), undefined))?.customerId,
      ),
    );
    const customers = new Set([payer.customerId, ...payer.claimed, ...stored]);
    for (const customer of customers)
      if (typeof customer === "string")
        await inThisMode(this.#endCustomer(accountEmail, payer, customer, isFinal), undefined);
  }

  async #endCustomer(
    accountEmail: AccountEmail,
    payer: Payer,
    customer: string,
    isFinal: boolean,
  ): Promise<void> {
    const isOwn = await this.#payers.reaches(accountEmail, payer, customer);
    for (const remote of await this.#gateway.subscriptionsOf(customer)) {
      // Paused and unpaid subscriptions could resume later.
      if (hasEnded(remote)) continue;
      if (isOwn) await this.#gateway.end(remote.id);
      else if (isFinal)
        alert("A plan that was bought without a sign-in was not cancelled with its account.", {
          subscription: remote.id,
        });
    }
    if (isOwn && isFinal) await this.#gateway.release(customer);
  }

  /** Returns the live subscriptions that the account may change. Throws if there is none. */
  async #own(accountEmail: AccountEmail): Promise<readonly Subscription[]> {
    const payer = await this.#payers.complete(accountEmail);
    const own = this.#payers.own(payer);
    if (own.length > 0) return own;
    const unclaimed = await this.#payers.unclaimed(payer);
    throw unclaimed ? notClaimed(unclaimed) : noSubscription();
  }

  async #setEnding(accountEmail: AccountEmail, id: string, ending: boolean): Promise<void> {
    const remote = await this.#gateway.subscription(id);
    if (!remote) throw noSubscription();
    if (!(await this.#payers.isOwn(accountEmail, remote))) {
      const { subscriptions } = await this.#subscriptions.payer(accountEmail);
      const stored = subscriptions.find((one) => one.id === id);
      throw stored ? notClaimed(stored) : noSubscription();
    }
    if (!(await this.#gateway.changes.setEnding(remote, ending))) throw noSubscription();
    await this.#sync.sync(id, accountEmail);
  }

  async #reread(
    accountEmail: AccountEmail,
    before: readonly Subscription[],
  ): Promise<readonly Subscription[]> {
    const { subscriptions } = await this.#subscriptions.payer(accountEmail);
    return before.map((one) => subscriptions.find(({ id }) => id === one.id) ?? one);
  }

  /** Returns the portals of those customers that the account reaches. */
  async #portals(
    accountEmail: AccountEmail,
    payer: Payer,
    customers: readonly (string | null)[],
  ): Promise<ReadonlyMap<string, string>> {
    const portals = new Map<string, string>();
    for (const customer of new Set(customers))
      if (customer !== null && (await this.#payers.reaches(accountEmail, payer, customer)))
        portals.set(customer, await this.#gateway.portal(customer, this.#settingsUrl));
    return portals;
  }
}
