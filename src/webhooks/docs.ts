import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const WEBHOOK = {
  webhook_id: EXAMPLE.webhookId,
  url: "https://hooks.example.com/agents",
  description: "Back end",
  events: ["run.completed", "run.failed"],
  enabled: true,
  disabled_reason: null,
  disabled_at: null,
  secret_hint: "whsec_…x7Qw=",
  previous_secret_expires_at: null,
  created_at: EXAMPLE.at,
  updated_at: null,
};

const SHOWN = { ...WEBHOOK, secret: "whsec_EXAMPLE0000000000000000000000000000000x7Qw=" };

const DELIVERY = {
  event_id: EXAMPLE.runId,
  type: "run.completed",
  status: "delivered",
  attempts: 1,
  next_attempt_at: null,
  error: null,
  created_at: EXAMPLE.later,
};

const DETAILS = {
  ...DELIVERY,
  body: `{"type":"run.completed","timestamp":"${EXAMPLE.later}","data":{"run_id":"${EXAMPLE.runId}"}}`,
  attempt_log: [{ number: 1, started_at: EXAMPLE.later, http_status: 204, duration_ms: 82, error: null }],
};

const RETRIED = { ...DETAILS, status: "pending", next_attempt_at: EXAMPLE.later };

/** The texts and examples of webhooks. */
export const webhookDocs: FeatureDocs = {
  operations: {
    createWebhook: {
      tag: "Webhooks",
      summary: "Create a webhook endpoint",
      description:
        "Has events of the account delivered to an address of yours by POST, signed as Standard Webhooks defines it. The answer has the `secret` for checking the signatures, which is shown only once. An account can have ten endpoints; one more is a 409. A repeat with the same `Idempotency-Key` is a 409 that names the `webhook_id`.",
      request: { url: WEBHOOK.url, events: WEBHOOK.events, description: WEBHOOK.description },
      answers: { 201: SHOWN },
      problems: ["conflict"],
    },
    listWebhooks: {
      tag: "Webhooks",
      summary: "List webhook endpoints, oldest first",
      description: "Lists all endpoints of the account, without their secrets. There is one page.",
      answers: { 200: examplePage(WEBHOOK) },
    },
    getWebhook: {
      tag: "Webhooks",
      summary: "Get a webhook endpoint",
      description:
        "Shows an endpoint without its secret. `disabled_reason` says why the service has disabled it.",
      answers: { 200: WEBHOOK },
      problems: ["not-found"],
    },
    updateWebhook: {
      tag: "Webhooks",
      summary: "Change, enable or disable a webhook endpoint",
      description:
        "Changes the members that are sent. Deliveries that wait end when the endpoint is disabled; enabling it does not repeat them. Events that happen meanwhile are not delivered to it.",
      request: { enabled: false },
      answers: { 200: { ...WEBHOOK, enabled: false, disabled_at: EXAMPLE.later, updated_at: EXAMPLE.later } },
      problems: ["not-found", "conflict"],
    },
    deleteWebhook: {
      tag: "Webhooks",
      summary: "Delete a webhook endpoint and its log",
      description:
        "Deliveries that wait are dropped. Deleting an endpoint that does not exist is a 204 as well.",
      problems: ["conflict"],
    },
    rotateWebhookSecret: {
      tag: "Webhooks",
      summary: "Replace the secret of a webhook endpoint",
      description:
        "Returns a new secret, which is shown only once. For `overlap_hours`, deliveries have signatures of the new and the previous secret, so that receivers can be changed one after the other. Send 0 if the previous secret has leaked. At most three secrets sign at the same time; one more is a 409. A repeat with the same `Idempotency-Key` returns the same secret, so that a lost answer costs nothing.",
      request: { overlap_hours: 24 },
      answers: {
        200: { ...SHOWN, previous_secret_expires_at: "2026-06-02T09:30:00.000Z", updated_at: EXAMPLE.at },
      },
      problems: ["not-found", "conflict"],
    },
    testWebhook: {
      tag: "Webhooks",
      summary: "Send a test event to a webhook endpoint",
      description:
        "Queues an event of the type `webhook.test`. What has come of it is in the log of deliveries under the `event_id`.",
      answers: { 202: { event_id: EXAMPLE.runId } },
      problems: ["not-found", "conflict"],
    },
    listWebhookDeliveries: {
      tag: "Webhooks",
      summary: "List deliveries to an endpoint, newest first",
      description:
        "Lists what was delivered, what has failed and what is still tried. Deliveries that have ended are kept for 14 days, at most 10,000 of an account.",
      answers: { 200: examplePage(DELIVERY) },
      problems: ["not-found", "malformed-request"],
    },
    getWebhookDelivery: {
      tag: "Webhooks",
      summary: "Get a delivery with its attempts",
      description:
        "Shows the body as it is sent, and each attempt with its status, duration and error. What the receiver answers is not stored.",
      answers: { 200: DETAILS },
      problems: ["not-found"],
    },
    redeliverWebhook: {
      tag: "Webhooks",
      summary: "Deliver an event again",
      description:
        "Sends the same event with the same `webhook-id` again, at once and with all retries. The endpoint has to be enabled.",
      answers: { 202: RETRIED },
      problems: ["not-found", "conflict"],
    },
  },
  schemas: {
    Webhook: {
      description: "An address to which events of the account are delivered.",
      fields: {
        url: "The address. It has to begin with https:// and to name a public host.",
        events: "The types of events that are delivered to it.",
        enabled: "Whether events are delivered to it.",
        disabled_reason:
          "Why the service has disabled it: `gone` because it answered with 410, `failing` because nothing was delivered for five days. Null otherwise.",
        disabled_at: {
          description: "When it was disabled (UTC); null if it is enabled.",
          format: "date-time",
        },
        secret_hint: "The beginning and the end of the current secret.",
        previous_secret_expires_at: {
          description: "Until when a previous secret also signs (UTC); null if none does.",
          format: "date-time",
        },
      },
    },
    ShownWebhook: {
      description: "An endpoint with its new secret.",
      like: "Webhook",
      fields: { secret: "The secret for checking signatures. It is shown only in this answer." },
    },
    NewWebhook: {
      description: "An endpoint to create.",
      like: "Webhook",
      fields: { description: "What it is for, at most 200 characters." },
    },
    WebhookChanges: {
      description: "Changes of an endpoint. Absent members stay as they are.",
      like: "Webhook",
      fields: { description: "What it is for, at most 200 characters; null for nothing." },
    },
    SecretRotation: {
      description: "How the secret is replaced.",
      fields: {
        overlap_hours: "For how many hours the previous secret also signs, 0 to 168; 24 by default.",
      },
    },
    WebhookTest: { description: "The test event that was queued." },
    WebhookDelivery: {
      description: "An event on its way to an endpoint.",
      fields: {
        type: "The type of the event.",
        status:
          "`pending` while it is tried, `delivered` after an answer with 2xx, and `failed` after the last attempt.",
        attempts: "How many attempts were made.",
        next_attempt_at: {
          description: "When the next attempt is made (UTC); null if none is planned.",
          format: "date-time",
        },
        error: "Why the last attempt has failed; null if it has not.",
      },
    },
    WebhookDeliveryDetails: {
      description: "A delivery with its body and its attempts.",
      like: "WebhookDelivery",
      fields: {
        body: "The body, as it is sent and signed.",
        attempt_log: "The attempts, oldest first; the last 50 of them.",
        "attempt_log.number": "The number of the attempt, from 1 on.",
        "attempt_log.started_at": { description: "When it was made (UTC).", format: "date-time" },
        "attempt_log.http_status": "The status of the answer; null if there was none.",
        "attempt_log.duration_ms": "How long it took, in milliseconds.",
        "attempt_log.error": "Why it has failed; null if it has not.",
      },
    },
  },
};
