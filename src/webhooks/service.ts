import type { Clock } from "../shared/clock.ts";
import type { Vault } from "../shared/encryption.ts";
import { HOUR_MS } from "../shared/clock.ts";
import { AppError, invalidInput, notFound } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { OUT_OF_BOUNDS, type OutboundPolicy, outOfBounds } from "../shared/outbound.ts";
import type { Delivery, DeliveryDetails } from "./delivery-log.ts";
import { type EventType, newEvent, TEST_EVENT } from "./event-model.ts";
import { alreadyMade, MAX_ENDPOINTS, type SealedSecret, type WebhookEndpoint } from "./model.ts";
import type { WebhookRepository } from "./repository.ts";
import type { SenderClient } from "./sender-client.ts";
import { hintOf, newSecret, openSecrets, sealSecret } from "./signing.ts";

/** The most secrets that sign at the same time. */
const MAX_SECRETS = 3;
/** How many rotations are remembered, so that late repeats of them are recognised. */
const MAX_ROTATIONS = 20;

/** What the owner of an endpoint decides. */
export interface EndpointInput {
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly EventType[];
  readonly isEnabled: boolean;
}

/** An endpoint with its new secret, which is never shown again. */
export interface ShownEndpoint {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/** A page of an endpoint's deliveries. */
export interface DeliveryList {
  readonly items: readonly Delivery[];
  readonly nextCursor: string | null;
}

/** Writes and reads cursors that are valid for one list only. */
interface ListCursors {
  write(cursorScope: string, position: string): Promise<string>;
  read(cursorScope: string, cursor: string | undefined): Promise<string | undefined>;
}

interface WebhookServiceDeps {
  readonly webhooks: WebhookRepository;
  readonly sender: SenderClient;
  readonly vault: Vault;
  readonly policy: OutboundPolicy;
  readonly cursors: ListCursors;
  readonly clock: Clock;
  /** Keeps a request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** Manages an account's webhook endpoints and their delivery logs. */
export class WebhookService {
  readonly #webhooks: WebhookRepository;
  readonly #sender: SenderClient;
  readonly #vault: Vault;
  readonly #policy: OutboundPolicy;
  readonly #cursors: ListCursors;
  readonly #clock: Clock;
  readonly #later: (work: Promise<void>) => void;

  constructor({ webhooks, sender, vault, policy, cursors, clock, later }: WebhookServiceDeps) {
    this.#webhooks = webhooks;
    this.#sender = sender;
    this.#vault = vault;
    this.#policy = policy;
    this.#cursors = cursors;
    this.#clock = clock;
    this.#later = later;
  }

  /**
   * Creates an endpoint and returns it with its secret, which is stored encrypted. `wantedId` is the id from an idempotency key.
   * Throws `validation-failed` for an address that must not be requested, and `conflict` if the id exists or the account has ten
   * endpoints.
   */
  async create(accountEmail: AccountEmail, input: EndpointInput, wantedId?: string): Promise<ShownEndpoint> {
    this.#requireReachable(input.url);
    const id = wantedId ?? newId(this.#clock.now());
    const { secret, sealed } = await this.#newSecret({ accountEmail, id });
    const timestamp = this.#clock.timestamp();
    const endpoint: WebhookEndpoint = {
      ...input,
      accountEmail,
      id,
      disabledReason: null,
      disabledAt: input.isEnabled ? null : timestamp,
      secrets: [sealed],
      rotationIds: [],
      hint: hintOf(secret),
      createdAt: timestamp,
      updatedAt: null,
    };

    const outcome = await this.#webhooks.create(endpoint);
    if (outcome === "exists") throw alreadyMade(id);
    if (outcome === "full")
      throw new AppError(
        "conflict",
        `An account can have ${MAX_ENDPOINTS} webhook endpoints. Delete one that you no longer need.`,
      );
    // From here on, the sender looks for events by itself.
    this.#later(this.#sender.nudge(accountEmail));
    return { endpoint, secret };
  }

  /** Returns the account's endpoints, oldest first; there are at most ten. */
  list(accountEmail: AccountEmail): Promise<readonly WebhookEndpoint[]> {
    return this.#webhooks.list(accountEmail);
  }

  /** Returns an endpoint. Throws `not-found` if the account has none with this id. */
  async get(accountEmail: AccountEmail, id: string): Promise<WebhookEndpoint> {
    const endpoint = await this.#webhooks.find(accountEmail, id);
    if (!endpoint) throw notFound("Webhook endpoint");
    return endpoint;
  }

  /**
   * Changes an endpoint; members that are absent stay as they are. Enabling it also forgets why it was disabled. Throws
   * `not-found`, and `validation-failed` for an address that must not be requested.
   */
  async update(
    accountEmail: AccountEmail,
    id: string,
    changes: Partial<EndpointInput>,
  ): Promise<WebhookEndpoint> {
    if (changes.url !== undefined) this.#requireReachable(changes.url);
    const timestamp = this.#clock.timestamp();
    const changed = await this.#webhooks.update(accountEmail, id, timestamp, (before) => {
      const after = { ...before, ...changes, updatedAt: timestamp };
      if (after.isEnabled) return { ...after, disabledReason: null, disabledAt: null };
      return before.isEnabled ? { ...after, disabledReason: null, disabledAt: timestamp } : after;
    });
    this.#later(this.#sender.nudge(accountEmail));
    return changed;
  }

  /** Deletes an endpoint and its log. Does nothing if there is none. */
  async remove(accountEmail: AccountEmail, id: string): Promise<void> {
    await this.#webhooks.remove(accountEmail, id, this.#clock.timestamp());
    // Even if it is gone: a first attempt may have ended before its log was removed.
    await this.#sender.wake(accountEmail);
  }

