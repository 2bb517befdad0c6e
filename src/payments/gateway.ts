import { Stripe } from "stripe";
import type { BillingCycle } from "../plans/pricing.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { RemoteSubscription } from "./remote-subscription.ts";
import { absentAsNothing, asAppError, unavailable } from "./stripe-errors.ts";
import { eventFrom, type PaymentEvent } from "./stripe-events.ts";
import { fromStripe, subscriptionIdOf } from "./stripe-objects.ts";

/** Stripe answers most requests within a second; a webhook has to be answered within ten or so. */
const TIMEOUT_MS = 10_000;
/** Repeated requests carry the same idempotency key, so that a lost answer charges nobody twice. */
const RETRIES = 1;
/** Stripe's own tolerance for the age of a signature; it looks at the past only, and we at both directions. */
const SIGNATURE_SECONDS = 300;
/** A customer has one subscription, and rarely a few old ones. */
const SUBSCRIPTIONS_OF_CUSTOMER = 20;

const MINUTE_MS = 60_000;

const EXPANDED = ["customer", "items.data.price.product"];

export interface GatewayOptions {
  readonly secretKey: string;
  /** All of them are accepted, so that a secret can be replaced while events signed with the old one arrive. */
  readonly webhookSecrets: readonly string[];
  /** Where Stripe is, other than at its own address: a test's server. */
  readonly apiUrl: string | undefined;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface CheckoutOrder {
  readonly lookupKey: string;
  readonly plan: string;
  readonly cycle: BillingCycle;
  /** Who buys: a customer that is known, or somebody who is not signed in and may have said an e-mail. */
  readonly buyer:
    | { readonly customer: string; readonly email: string }
    | { readonly email: string | undefined };
  readonly successUrl: string;
  readonly cancelUrl: string;
}

/** Stripe, as far as this service needs it; nobody outside of this folder knows its library. */
export class StripeGateway {
  readonly #stripe: Stripe;
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#stripe = new Stripe(options.secretKey, {
      httpClient: Stripe.createFetchHttpClient(options.fetch),
      timeout: TIMEOUT_MS,
      maxNetworkRetries: RETRIES,
      telemetry: false,
      ...(options.apiUrl !== undefined && addressOf(options.apiUrl)),
    });
  }

  /** The event that a webhook request carries. Throws a 400 where Stripe has not signed it, or not just now. */
  async eventOf(body: Uint8Array, signature: string | undefined): Promise<PaymentEvent> {
    if (!signature) throw new AppError("malformed-request", "Missing stripe-signature header");
    const signedAt = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/u.exec(signature)?.[1] ?? Number.NaN);
    if (!(Math.abs(this.#options.now() / 1000 - signedAt) <= SIGNATURE_SECONDS)) throw invalidSignature();

    for (const secret of this.#options.webhookSecrets) {
      try {
        const event = await this.#stripe.webhooks.constructEventAsync(
          body,
          signature,
          secret,
          SIGNATURE_SECONDS,
          undefined,
          this.#options.now(),
        );
        return eventFrom(event);
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw unreadableEvent(error);
      }
    }
    throw invalidSignature();
  }

  /** A subscription as it is now; nothing where Stripe knows none. */
  async subscription(id: string): Promise<RemoteSubscription | undefined> {
    const found = await absentAsNothing(() => this.#stripe.subscriptions.retrieve(id, { expand: EXPANDED }));
    return found && fromStripe(found);
  }

  /** The subscription that an invoice is for; nothing for other invoices. */
  async subscriptionOfInvoice(invoiceId: string): Promise<string | undefined> {
    const invoice = await absentAsNothing(() => this.#stripe.invoices.retrieve(invoiceId));
    return invoice && subscriptionIdOf(invoice);
  }

  /** A customer's subscriptions, newest first, ended ones included. */
  async subscriptionsOf(customer: string): Promise<readonly RemoteSubscription[]> {
    const page = await absentAsNothing(() =>
      this.#stripe.subscriptions.list({
        customer,
        status: "all",
        limit: SUBSCRIPTIONS_OF_CUSTOMER,
        expand: ["data.customer"],
      }),
    );
    return (page?.data ?? []).map(fromStripe);
  }

  /** A page of all subscriptions, from the newest on; `after` is the last one of the page before. */
  async subscriptionsAfter(after: string | undefined): Promise<readonly RemoteSubscription[]> {
    // Where that one is gone, which happens in test mode only, there is no next page either.
    const page = await absentAsNothing(() =>
      this.#stripe.subscriptions.list({
        status: "all",
        limit: 100,
        expand: ["data.customer"],
        ...(after !== undefined && { starting_after: after }),
      }),
    );
    return (page?.data ?? []).map(fromStripe);
  }

  /** Whether a customer stands (and was not deleted). */
  async hasCustomer(id: string): Promise<boolean> {
    const customer = await absentAsNothing(() => this.#stripe.customers.retrieve(id));
    return customer !== undefined && customer.deleted !== true;
  }

  /**
   * The customer that was made for this account, or a new one. Customers with the same e-mail that somebody else made,
   * by buying without signing in, are not the account's.
   */
  async customerOf(email: string, name: string, replaced: string | undefined): Promise<string> {
    const page = await asAppError(() => this.#stripe.customers.list({ email, limit: 100 }));
    const known = page.data.find(({ metadata, id }) => metadata["user_email"] === email && id !== replaced);
    if (known) return known.id;

    const made = await asAppError(async () =>
      this.#stripe.customers.create(
        { email, ...(name !== "" && { name }), metadata: { user_email: email } },
        { idempotencyKey: await this.#keyOf("customer", email, replaced ?? "") },
      ),
    );
    return made.id;
  }

  /**
   * The address of a page where the order is paid. A customer has one such page at a time: the same order leads to the
   * same page again, and another order closes it, so that nobody pays twice.
   */
  async checkout(order: CheckoutOrder): Promise<string> {
    const price = await this.#priceOf(order.lookupKey);
    const { buyer, plan, cycle } = order;
    const before = "customer" in buyer ? await this.#checkouts(buyer.customer) : [];
    const open = before.filter(({ status }) => status === "open");
    const same = open.find(
      ({ metadata }) => metadata?.["plan_key"] === plan && metadata["billing_cycle"] === cycle,
    );
    if (same?.url) return same.url;
    for (const { id } of open) await absentAsNothing(() => this.#stripe.checkout.sessions.expire(id));

    const metadata = {
      plan_key: plan,
      billing_cycle: cycle,
      // Only for people who are signed in: what is bought for an e-mail that was merely typed in is no proof of it.
      ...("customer" in buyer && { user_email: buyer.email }),
    };
    // Whoever orders at the same time has seen the same pages: of several requests with one key, Stripe carries out one.
    const idempotency = "customer" in buyer && {
      idempotencyKey: await this.#keyOf("checkout", buyer.customer, before[0]?.id ?? ""),
    };
    const session = await asAppError(() =>
      this.#stripe.checkout.sessions.create(
        {
          mode: "subscription",
          line_items: [{ price, quantity: 1 }],
          success_url: order.successUrl,
          cancel_url: order.cancelUrl,
          allow_promotion_codes: true,
          metadata,
          subscription_data: { metadata },
          ...("customer" in buyer
            ? { customer: buyer.customer }
            : buyer.email !== undefined && { customer_email: buyer.email }),
        },
        { ...idempotency },
      ),
    );
    if (!session.url) throw unavailable(new Error("The checkout session has no address."));
    return session.url;
  }

  /**
   * Changes what a running subscription is for, at once and pro rata. Gives the address of a page where the difference
   * has to be paid first; nothing where it has been paid, and the change is made.
   */
  async changePrice(current: RemoteSubscription, lookupKey: string): Promise<string | undefined> {
    const price = await this.#priceOf(lookupKey);
    const changed = await asAppError(async () =>
      this.#stripe.subscriptions.update(
        current.id,
        {
          items: [{ id: current.itemId, price }],
          proration_behavior: "always_invoice",
          // Nothing is granted before it is paid: until then the old price stands.
          payment_behavior: "pending_if_incomplete",
          expand: ["latest_invoice"],
        },
        { idempotencyKey: await this.#keyOf("change", current.id, current.latestInvoiceId ?? "", price) },
      ),
    );
    if (!changed.pending_update) return undefined;

    const invoice = typeof changed.latest_invoice === "object" ? changed.latest_invoice : null;
    if (invoice?.hosted_invoice_url) return invoice.hosted_invoice_url;
    throw new AppError(
      "conflict",
      "The payment for the new plan did not go through. Please check your card.",
    );
  }

  /** Lets a subscription end with its period, or go on after all; false where Stripe knows none. */
  async setEnding(id: string, ending: boolean): Promise<boolean> {
    const changed = await absentAsNothing(() =>
      this.#stripe.subscriptions.update(id, { cancel_at_period_end: ending }),
    );
    return changed !== undefined;
  }

  /** Writes beside a subscription which account it is for. */
  async assign(id: string, email: string): Promise<void> {
    await asAppError(() => this.#stripe.subscriptions.update(id, { metadata: { user_email: email } }));
  }

  /** Ends a subscription at once; one that has ended is no error. */
  async end(id: string): Promise<void> {
    await absentAsNothing(() =>
      this.#stripe.subscriptions.cancel(id, {
        cancellation_details: {
          comment: "The account was deleted by its user.",
          feedback: "customer_service",
        },
      }),
    );
  }

  /** The address of the pages on which a customer manages cards, invoices and plans. */
  async portal(customer: string, returnUrl: string): Promise<string> {
    const session = await absentAsNothing(() =>
      this.#stripe.billingPortal.sessions.create({ customer, return_url: returnUrl }),
    );
    if (!session) throw notFound("Customer");
    return session.url;
  }

  /** How far a checkout has come. */
  async checkoutStatus(id: string): Promise<{ readonly status: string; readonly paymentStatus: string }> {
    const session = await absentAsNothing(() => this.#stripe.checkout.sessions.retrieve(id));
    if (!session) throw new AppError("not-found", "Session not found or expired");
    return { status: session.status ?? "open", paymentStatus: session.payment_status };
  }

  /** A customer's latest checkouts, newest first. */
  async #checkouts(customer: string) {
    const page = await asAppError(() => this.#stripe.checkout.sessions.list({ customer, limit: 100 }));
    return page.data;
  }

  /**
   * An idempotency key that the same wish has for a minute. Stripe answers a key for a day with what it answered first,
   * even where that was a failure of its own: a longer life would keep a person from buying for as long.
   */
  async #keyOf(...parts: readonly string[]): Promise<string> {
    const minute = Math.floor(this.#options.now() / MINUTE_MS);
    return toHex(await sha256(JSON.stringify([...parts, minute])));
  }

  async #priceOf(lookupKey: string): Promise<string> {
    const page = await asAppError(() =>
      this.#stripe.prices.list({ lookup_keys: [lookupKey], active: true, limit: 1 }),
    );
    const price = page.data[0];
    if (price) return price.id;
    throw new AppError("unavailable", "This plan can't be bought at the moment.", {
      cause: new Error(`Stripe has no active price with the lookup key ${lookupKey}. Run the sync script.`),
      retryable: false,
    });
  }
}

const invalidSignature = (): AppError => new AppError("malformed-request", "Invalid signature");

function unreadableEvent(cause: unknown): AppError {
  return new AppError("malformed-request", "Invalid webhook event", { cause });
}

function addressOf(url: string) {
  const { protocol, hostname, port } = new URL(url);
  return {
    protocol: protocol === "http:" ? ("http" as const) : ("https" as const),
    host: hostname,
    ...(port !== "" && { port }),
  };
}
