import { mapConcurrent, turnsOf } from "../shared/async.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { Clock } from "../shared/clock.ts";
import { attemptDelivery, type AttemptDeps, type AttemptResult } from "./attempt.ts";
import type { DeliveryDetails, DeliveryLog } from "./delivery-log.ts";
import type { DisabledReason, WebhookEndpoint } from "./model.ts";
import type { WebhookRepository } from "./repository.ts";
import { FAILING_MS, waitAfter } from "./retries.ts";

/** Attempts to one endpoint that are under way at the same time. */
const PARALLEL_ATTEMPTS = 4;
/**
 * Attempts of an account that are under way at the same time. The platform allows six connections that wait for an answer, and lets
 * others wait unnoticed: a receiver that answers at once would seem too slow. One is left for the table.
 */
const ALL_ATTEMPTS = 5;
/** Deliveries to one endpoint that are taken up together. */
const GROUP = 20;

/** What the deliveries of an account may use. */
export interface DispatchDeps {
  readonly webhooks: Pick<WebhookRepository, "pending" | "removeEvents" | "disable">;
  readonly attempts: Omit<AttemptDeps, "now">;
  readonly clock: Clock;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

/** Why deliveries of an endpoint end that is not enabled, for its owner. */
const DISABLED = "The endpoint is disabled.";

/** Fetches an account's recorded events, and delivers what is due. */
export class Dispatch {
  readonly #log: DeliveryLog;
  readonly #deps: DispatchDeps;
  readonly #accountEmail: AccountEmail;

  constructor({
    log,
    deps,
    accountEmail,
  }: {
    readonly log: DeliveryLog;
    readonly deps: DispatchDeps;
    readonly accountEmail: AccountEmail;
  }) {
    this.#log = log;
    this.#deps = deps;
    this.#accountEmail = accountEmail;
  }

  /**
   * Queues the recorded events for the endpoints that want them, and returns the account's endpoints. An event is removed from the
   * table after it has been queued. If this is interrupted in between, the next call finds it queued.
   */
  async collect(): Promise<readonly WebhookEndpoint[]> {
    const { webhooks, clock } = this.#deps;
    for (;;) {
      // Race: an endpoint that is created during the query may have deliveries, and is not among those that the query returns.
      const logged = this.#log.endpointIds();
      const { endpoints, events, hasMore } = await webhooks.pending(this.#accountEmail);
      const full = new Set(endpoints.map(({ id }) => id).filter((id) => this.#log.isFull(id)));
      for (const event of events) {
        const wanting = endpoints.filter(
          ({ isEnabled, events: types }) => isEnabled && types.some((type) => type === event.type),
        );
        this.#log.queue(
          event,
          wanting.map(({ id }) => id),
          clock.now(),
          full,
        );
      }
      if (events.length > 0) await webhooks.removeEvents(this.#accountEmail, events);
      if (!hasMore || events.length === 0) {
        this.#forgetDeleted(logged, endpoints);
        return endpoints;
      }
    }
  }

  /** Makes the attempts that are due, until `deadline` (milliseconds since the epoch). */
  async deliverDue(endpoints: readonly WebhookEndpoint[], deadline: number): Promise<void> {
    // All at once. Unlike `Promise.all`, a failure does not leave attempts behind that the next alarm would repeat.
    const inTurn = turnsOf(ALL_ATTEMPTS);
    await mapConcurrent(endpoints, endpoints.length, (endpoint) =>
      this.#deliverTo(endpoint, deadline, inTurn),
    );
  }

  async #deliverTo(
    endpoint: WebhookEndpoint,
    deadline: number,
    inTurn: ReturnType<typeof turnsOf>,
  ): Promise<void> {
    if (!endpoint.isEnabled) return this.#log.giveUp(endpoint.id, DISABLED);

    const { clock } = this.#deps;
    for (;;) {
      const due = clock.now() < deadline ? this.#log.due(endpoint.id, clock.now(), GROUP) : [];
      if (due.length === 0) return;
      const reasons = await mapConcurrent(due, PARALLEL_ATTEMPTS, (delivery) =>
        inTurn(async () => (clock.now() < deadline ? this.#attempt(endpoint, delivery) : undefined)),
      );
      const reason = reasons.find((one) => one !== undefined);
      if (reason !== undefined) return this.#disable(endpoint, reason);
    }
  }

  /** Makes an attempt and records it. Returns why the endpoint has to be disabled, or `undefined`. */
  async #attempt(endpoint: WebhookEndpoint, delivery: DeliveryDetails): Promise<DisabledReason | undefined> {
    const { attempts, clock, random } = this.#deps;
    const at = clock.now();
    const event = { id: delivery.eventId, body: delivery.body };
    const result = await attemptDelivery(endpoint, event, { ...attempts, now: clock.now });
    const nextAt = this.#nextAttempt(delivery, result, random());
    this.#log.record(delivery, { at, result, nextAt });
    if (result.isGone) return "gone";

    const since = this.#log.failingSince(endpoint.id);
    const hasFailed = !result.isDelivered && nextAt === undefined;
    return hasFailed && since !== undefined && at - since >= FAILING_MS ? "failing" : undefined;
  }

  #nextAttempt(
    { tries }: DeliveryDetails,
    { isDelivered, isGone, retryAfterMs }: AttemptResult,
    random: number,
  ): number | undefined {
    const wait = isDelivered || isGone ? undefined : waitAfter(tries + 1, random, retryAfterMs);
    return wait === undefined ? undefined : this.#deps.clock.now() + wait;
  }

  /** Disables an endpoint in the table, and ends its deliveries. */
  async #disable(endpoint: WebhookEndpoint, reason: DisabledReason): Promise<void> {
    const { webhooks, clock } = this.#deps;
    const timestamp = clock.timestamp();
    const stored = await webhooks.disable(endpoint, reason, timestamp);
    if (stored) this.#log.giveUp(endpoint.id, DISABLED);
    console.warn({ message: "A webhook endpoint was disabled.", webhookId: endpoint.id, reason });
  }

  #forgetDeleted(logged: readonly string[], endpoints: readonly WebhookEndpoint[]): void {
    for (const id of logged) if (!endpoints.some((endpoint) => endpoint.id === id)) this.#log.forget(id);
  }
}
