import { DurableClient } from "../shared/durable-client.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { DeliveryDetails } from "./delivery-log.ts";
import type { WebhookEvent } from "./event-model.ts";
import type { DeliveryPage, WebhookSender } from "./webhook-sender.ts";

interface SenderClientDeps {
  readonly namespace: DurableObjectNamespace<WebhookSender>;
  readonly region: string;
}

/** Calls the Durable Objects that deliver webhooks, one for each account. All calls are idempotent. */
export class SenderClient {
  readonly #senders: DurableClient<WebhookSender>;

  /** `region` is the AWS region of the table. */
  constructor({ namespace, region }: SenderClientDeps) {
    const unavailable = "Webhooks are not available at the moment. Please try again.";
    this.#senders = new DurableClient({ namespace, region, unavailable });
  }

  /** Tells the sender that events have been recorded, or that endpoints have changed. */
  async wake(accountEmail: AccountEmail): Promise<void> {
    await this.#senders.call(accountEmail, (sender) => sender.wake(accountEmail));
  }

  /**
   * Tells the sender of an event that is recorded. Never throws: the sender looks for events by itself every ten minutes, so that a
   * call that is lost only delays them.
   */
  async nudge(accountEmail: AccountEmail): Promise<void> {
    try {
      await this.wake(accountEmail);
    } catch (error) {
      console.warn({ message: "A webhook will be sent later.", error: String(error) });
    }
  }

  /** Queues an event for one endpoint. */
  async send(accountEmail: AccountEmail, endpointId: string, event: WebhookEvent): Promise<void> {
    await this.#senders.call(accountEmail, (sender) => sender.send(accountEmail, endpointId, event));
  }

  /** Delivers an event again. Throws `not-found` if the log has no such delivery. */
  redeliver(accountEmail: AccountEmail, endpointId: string, eventId: string): Promise<DeliveryDetails> {
    return this.#senders.call(accountEmail, (sender) => sender.redeliver(accountEmail, endpointId, eventId));
  }

  /** Returns a page of an endpoint's deliveries, newest first, before a position. */
  list(
    accountEmail: AccountEmail,
    endpointId: string,
    limit: number,
    before: number | undefined,
  ): Promise<DeliveryPage> {
    return this.#senders.call(accountEmail, (sender) => sender.list(endpointId, limit, before ?? null));
  }

  /** Returns a delivery with its attempts. Throws `not-found` if the log has no such delivery. */
  get(accountEmail: AccountEmail, endpointId: string, eventId: string): Promise<DeliveryDetails> {
    return this.#senders.call(accountEmail, (sender) => sender.get(endpointId, eventId));
  }

  /** Removes everything that the sender keeps, because the account is being deleted. */
  async forget(accountEmail: AccountEmail): Promise<void> {
    await this.#senders.call(accountEmail, (sender) => sender.forget());
  }
}
