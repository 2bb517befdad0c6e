import { Stripe } from "stripe";
import type { BillingCycle } from "../plans/pricing.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { idempotencyKeyOf, priceOf, type StripeAccess } from "./stripe-client.ts";
import { asAppError, paymentError, unavailable, undefinedIfMissing } from "./stripe-errors.ts";

export interface CheckoutOrder {
  readonly lookupKey: string;
  readonly plan: string;
  readonly cycle: BillingCycle;
  /** A known customer, or someone who is not signed in and may have entered an e-mail address. */
  readonly buyer:
    | { readonly customer: string; readonly accountEmail: AccountEmail }
    | { readonly email: string | undefined };
  readonly successUrl: string;
  readonly cancelUrl: string;
}

/** The state of a checkout. */
export interface Checkout {
  /** `open`, `complete` or `expired`. */
  readonly status: string;
  /** `paid`, `unpaid`, or `no_payment_required` for a trial or a coupon that covers everything. */
  readonly paymentStatus: string;
  /** The subscription that it created; `undefined` if it has not, or is for something else. */
  readonly subscription: string | undefined;
  /** The account that was signed in when it was opened, if any. */
  readonly account: string | undefined;
  /** Whether this service opened it, rather than the legacy Python service or the merchant by hand. */
  readonly isOurs: boolean;
}

/** The pages of Stripe on which plans are paid for the first time. */
export class StripeCheckouts {
  readonly #stripe: Stripe;
  readonly #now: () => number;

  constructor({ stripe, now }: StripeAccess) {
    this.#stripe = stripe;
    this.#now = now;
  }

  /**
   * Returns the URL of a page where the order is paid. A customer has one such page at a time: the same order returns
   * the same page, and a different order closes it, so that nobody pays twice.
   */
  async open(order: CheckoutOrder): Promise<string> {
    const price = await priceOf(this.#stripe, order.lookupKey);
    const { buyer, plan, cycle } = order;
    const before = "customer" in buyer ? await this.#latest(buyer.customer) : [];
    const open = before.filter(({ status }) => status === "open");
    const same = open.find(
      ({ metadata }) => metadata?.["plan_key"] === plan && metadata["billing_cycle"] === cycle,
    );
    if (same?.url) return same.url;
    for (const { id } of open) await this.#close(id);

    // Concurrent orders have seen the same pages and have the same key, and Stripe carries out only one of them.
    const idempotency = "customer" in buyer && {
      idempotencyKey: await idempotencyKeyOf(this.#now(), "checkout", buyer.customer, before[0]?.id ?? ""),
    };
    const session = await asAppError(() =>
      this.#stripe.checkout.sessions.create(parametersOf(order, price), { ...idempotency }),
    );
    if (!session.url) throw unavailable(new Error("The checkout session has no address."));
    return session.url;
  }

  /** Returns a checkout. Throws `not-found` if Stripe has none with this id. */
  async find(id: string): Promise<Checkout> {
    const session = await undefinedIfMissing(() => this.#stripe.checkout.sessions.retrieve(id));
    if (!session) throw new AppError("not-found", "Session not found or expired");
    const { subscription, metadata } = session;
    return {
      status: session.status ?? "open",
      paymentStatus: session.payment_status,
      subscription: (typeof subscription === "string" ? subscription : subscription?.id) || undefined,
      account: metadata?.["user_email"] || undefined,
      isOurs: metadata?.["plan_key"] !== undefined,
    };
  }

  /** Closes a page. Throws `conflict` if it has been paid meanwhile. */
  async #close(id: string): Promise<void> {
    try {
      await this.#stripe.checkout.sessions.expire(id);
    } catch (error) {
      // Stripe refuses if a concurrent order has closed the page, or if it was paid.
      const isRefused = error instanceof Stripe.errors.StripeInvalidRequestError;
      const status = isRefused ? (await this.find(id)).status : undefined;
      if (status === "complete")
        throw new AppError(
          "conflict",
          "A plan has just been paid for on another page. Check your subscription before you order again.",
        );
      if (status !== "expired") throw paymentError(error);
    }
  }

  /** Returns a customer's latest 100 checkouts, newest first. */
  async #latest(customer: string) {
    const page = await asAppError(() => this.#stripe.checkout.sessions.list({ customer, limit: 100 }));
    return page.data;
  }
}

function parametersOf({ buyer, plan, cycle, successUrl, cancelUrl }: CheckoutOrder, price: string) {
  const metadata = {
    plan_key: plan,
    billing_cycle: cycle,
    // Only for signed-in buyers: an e-mail address that was merely typed in proves nothing.
    ...("customer" in buyer && { user_email: buyer.accountEmail }),
  };
  return {
    mode: "subscription" as const,
    line_items: [{ price, quantity: 1 }],
    success_url: successUrl,
    cancel_url: cancelUrl,
    allow_promotion_codes: true,
    metadata,
    subscription_data: { metadata },
    ...("customer" in buyer
      ? { customer: buyer.customer }
      : buyer.email !== undefined && { customer_email: buyer.email }),
  };
}
