import * as z from "zod";
import type { Delivery, DeliveryDetails } from "./delivery-log.ts";
import type { WebhookEndpoint } from "./model.ts";

/** An endpoint in answers, without its secrets. */
export const WebhookView = z
  .object({
    webhook_id: z.string(),
    url: z.string(),
    description: z.string().nullable(),
    events: z.array(z.string()),
    enabled: z.boolean(),
    disabled_reason: z.enum(["gone", "failing"]).nullable(),
    disabled_at: z.string().nullable(),
    secret_hint: z.string(),
    previous_secret_expires_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "Webhook" });

/** A delivery in lists. */
export const DeliveryView = z
  .object({
    event_id: z.string(),
    type: z.string(),
    status: z.enum(["pending", "delivered", "failed"]),
    attempts: z.int(),
    next_attempt_at: z.string().nullable(),
    error: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: "WebhookDelivery" });

/** A delivery with its body and its attempts. */
export const DeliveryDetailsView = DeliveryView.extend({
  body: z.string(),
  attempt_log: z.array(
    z.object({
      number: z.int(),
      started_at: z.string(),
      http_status: z.int().nullable(),
      duration_ms: z.int(),
      error: z.string().nullable(),
    }),
  ),
}).meta({ id: "WebhookDeliveryDetails" });

export const toWebhookView = (endpoint: WebhookEndpoint): z.infer<typeof WebhookView> => ({
  webhook_id: endpoint.id,
  url: endpoint.url,
  description: endpoint.description,
  events: [...endpoint.events],
  enabled: endpoint.isEnabled,
  disabled_reason: endpoint.disabledReason,
  disabled_at: endpoint.disabledAt,
  secret_hint: endpoint.hint,
  previous_secret_expires_at: lastEndOf(endpoint),
  created_at: endpoint.createdAt,
  updated_at: endpoint.updatedAt,
});

export const toDeliveryView = (delivery: Delivery): z.infer<typeof DeliveryView> => ({
  event_id: delivery.eventId,
  type: delivery.type,
  status: delivery.state,
  attempts: delivery.attempts,
  next_attempt_at: delivery.nextAt === null ? null : timeText(delivery.nextAt),
  error: delivery.error,
  created_at: timeText(delivery.queuedAt),
});

export const toDeliveryDetailsView = (delivery: DeliveryDetails): z.infer<typeof DeliveryDetailsView> => ({
  ...toDeliveryView(delivery),
  body: delivery.body,
  attempt_log: delivery.log.map(({ number, at, status, durationMs, error }) => ({
    number,
    started_at: timeText(at),
    http_status: status,
    duration_ms: durationMs,
    error,
  })),
});

/** When the last previous secret stops signing; null if there is none. */
function lastEndOf({ secrets }: WebhookEndpoint): string | null {
  const ends = secrets.flatMap(({ endsAt }) => endsAt ?? []);
  return ends.length === 0 ? null : timeText(Math.max(...ends));
}

const timeText = (ms: number): string => new Date(ms).toISOString();
