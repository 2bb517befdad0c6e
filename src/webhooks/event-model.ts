import type { AccountEmail } from "../shared/id-types.ts";
import type { Clock } from "../shared/clock.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { WriteAction } from "../table/requests.ts";
import { map, text, texts } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** The events that an endpoint may ask for. */
export const EVENT_TYPES = [
  "run.completed",
  "run.failed",
  "run.cancelled",
  "approval.requested",
  "memory.changed",
  "usage.threshold_reached",
  "end_user.deleted",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The type of the event that `POST /webhooks/{webhook_id}/test` sends. No endpoint has to ask for it. */
export const TEST_EVENT = "webhook.test";

/** Members of an event's `data`. Privacy: ids, names and numbers only, never what people or models have written. */
export type EventData = { readonly [name: string]: string | number | boolean | null | EventData };

/** Something that has happened in an account. */
export interface WebhookEvent {
  /** Also the `webhook-id` of all its deliveries, by which receivers recognise repeats. */
  readonly id: string;
  readonly type: EventType | typeof TEST_EVENT;
  /** When it happened, in the stored form. */
  readonly createdAt: string;
  readonly data: EventData;
}

/** An outbox item that the account's sender never fetches, because the last endpoint is gone, expires after this time. */
const OUTBOX_MS = 3 * DAY_MS;

/** Endpoints and the outbox have adjacent sort keys, so that the sender reads both in one query. */
export const WEBHOOK_PREFIX = "Webhook";
const OUTBOX_PREFIX = "WebhookOutbox#";

/**
 * The key of the item that says which events an account's endpoints want. A turn reads it without another request: its sort key
 * lies between those that decide the plan.
 */
export const wantedEventsKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "TurnWebhooks",
});

/** Which events the enabled endpoints of an account want. */
export interface WantedEvents {
  readonly types: readonly string[];
  /** The month (`2026-01`) in which a notice of usage was last recorded, by the notice's name. */
  readonly noticed: Item;
}

/** What an account without endpoints wants. */
const NO_EVENTS: WantedEvents = { types: [], noticed: {} };

export const wantedEventsFrom = (item: Item | undefined): WantedEvents =>
  item ? { types: texts(item, "event_types"), noticed: item } : NO_EVENTS;

/** Returns which events are wanted, from items of the account's partition, others among them. */
export const wantedEventsIn = (items: readonly Item[]): WantedEvents =>
  wantedEventsFrom(items.find(({ sk }) => sk === "TurnWebhooks"));

/** Creates an event. */
export const newEvent = (type: WebhookEvent["type"], data: EventData, clock: Clock): WebhookEvent => ({
  id: newId(clock.now()),
  type,
  createdAt: clock.timestamp(),
  data,
});

export const outboxKey = (accountEmail: AccountEmail, eventId: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${OUTBOX_PREFIX}${eventId}`,
});

/**
 * Returns the write that records an event. It belongs into the transaction that causes the event, so that there is neither
 * without the other. It has no condition: no other event has its id.
 */
export const recordEvent = (accountEmail: AccountEmail, event: WebhookEvent): WriteAction => ({
  put: {
    ...outboxKey(accountEmail, event.id),
    entity_type: "WebhookOutbox",
    event_id: event.id,
    event_type: event.type,
    event_data: event.data,
    created_at: event.createdAt,
    ttl: ttlAfter(Date.parse(event.createdAt), OUTBOX_MS),
  },
});

/** Reads a recorded event, or returns `undefined` for an item of another kind. */
export function eventFrom(item: Item): WebhookEvent | undefined {
  const type = EVENT_TYPES.find((known) => known === item["event_type"]);
  const data = map(item, "event_data");
  if (!type || !data) return undefined;
  // Written by `recordEvent`.
  return { id: text(item, "event_id"), type, createdAt: text(item, "created_at"), data: data as EventData };
}

/** Returns the body of an event's deliveries. It stays the same, so that every attempt has the same bytes. */
export const bodyOf = ({ type, createdAt, data }: WebhookEvent): string =>
  JSON.stringify({ type, timestamp: createdAt, data });
