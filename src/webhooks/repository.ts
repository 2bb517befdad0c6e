import type { AccountEmail } from "../shared/id-types.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, all, any, type Condition, differs, equals, present } from "../table/expressions.ts";
import { optionalCount, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import {
  eventFrom,
  outboxKey,
  recordEvent,
  WEBHOOK_PREFIX,
  type WantedEvents,
  wantedEventsFrom,
  wantedEventsKey,
  type WebhookEvent,
} from "./event-model.ts";
import {
  ENDPOINT_PREFIX,
  endpointFrom,
  endpointItem,
  type DisabledReason,
  endpointKey,
  MAX_ENDPOINTS,
  type WebhookEndpoint,
} from "./model.ts";

/** How often a change is attempted if others change the account's endpoints at the same time. */
const ATTEMPTS = 5;
/** Items that one query of `pending` reads at most. */
const PENDING_ITEMS = 500;

/** What an account's sender has to do. */
export interface PendingEvents {
  readonly endpoints: readonly WebhookEndpoint[];
  /** Oldest first. */
  readonly events: readonly WebhookEvent[];
  /** Whether the outbox has more events than one query reads. */
  readonly hasMore: boolean;
}

/** A change of an account's endpoints: the one to write, and the condition on its stored item. */
interface EndpointWrite {
  readonly action: WriteAction;
  /** All endpoints of the account after the write. */
  readonly after: readonly WebhookEndpoint[];
}

/**
 * Stores webhook endpoints, and events until the account's sender has fetched them. Which events the endpoints want is stored in an
 * item of its own, which every change of an endpoint writes in the same transaction.
 */
export class WebhookRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the account's endpoints, oldest first; there are at most ten. */
  async list(accountEmail: AccountEmail): Promise<readonly WebhookEndpoint[]> {
    const items = await this.#table.query(userPartition(accountEmail), {
      range: { beginsWith: ENDPOINT_PREFIX },
    });
    return items.map(endpointFrom);
  }

  /** Returns an endpoint, or `undefined` if the account has none with this id. */
  async find(accountEmail: AccountEmail, id: string): Promise<WebhookEndpoint | undefined> {
    const item = await this.#table.get(endpointKey(accountEmail, id));
    return item && endpointFrom(item);
  }

  /** Stores a new endpoint. Returns `exists` if its id is taken, and `full` if the account has the most endpoints already. */
  async create(endpoint: WebhookEndpoint): Promise<"created" | "exists" | "full"> {
    const { accountEmail, id } = endpoint;
    const outcome = await this.#write<"exists" | "full">(accountEmail, endpoint.createdAt, (before) => {
      if (before.some((known) => known.id === id)) return "exists";
      if (before.length >= MAX_ENDPOINTS) return "full";
      return {
        action: { put: endpointItem(endpoint), if: absent("pk") },
        after: [...before, endpoint],
      };
    });
    return outcome === "written" ? "created" : outcome;
  }

  /**
   * Replaces an endpoint by what `change` returns for it; `undefined` leaves it as it is. Returns the endpoint as it is stored then.
   * Throws `not-found` if the account has none with this id, and `conflict` if it is changed concurrently again and again.
   */
  async update(
    accountEmail: AccountEmail,
    id: string,
    timestamp: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | undefined,
  ): Promise<WebhookEndpoint> {
    let changed: WebhookEndpoint | undefined;
    await this.#change(accountEmail, id, timestamp, (endpoint) => {
      const next = change(endpoint);
      changed = next ?? endpoint;
      return next;
    });
    if (!changed) throw notFound("Webhook endpoint");
    return changed;
  }

  /**
   * Disables an enabled endpoint for a reason of the service. Returns false if it was deleted, is disabled already or has another
   * address now.
   */
  async disable(
    { accountEmail, id, url }: Pick<WebhookEndpoint, "accountEmail" | "id" | "url">,
    reason: DisabledReason,
    timestamp: string,
  ): Promise<boolean> {
    const outcome = await this.#change(accountEmail, id, timestamp, (endpoint) =>
      // The reason does not hold for an address that was entered meanwhile.
      endpoint.isEnabled && endpoint.url === url
        ? {
            ...endpoint,
            isEnabled: false,
            disabledReason: reason,
            disabledAt: timestamp,
            updatedAt: timestamp,
          }
        : undefined,
    );
    return outcome === "written";
  }

  /** Removes an endpoint. Returns false if there is none. */
  async remove(accountEmail: AccountEmail, id: string, timestamp: string): Promise<boolean> {
    const outcome = await this.#write<"absent">(accountEmail, timestamp, (before) => {
      const known = before.find((endpoint) => endpoint.id === id);
      if (!known) return "absent";
      return {
        action: { remove: endpointKey(accountEmail, id), if: unchangedSince(known) },
        after: before.filter((endpoint) => endpoint.id !== id),
      };
    });
    return outcome === "written";
  }

  /** Returns which events the account's enabled endpoints want. */
  async wanted(accountEmail: AccountEmail): Promise<WantedEvents> {
    return wantedEventsFrom(await this.#table.get(wantedEventsKey(accountEmail)));
  }

  /**
   * Records an event once per month and name: the first caller records it. The item under `key` keeps the month; without that item,
   * nothing is recorded. Returns whether this call has recorded the event.
   */
  async noticeOnce(
    accountEmail: AccountEmail,
    { key, name, month }: { readonly key: Key; readonly name: string; readonly month: string },
    event: WebhookEvent,
  ): Promise<boolean> {
    const isNew = all(present("pk"), any(absent(name), differs(name, month)));
    return this.#table.tryTransact([
      { update: key, changes: { set: { [name]: month } }, if: isNew },
      recordEvent(accountEmail, event),
    ]);
  }

  /** Returns the account's endpoints and the oldest recorded events, in one query. */
  async pending(accountEmail: AccountEmail): Promise<PendingEvents> {
    const { items, next } = await this.#table.queryPage(userPartition(accountEmail), {
      range: { beginsWith: WEBHOOK_PREFIX },
      limit: PENDING_ITEMS,
    });
    return {
      endpoints: items.filter(isEndpoint).map(endpointFrom),
      events: items.filter((item) => !isEndpoint(item)).flatMap((item) => eventFrom(item) ?? []),
      hasMore: next !== undefined,
    };
  }

  /** Removes recorded events that the sender has queued. */
  async removeEvents(accountEmail: AccountEmail, events: readonly WebhookEvent[]): Promise<void> {
    await this.#table.batchWrite(events.map(({ id }) => ({ remove: outboxKey(accountEmail, id) })));
  }

  #change(
    accountEmail: AccountEmail,
    id: string,
    timestamp: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | undefined,
  ): Promise<"written" | "absent" | "unchanged"> {
    return this.#write<"absent" | "unchanged">(accountEmail, timestamp, (before) => {
      const known = before.find((endpoint) => endpoint.id === id);
      if (!known) return "absent";
      const next = change(known);
      if (!next) return "unchanged";
      return {
        action: { put: endpointItem(next), if: unchangedSince(known) },
        after: before.map((endpoint) => (endpoint.id === id ? next : endpoint)),
      };
    });
  }

  /** Writes an endpoint and which events are wanted then. Reads both first, and again if they have changed since. */
  async #write<Refused extends string>(
    accountEmail: AccountEmail,
    timestamp: string,
    plan: (before: readonly WebhookEndpoint[]) => EndpointWrite | Refused,
  ): Promise<"written" | Refused> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // The version first: an endpoint that is written in between is then noticed.
      const wanted = await this.#table.get(wantedEventsKey(accountEmail));
      const planned = plan(await this.list(accountEmail));
      if (typeof planned === "string") return planned;

      const version = wanted && optionalCount(wanted, "version");
      const isWritten = await this.#table.tryTransact([
        planned.action,
        wantedWrite(accountEmail, planned.after, version, timestamp),
      ]);
      if (isWritten) return "written";
    }
    throw new AppError(
      "conflict",
      "Your webhook endpoints are being changed concurrently. Please try again.",
      {
        retryable: true,
        retryAfter: 1,
      },
    );
  }
}

const isEndpoint = (item: Item): boolean => text(item, "sk").startsWith(ENDPOINT_PREFIX);

/** Endpoints are changed as a whole, so the last change identifies a state. */
const unchangedSince = ({ updatedAt, isEnabled }: WebhookEndpoint): Condition =>
  all(present("pk"), equals("updated_at", updatedAt), equals("enabled", isEnabled));

function wantedWrite(
  accountEmail: AccountEmail,
  endpoints: readonly WebhookEndpoint[],
  version: number | undefined,
  timestamp: string,
): WriteAction {
  const enabled = endpoints.filter(({ isEnabled }) => isEnabled);
  return {
    update: wantedEventsKey(accountEmail),
    changes: {
      set: {
        event_types: [...new Set(enabled.flatMap(({ events }) => events))],
        endpoint_count: endpoints.length,
        version: (version ?? 0) + 1,
        updated_at: timestamp,
      },
      setIfAbsent: { entity_type: "WantedWebhookEvents", user_email: accountEmail },
    },
    if: version === undefined ? absent("version") : equals("version", version),
  };
}
