import { foundIn, invalid, now, type Obj, randomId } from "./stripe-answers.ts";

const DAY = 86_400;

/** Schedules of future changes, which Stripe makes for a downgrade in the portal, and merchants by hand. */
export class StripeSchedules {
  readonly #schedules = new Map<string, Obj>();

  /** Makes a schedule that manages a subscription and changes its price later. */
  add(subscription: Obj, prices: readonly Obj[], more: Obj): Obj {
    const schedule = {
      id: `sub_sched_${randomId()}`,
      object: "subscription_schedule",
      status: "active",
      end_behavior: "release",
      subscription: subscription["id"],
      phases: prices.map((price, index) => ({
        start_date: now() + index * 30 * DAY - 60,
        end_date: now() + (index + 1) * 30 * DAY - 60,
        items: [{ price, quantity: 1 }],
      })),
      ...more,
    };
    this.#schedules.set(schedule.id, schedule);
    subscription["schedule"] = schedule.id;
    return schedule;
  }

  /** Returns a schedule; its prices are ids unless they are expanded. */
  find(id: string, expand: readonly string[]): Obj {
    const schedule = structuredClone(foundIn(this.#schedules, id));
    if (!expand.includes("phases.items.price"))
      for (const phase of schedule["phases"]) for (const item of phase.items) item.price = item.price.id;
    return schedule;
  }

  /** Ends a schedule, and leaves its subscription unchanged. */
  release(id: string, subscriptions: ReadonlyMap<string, Obj>): Obj {
    const schedule = foundIn(this.#schedules, id);
    if (schedule["status"] !== "active") throw invalid("Only active schedules can be released.");
    foundIn(subscriptions, schedule["subscription"])["schedule"] = null;
    return Object.assign(schedule, { status: "released", released_subscription: schedule["subscription"] });
  }
}

/** Throws Stripe's refusals of changes to the end of a subscription. */
export function checkEnding(subscription: Obj, input: Obj): void {
  if (input["cancel_at"] !== undefined && input["cancel_at_period_end"] !== undefined)
    throw invalid(
      "Received both cancel_at and cancel_at_period_end parameters. Please pass in only one.",
      "cancel_at",
    );
  if (subscription["schedule"] !== null)
    throw invalid(
      `The subscription is managed by the subscription schedule \`${subscription["schedule"]}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
    );
}

/**
 * Returns what a change of `cancel_at_period_end` or `cancel_at` sets. Under classic billing, both members state the end;
 * under flexible billing, only the one that was set.
 */
export function endingOf(subscription: Obj, input: Obj): Obj {
  if (input["cancel_at"] !== undefined) {
    const at = input["cancel_at"] === "" ? null : Number(input["cancel_at"]);
    return { cancel_at: at, canceled_at: at === null ? null : now() };
  }
  const ending = input["cancel_at_period_end"] === "true";
  const isClassic = subscription["billing_mode"].type === "classic";
  const end = subscription["items"].data[0].current_period_end;
  return {
    cancel_at_period_end: ending,
    canceled_at: ending ? now() : null,
    ...(isClassic && { cancel_at: ending ? end : null }),
  };
}
