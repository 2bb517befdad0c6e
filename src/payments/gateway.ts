import type { AccountEmail } from "../shared/id-types.ts";
import { Stripe } from "stripe";
import { AppError, notFound } from "../shared/errors.ts";
import { StripeCheckouts } from "./checkouts.ts";
import type { RemoteSubscription } from "./remote-subscription.ts";
import { connectStripe, idempotencyKeyOf, type StripeClientOptions } from "./stripe-client.ts";
import { asAppError, undefinedIfMissing } from "./stripe-errors.ts";
import { eventFrom, type PaymentEvent } from "./stripe-events.ts";
import { fromStripe, subscriptionIdOf } from "./stripe-objects.ts";
import { SubscriptionChanges } from "./subscription-changes.ts";

/**
 * Stripe's own tolerance for the age of a signature. Stripe's library checks the past only; we also refuse future
 * times.
 */
const SIGNATURE_SECONDS = 300;
/** Customers have one subscription, and rarely a few old ones. */
const SUBSCRIPTIONS_OF_CUSTOMER = 20;
/** Items of a subscription that are read. Stripe allows 20 and returns 10 of them with the subscription. */
const MAX_ITEMS = 100;

const EXPANDED = ["customer", "items.data.price.product"];

export interface StripeGatewayDeps extends StripeClientOptions {
  /** All are accepted, so that a secret can be replaced while events signed with the old one still arrive. */
  readonly webhookSecrets: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A Stripe customer. */
export interface Customer {
  readonly id: string;
  /** See `RemoteSubscription`. */
  readonly account: string | undefined;
}

/** The part of Stripe's API that this service uses. No other folder imports Stripe's library. */
export class StripeGateway {
  readonly checkouts: StripeCheckouts;
  readonly changes: SubscriptionChanges;
  readonly #stripe: Stripe;
  readonly #webhookSecrets: readonly string[];
  readonly #now: () => number;

  constructor({ secretKey, webhookSecrets, fetch, now, apiUrl }: StripeGatewayDeps) {
    const stripe = connectStripe({ secretKey, fetch, apiUrl });
    this.#stripe = stripe;
    this.#webhookSecrets = webhookSecrets;
    this.#now = now;
    this.checkouts = new StripeCheckouts({ stripe, now });
    this.changes = new SubscriptionChanges({ stripe, now });
  }

  /**
   * Returns the event of a webhook request. Throws `malformed-request` if Stripe did not sign it, or not within five
   * minutes.
   */
  async eventOf(body: Uint8Array, signature: string | undefined): Promise<PaymentEvent> {
    if (!signature) throw new AppError("malformed-request", "Missing stripe-signature header");
    const signedAt = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/u.exec(signature)?.[1] ?? Number.NaN);
    if (!(Math.abs(this.#now() / 1000 - signedAt) <= SIGNATURE_SECONDS)) throw invalidSignature();

    for (const secret of this.#webhookSecrets) {
      try {
        const event = await this.#stripe.webhooks.constructEventAsync(
          body,
          signature,
          secret,
          SIGNATURE_SECONDS,
          undefined,
          this.#now(),
        );
        return eventFrom(event);
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw unreadableEvent(error);
      }
    }
    throw invalidSignature();
  }

  /** Returns a subscription in its current state, or `undefined` if Stripe has none. */
  async subscription(id: string): Promise<RemoteSubscription | undefined> {
    const found = await undefinedIfMissing(() =>
      this.#stripe.subscriptions.retrieve(id, { expand: EXPANDED }),
    );
    if (!found) return undefined;
    if (!found.items.has_more) return fromStripe(found);
    const items = await asAppError(() =>
      this.#stripe.subscriptionItems
        .list({ subscription: id, limit: 100, expand: ["data.price.product"] })
        .autoPagingToArray({ limit: MAX_ITEMS }),
    );
    return fromStripe({ ...found, items: { ...found.items, data: items } });
  }

  /** Returns the id of the subscription that an invoice is for, or `undefined` if it is for none. */
  async subscriptionOfInvoice(invoiceId: string): Promise<string | undefined> {
    const invoice = await undefinedIfMissing(() => this.#stripe.invoices.retrieve(invoiceId));
    return invoice && subscriptionIdOf(invoice);
  }

  /** Returns a customer's newest subscriptions, at most 20, including ended ones. */
  async subscriptionsOf(customer: string): Promise<readonly RemoteSubscription[]> {
    const page = await undefinedIfMissing(() =>
      this.#stripe.subscriptions.list({
        customer,
        status: "all",
        limit: SUBSCRIPTIONS_OF_CUSTOMER,
        expand: ["data.customer"],
      }),
    );
    return (page?.data ?? []).map(fromStripe);
  }

