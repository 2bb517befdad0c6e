import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { AppError } from "../shared/errors.ts";
import { flag, maps, optionalNumber, optionalText, text, texts } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { EVENT_TYPES, type EventType } from "./event-model.ts";

/** Why the service has disabled an endpoint: it answered with 410, or nothing was delivered to it for days. */
export type DisabledReason = "gone" | "failing";

/** A signing secret as it is stored. */
export interface SealedSecret {
  /** Encrypted for the account and the endpoint. */
  readonly sealed: string;
  /** Until when it also signs, in milliseconds since the epoch; null for the current secret. */
  readonly endsAt: number | null;
  /** The rotation that made it, if its request had an idempotency key. */
  readonly rotationId: string | null;
}

/** An address to which an account's events are delivered. */
export interface WebhookEndpoint {
  readonly accountEmail: AccountEmail;
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly EventType[];
  readonly isEnabled: boolean;
  /** Null if it is enabled, or if its owner has disabled it. */
  readonly disabledReason: DisabledReason | null;
  readonly disabledAt: string | null;
  /** The current secret first. */
  readonly secrets: readonly SealedSecret[];
  /** The latest rotations with an idempotency key, newest first, those whose secrets have ended among them. */
  readonly rotationIds: readonly string[];
  /** The first and the last characters of the current secret, to tell secrets apart by. */
  readonly hint: string;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** The most endpoints of one account. */
export const MAX_ENDPOINTS = 10;

export const ENDPOINT_PREFIX = "WebhookEndpoint#";

export const endpointKey = (accountEmail: AccountEmail, id: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${ENDPOINT_PREFIX}${id}`,
});

export const endpointItem = (endpoint: WebhookEndpoint): Item => ({
  ...endpointKey(endpoint.accountEmail, endpoint.id),
  entity_type: "WebhookEndpoint",
  webhook_id: endpoint.id,
  url: endpoint.url,
  description: endpoint.description,
  event_types: endpoint.events,
  enabled: endpoint.isEnabled,
  disabled_reason: endpoint.disabledReason,
  disabled_at: endpoint.disabledAt,
  signing_secrets: endpoint.secrets.map(({ sealed, endsAt, rotationId }) => ({
    sealed,
    ends_at: endsAt,
    ...(rotationId !== null && { rotation_id: rotationId }),
  })),
  ...(endpoint.rotationIds.length > 0 && { rotation_ids: endpoint.rotationIds }),
  secret_hint: endpoint.hint,
  created_by: endpoint.accountEmail,
  created_at: endpoint.createdAt,
  updated_at: endpoint.updatedAt,
});

export function endpointFrom(item: Item): WebhookEndpoint {
  const reason = item["disabled_reason"];
  return {
    accountEmail: accountEmailOf(text(item, "created_by")),
    id: text(item, "webhook_id"),
    url: text(item, "url"),
    description: optionalText(item, "description"),
    events: EVENT_TYPES.filter((type) => texts(item, "event_types").includes(type)),
    isEnabled: flag(item, "enabled"),
    disabledReason: reason === "gone" || reason === "failing" ? reason : null,
    disabledAt: optionalText(item, "disabled_at"),
    secrets: maps(item, "signing_secrets").map((secret) => ({
      sealed: text(secret, "sealed"),
      endsAt: optionalNumber(secret, "ends_at") ?? null,
      rotationId: optionalText(secret, "rotation_id"),
    })),
    rotationIds: texts(item, "rotation_ids"),
    hint: text(item, "secret_hint"),
    createdAt: text(item, "created_at"),
    updatedAt: optionalText(item, "updated_at"),
  };
}

/** The error for a repeated creation: the secret was in the first answer. */
export const alreadyMade = (id: string): AppError =>
  new AppError(
    "conflict",
    "This webhook endpoint already exists, and its secret is shown only once. Rotate the secret to get a new one.",
    { extensions: { webhook_id: id } },
  );
