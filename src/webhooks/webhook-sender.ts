import { DurableObject } from "cloudflare:workers";
import { createWebhookDeps } from "../deps/objects.ts";
import { portsFrom } from "../deps/ports.ts";
import { type Reply, replying } from "../shared/durable-reply.ts";
import { type AppError, notFound } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { Dispatch } from "./dispatch.ts";
import { type Delivery, type DeliveryDetails, DeliveryLog } from "./delivery-log.ts";
import type { WebhookEvent } from "./event-model.ts";

/** How long one alarm begins attempts, in milliseconds. Those that are under way then are still finished. */
const BATCH_MS = 20_000;
/** When the next alarm rings if this instance dies, in milliseconds: longer than any alarm takes. */
const WATCH_MS = 90_000;
/**
 * How long it takes at most until a recorded event is fetched whose call to this object was lost, in milliseconds. Each look costs
 * an alarm and a query, and only accounts with enabled endpoints have them.
 */
const SWEEP_MS = 10 * 60_000;
/** The wait after a failure in milliseconds, which doubles with each one up to the second. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** The shortest time between two removals of old deliveries, in milliseconds. */
const PRUNE_MS = 60_000;
/** The name under which the account is stored: the object of an alarm does not know its own name. */
const ACCOUNT = "account_email";

/** A page of a delivery log. `next` is the position before which the next page begins; null on the last one. */
export interface DeliveryPage {
  readonly items: readonly Delivery[];
  readonly next: number | null;
}

/**
 * The Durable Object that delivers the events of one account to its endpoints. The table has the endpoints, and the events until
 * the object has fetched them; the object has the deliveries. While an endpoint is enabled or an attempt is planned, an alarm is set.
 */
export class WebhookSender extends DurableObject<Env> {
  readonly #log = new DeliveryLog(this.ctx.storage);
  /** Whether there may be events that the current alarm has not seen. */
  #isWoken = false;
  #working: Promise<void> | undefined;
  #failures = 0;
  #pruneAt = 0;

  /** Fetches recorded events of the account soon, and delivers them. */
  wake(accountEmail: AccountEmail): Promise<Reply<null>> {
    return replying(async () => {
      await this.#wake(accountEmail);
      return null;
    });
  }

  /** Queues an event for one endpoint, whatever the endpoint has asked for. */
  send(accountEmail: AccountEmail, endpointId: string, event: WebhookEvent): Promise<Reply<null>> {
    return replying(async () => {
      const full = this.#log.isFull(endpointId) ? [endpointId] : [];
      this.#log.queue(event, [endpointId], Date.now(), new Set(full));
      await this.#wake(accountEmail);
      return null;
    });
  }

  /** Delivers an event again, with all retries. Replies with `not-found` if the log has no such delivery. */
  redeliver(
    accountEmail: AccountEmail,
    endpointId: string,
    eventId: string,
  ): Promise<Reply<DeliveryDetails>> {
    return replying(async () => {
      if (!this.#log.requeue(endpointId, eventId, Date.now())) throw unknownDelivery();
      await this.#wake(accountEmail);
      return this.#find(endpointId, eventId);
    });
  }

  /** Replies with a page of an endpoint's deliveries, newest first, before a position. */
  list(endpointId: string, limit: number, before: number | null): Promise<Reply<DeliveryPage>> {
    return replying(async () => {
      const rows = this.#log.list(endpointId, limit + 1, before ?? undefined);
      const items = rows.slice(0, limit);
      return Promise.resolve({ items, next: rows.length > limit ? (items.at(-1)?.seq ?? null) : null });
    });
  }

  /** Replies with a delivery and its attempts. Replies with `not-found` if the log has no such delivery. */
  get(endpointId: string, eventId: string): Promise<Reply<DeliveryDetails>> {
    return replying(() => Promise.resolve(this.#find(endpointId, eventId)));
  }

  /** Forgets everything, because the account is being deleted. */
  forget(): Promise<Reply<null>> {
    return replying(async () => {
      await this.#clear();
      return null;
    });
  }

  /** Two alarms at once would make the same attempts twice, so the second one waits for the first. */
  override alarm(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #work(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + WATCH_MS);
    try {
      this.#isWoken = false;
      const accountEmail = await this.ctx.storage.get<AccountEmail>(ACCOUNT);
      // Removed while the alarm was on its way.
      if (accountEmail === undefined) return await this.#clear();

      const deps = createWebhookDeps(await portsFrom(this.env));
      const dispatch = new Dispatch({ log: this.#log, deps, accountEmail });
      const endpoints = await dispatch.collect();
      // Race: if the object was woken meanwhile, there may be a new endpoint.
      if (endpoints.length === 0 && !this.#isWoken) return await this.#clear();

      await dispatch.deliverDue(endpoints, Date.now() + BATCH_MS);
      this.#prune();
      this.#failures = 0;
      await this.#setNextAlarm(endpoints.some(({ isEnabled }) => isEnabled));
    } catch (error) {
      console.warn({ message: "Webhooks could not be sent and will be retried.", error: String(error) });
      const waitMs = Math.min(RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
      await this.ctx.storage.setAlarm(Date.now() + waitMs);
    }
  }

  #find(endpointId: string, eventId: string): DeliveryDetails {
    const found = this.#log.find(endpointId, eventId);
    if (!found) throw unknownDelivery();
    return found;
  }

  /** Race: an alarm that is working must not set a later one at its end, so it is told as well. */
  async #wake(accountEmail: AccountEmail): Promise<void> {
    this.#isWoken = true;
    await Promise.all([this.ctx.storage.put(ACCOUNT, accountEmail), this.ctx.storage.setAlarm(Date.now())]);
  }

  /** Removes old deliveries, once in a while: it reads much of the log. An account must not add them faster than they are removed. */
  #prune(): void {
    if (Date.now() < this.#pruneAt) return;
    if (!this.#log.prune(Date.now())) this.#pruneAt = Date.now() + PRUNE_MS;
  }

  /**
   * Sets the alarm for the next attempt that is due, for the next look at the table, or for the removal of old deliveries. Without
   * any of these, none is set.
   */
  async #setNextAlarm(hasEnabled: boolean): Promise<void> {
    const now = Date.now();
    const times = [
      ...(this.#isWoken ? [now] : []),
      ...(hasEnabled ? [now + SWEEP_MS] : []),
      this.#log.nextDue() ?? Number.POSITIVE_INFINITY,
      Math.max(this.#pruneAt, this.#log.nextExpiry() ?? Number.POSITIVE_INFINITY),
    ];
    const next = Math.max(now, Math.min(...times));
    if (Number.isFinite(next)) await this.ctx.storage.setAlarm(next);
    else await this.ctx.storage.deleteAlarm();
  }

  /** Race: no await in between, so that a later call creates its tables after the removal. */
  async #clear(): Promise<void> {
    this.#log.forgetTables();
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
  }
}

const unknownDelivery = (): AppError => notFound("Delivery");