  /**
   * Gives an endpoint a new secret and returns it. For `overlapHours`, events are also signed with the previous one, so that
   * receivers can be changed one after the other. A repeat with the same `rotationId` returns the secret of the first call. Throws
   * `not-found`, and `conflict` if that secret was replaced since, or if the endpoint has as many secrets as may sign.
   */
  async rotate(
    accountEmail: AccountEmail,
    id: string,
    overlapHours: number,
    rotationId: string | undefined,
  ): Promise<ShownEndpoint> {
    const made = await this.#newSecret({ accountEmail, id });
    const timestamp = this.#clock.timestamp();
    const now = this.#clock.now();
    const endsAt = now + overlapHours * HOUR_MS;
    const endpoint = await this.#webhooks.update(accountEmail, id, timestamp, (before) => {
      if (rotationId !== undefined && before.rotationIds.includes(rotationId)) return undefined;
      const previous = before.secrets
        .map((old) => ({ ...old, endsAt: Math.min(old.endsAt ?? endsAt, endsAt) }))
        .filter((old) => old.endsAt > now);
      // The oldest may be the one that receivers use, if the answers with the others were lost.
      if (previous.length >= MAX_SECRETS) throw tooManySecrets();
      return {
        ...before,
        secrets: [{ ...made.sealed, rotationId: rotationId ?? null }, ...previous],
        rotationIds: [...(rotationId === undefined ? [] : [rotationId]), ...before.rotationIds].slice(
          0,
          MAX_ROTATIONS,
        ),
        hint: hintOf(made.secret),
        updatedAt: timestamp,
      };
    });
    const [current] = endpoint.secrets;
    if (current?.sealed === made.sealed.sealed) return { endpoint, secret: made.secret };
    return { endpoint, secret: await this.#secretOf(endpoint, rotationId) };
  }

  /** Returns the current secret if it is of this rotation. Throws `conflict` if it is not. */
  async #secretOf(endpoint: WebhookEndpoint, rotationId: string | undefined): Promise<string> {
    const [current] = endpoint.secrets;
    const opened = current && current.rotationId === rotationId ? [current] : [];
    const [secret] = await openSecrets(this.#vault, { ...endpoint, secrets: opened }, this.#clock.now());
    if (secret === undefined)
      throw new AppError(
        "conflict",
        "The secret of this rotation was replaced since. Rotate again with another idempotency key if you do not have the current one.",
      );
    return secret;
  }

  /** Sends a test event to an enabled endpoint and returns the event's id. Throws `not-found`, and `conflict` if it is disabled. */
  async test(accountEmail: AccountEmail, id: string): Promise<string> {
    await this.#requireEnabled(accountEmail, id);
    const event = newEvent(TEST_EVENT, { webhook_id: id }, this.#clock);
    await this.#sender.send(accountEmail, id, event);
    return event.id;
  }

  /**
   * Returns a page of an endpoint's deliveries, newest first. Throws `not-found`, and `malformed-request` for a cursor of another
   * list.
   */
  async deliveries(
    accountEmail: AccountEmail,
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<DeliveryList> {
    await this.get(accountEmail, id);
    const cursorScope = `deliveries of ${accountEmail} to ${id}`;
    const before = await this.#cursors.read(cursorScope, cursor);
    const { items, next } = await this.#sender.list(
      accountEmail,
      id,
      limit,
      before === undefined ? undefined : Number(before),
    );
    return {
      items,
      nextCursor: next === null ? null : await this.#cursors.write(cursorScope, String(next)),
    };
  }

  /** Returns a delivery with its attempts. Throws `not-found` if the endpoint or the delivery does not exist. */
  async delivery(accountEmail: AccountEmail, id: string, eventId: string): Promise<DeliveryDetails> {
    await this.get(accountEmail, id);
    return this.#sender.get(accountEmail, id, eventId);
  }

  /** Delivers an event again, with all retries. Throws `not-found`, and `conflict` if the endpoint is disabled. */
  async redeliver(accountEmail: AccountEmail, id: string, eventId: string): Promise<DeliveryDetails> {
    await this.#requireEnabled(accountEmail, id);
    return this.#sender.redeliver(accountEmail, id, eventId);
  }

  async #requireEnabled(accountEmail: AccountEmail, id: string): Promise<void> {
    const { isEnabled } = await this.get(accountEmail, id);
    if (!isEnabled) throw new AppError("conflict", "This webhook endpoint is disabled. Enable it first.");
  }

  async #newSecret(
    owner: Pick<WebhookEndpoint, "accountEmail" | "id">,
  ): Promise<{ readonly secret: string; readonly sealed: SealedSecret }> {
    const secret = newSecret();
    return {
      secret,
      sealed: { sealed: await sealSecret(this.#vault, owner, secret), endsAt: null, rotationId: null },
    };
  }

  /** SSRF: the address is checked again at each attempt, with the addresses that its host has then. */
  #requireReachable(url: string): void {
    const reason = outOfBounds(url, this.#policy);
    if (reason)
      throw invalidInput("json", [
        { path: ["url"], message: `url can't be used. ${OUT_OF_BOUNDS[reason]}`, code: "custom" },
      ]);
  }
}

const tooManySecrets = (): AppError =>
  new AppError(
    "conflict",
    `${MAX_SECRETS} secrets sign for this endpoint already. Wait until the time of one is over, or end all but the new one with an overlap_hours of 0.`,
  );
