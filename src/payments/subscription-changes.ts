import type { Stripe } from "stripe";
import { AppError } from "../shared/errors.ts";
import { planSold, type RemoteSubscription } from "./remote-subscription.ts";
import { idempotencyKeyOf, priceOf, type StripeAccess } from "./stripe-client.ts";
import { asAppError, isRefusal, refused, SCHEDULED, undefinedIfMissing } from "./stripe-errors.ts";
import { priceFrom } from "./stripe-objects.ts";

/** A schedule that changes a subscription's plan later. Customers make one when they downgrade in the portal. */
interface PlannedChange {
  readonly id: string;
  /** The next plan and when it begins, in seconds since the epoch. `undefined` if no other plan follows. */
  readonly next: { readonly plan: string; readonly at: number } | undefined;
}

/** Changes to running subscriptions at Stripe. */
export class SubscriptionChanges {
  readonly #stripe: Stripe;
  readonly #now: () => number;

  constructor({ stripe, now }: StripeAccess) {
    this.#stripe = stripe;
    this.#now = now;
  }

  /**
   * Changes the price of a running subscription, at once and pro rata. Its other items, such as add-ons, stay as they
   * are. Returns `undefined` if the change was paid and made, or the URL of a page where the difference must be paid or
   * confirmed first. Throws `conflict` if the payment failed, or if a schedule already plans a change.
   */
  async changePrice(current: RemoteSubscription, lookupKey: string): Promise<string | undefined> {
    if (current.scheduleId !== null) await this.#refuseIfPlanned(current.scheduleId);
    const price = await priceOf(this.#stripe, lookupKey);
    const key = await idempotencyKeyOf(
      this.#now(),
      "change",
      current.id,
      current.latestInvoiceId ?? "",
      price,
    );
    try {
      const changed = await asAppError(() =>
        this.#stripe.subscriptions.update(
          current.id,
          {
            items: [{ id: current.itemId, price }],
            proration_behavior: "always_invoice",
            // The old price stays in force until the difference is paid.
            payment_behavior: "pending_if_incomplete",
            expand: ["latest_invoice"],
          },
          { idempotencyKey: key },
        ),
      );
      if (!changed.pending_update) return undefined;
      const link = paymentLinkOf(changed);
      if (link !== undefined) return link;
    } catch (error) {
      if (!isRefusal(error, "authentication-required")) throw error;
      const link = paymentLinkOf(
        await asAppError(() =>
          this.#stripe.subscriptions.retrieve(current.id, { expand: ["latest_invoice"] }),
        ),
      );
      if (link === undefined) throw error;
      return link;
    }
    throw new AppError("conflict", "The payment for the new plan failed. Please check your card.");
  }

  /**
   * Schedules a subscription to end with its period, or revokes that. A cancellation replaces a change of plan that was
   * planned for later. Returns false if Stripe has no such subscription. Throws `conflict` if another schedule manages it.
   */
  async setEnding(current: RemoteSubscription, ending: boolean): Promise<boolean> {
    if (current.scheduleId !== null) await this.#release(current.scheduleId);
    if (ending) return (await this.#update(current.id, { cancel_at_period_end: true })) !== undefined;

    // Stripe refuses both members in one request. Which of them is set depends on the billing mode and on who cancelled:
    // under flexible billing, the portal sets only `cancel_at`.
    let { cancelAt } = current;
    if (current.endsWithPeriod) {
      const kept = await this.#update(current.id, { cancel_at_period_end: false });
      if (!kept) return false;
      cancelAt = kept.cancel_at;
    }
    return cancelAt === null || (await this.#update(current.id, { cancel_at: "" })) !== undefined;
  }

  #update(id: string, change: Stripe.SubscriptionUpdateParams) {
    return undefinedIfMissing(() => this.#stripe.subscriptions.update(id, change));
  }

  async #refuseIfPlanned(scheduleId: string): Promise<void> {
    const planned = await this.#plannedChange(scheduleId);
    if (!planned?.next) return;
    const day = new Date(planned.next.at * 1000).toISOString().slice(0, 10);
    throw refused(
      "subscription-schedule",
      `Your plan is already set to change to ${planned.next.plan} on ${day}. Undo that change under Settings → Manage Subscription, then try again.`,
    );
  }

  async #release(scheduleId: string): Promise<void> {
    const planned = await this.#plannedChange(scheduleId);
    if (planned) await undefinedIfMissing(() => this.#stripe.subscriptionSchedules.release(planned.id));
  }

  /**
   * Returns what a schedule plans, or `undefined` if it has ended. Throws `conflict` if it does more than change between
   * plans: then it is an agreement with the customer that must not be lost.
   */
  async #plannedChange(scheduleId: string): Promise<PlannedChange | undefined> {
    const schedule = await undefinedIfMissing(() =>
      this.#stripe.subscriptionSchedules.retrieve(scheduleId, { expand: ["phases.items.price"] }),
    );
    if (!schedule || !["active", "not_started"].includes(schedule.status)) return undefined;

    const phases = schedule.phases.map(({ start_date: at, items }) => ({
      at,
      plan: items.map(({ price }) => planOfPhase(price)).find((plan) => plan !== undefined),
    }));
    if (schedule.end_behavior !== "release" || phases.some(({ plan }) => plan === undefined))
      throw refused("subscription-schedule", SCHEDULED);

    const next = phases.find(({ at }) => at > this.#now() / 1000);
    return { id: schedule.id, next: next?.plan === undefined ? undefined : { plan: next.plan, at: next.at } };
  }
}

const planOfPhase = (price: string | Stripe.Price | Stripe.DeletedPrice): string | undefined =>
  typeof price === "string" || price.deleted ? undefined : planSold(priceFrom(price));

/** Returns the page where the latest invoice of a subscription is paid or confirmed, if there is one. */
const paymentLinkOf = ({ latest_invoice: invoice }: Stripe.Subscription): string | undefined =>
  typeof invoice === "object" ? (invoice?.hosted_invoice_url ?? undefined) : undefined;