  /** Returns a page of all subscriptions, newest first. `after` is the last id of the previous page. */
  async subscriptionsAfter(after: string | undefined): Promise<readonly RemoteSubscription[]> {
    // If `after` is gone, which happens only in test mode, there is no next page.
    const page = await undefinedIfMissing(() =>
      this.#stripe.subscriptions.list({
        status: "all",
        limit: 100,
        expand: ["data.customer"],
        ...(after !== undefined && { starting_after: after }),
      }),
    );
    return (page?.data ?? []).map(fromStripe);
  }

  /** Returns a customer, or `undefined` if there is none or it was deleted. */
  async customer(id: string): Promise<Customer | undefined> {
    const customer = await undefinedIfMissing(() => this.#stripe.customers.retrieve(id));
    if (!customer || customer.deleted) return undefined;
    return { id, account: customer.metadata["user_email"] || undefined };
  }

  /** Removes the account from a customer, so that a later account with the same e-mail address does not find it. */
  async release(id: string): Promise<void> {
    // Stripe removes a member that is set to an empty string.
    await undefinedIfMissing(() => this.#stripe.customers.update(id, { metadata: { user_email: "" } }));
  }

  /**
   * Returns the id of the customer that was created for this account, or creates one. Customers with the same e-mail
   * address from purchases without a sign-in are not the account's. Never returns `replaced`.
   */
  async customerOf(accountEmail: AccountEmail, name: string, replaced: string | undefined): Promise<string> {
    const page = await asAppError(() => this.#stripe.customers.list({ email: accountEmail, limit: 100 }));
    const known = page.data.find(
      ({ metadata, id }) => metadata["user_email"] === accountEmail && id !== replaced,
    );
    if (known) return known.id;

    const made = await asAppError(async () =>
      this.#stripe.customers.create(
        { email: accountEmail, ...(name !== "" && { name }), metadata: { user_email: accountEmail } },
        { idempotencyKey: await idempotencyKeyOf(this.#now(), "customer", accountEmail, replaced ?? "") },
      ),
    );
    return made.id;
  }

  /** Writes into a subscription's metadata which account it is for. */
  async assign(id: string, accountEmail: AccountEmail): Promise<void> {
    await asAppError(() => this.#stripe.subscriptions.update(id, { metadata: { user_email: accountEmail } }));
  }

  /** Cancels a subscription at once. Does nothing if Stripe has no such subscription. */
  async end(id: string): Promise<void> {
    await undefinedIfMissing(() =>
      this.#stripe.subscriptions.cancel(id, {
        cancellation_details: {
          comment: "The account was deleted by its user.",
          feedback: "customer_service",
        },
      }),
    );
  }

  /**
   * Returns the URL of the portal where a customer manages cards, invoices and plans. Throws `not-found` if there is no
   * such customer.
   */
  async portal(customer: string, returnUrl: string): Promise<string> {
    const session = await undefinedIfMissing(() =>
      this.#stripe.billingPortal.sessions.create({ customer, return_url: returnUrl }),
    );
    if (!session) throw notFound("Customer");
    return session.url;
  }

  /**
   * Returns the URL of the login page that mails people a link to their portal, or `undefined` if the merchant has not
   * enabled it.
   */
  async portalLogin(): Promise<string | undefined> {
    const page = await asAppError(() =>
      this.#stripe.billingPortal.configurations.list({ active: true, is_default: true, limit: 1 }),
    );
    const login = page.data[0]?.login_page;
    return login?.enabled ? (login.url ?? undefined) : undefined;
  }
}

const invalidSignature = (): AppError => new AppError("malformed-request", "Invalid signature");

function unreadableEvent(cause: unknown): AppError {
  return new AppError("malformed-request", "Invalid webhook event", { cause });
}
