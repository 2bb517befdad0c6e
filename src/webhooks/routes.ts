import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../access/env.ts";
import { limitBursts } from "../access/burst-limit.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage, wholeNumber } from "../http/schemas.ts";
import { validate, validateOptionalBody } from "../http/validate.ts";
import { idempotentById, idempotentSecret } from "../idempotency/middleware.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { EVENT_TYPES } from "./event-model.ts";
import { alreadyMade } from "./model.ts";
import {
  DeliveryDetailsView,
  DeliveryView,
  toDeliveryDetailsView,
  toDeliveryView,
  toWebhookView,
  WebhookView,
} from "./view.ts";

/** How long the previous secret signs after a rotation, in hours: a day by default, and at most a week. */
const OVERLAP_HOURS = 24;
const MAX_OVERLAP_HOURS = 7 * 24;

const Url = z.string().trim().min(1).max(2_000);
const Description = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine(isOneLine, { error: rule("must be one line of text, without control characters.") });
const Events = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .transform((types) => [...new Set(types)]);

const NewWebhook = z
  .strictObject({
    url: Url,
    events: Events,
    description: blankAsAbsent(Description.optional()),
    enabled: blankAsAbsent(z.boolean().default(true)),
  })
  .meta({ id: "NewWebhook" });

const WebhookChanges = z
  .strictObject({
    url: blankAsAbsent(Url.optional()),
    events: blankAsAbsent(Events.optional()),
    description: Description.nullable().optional(),
    enabled: blankAsAbsent(z.boolean().optional()),
  })
  .meta({ id: "WebhookChanges" });

const Rotation = z
  .strictObject({
    overlap_hours: blankAsAbsent(wholeNumber(0, MAX_OVERLAP_HOURS).default(OVERLAP_HOURS)),
  })
  .meta({ id: "SecretRotation" });

const ShownWebhook = WebhookView.extend({ secret: z.string() }).meta({ id: "ShownWebhook" });

const TestSent = z.object({ event_id: z.string() }).meta({ id: "WebhookTest" });

const webhookPath = validate("param", z.object({ webhookId: Id }));
const deliveryPath = validate("param", z.object({ webhookId: Id, eventId: Id }));

export const webhookRoutes = new Hono<AppEnv>()
  .post(
    "/",
    operation("createWebhook", { 201: ShownWebhook }),
    requireAccess("user"),
    validate("json", NewWebhook),
    idempotentSecret(alreadyMade),
    async (c) => {
      const { url, events, description = null, enabled } = c.req.valid("json");
      const { deps, scope, entityId } = c.var;
      const input = { url, events, description, isEnabled: enabled };
      const { endpoint, secret } = await deps.webhookService.create(scope.accountEmail, input, entityId);
      return c.json({ ...toWebhookView(endpoint), secret }, 201);
    },
  )
  .get("/", operation("listWebhooks", { 200: pageOf(WebhookView) }), requireAccess("user"), async (c) => {
    const endpoints = await c.var.deps.webhookService.list(c.var.scope.accountEmail);
    return c.json(toPage(endpoints.map(toWebhookView), null), 200);
  })
  .get(
    "/:webhookId",
    operation("getWebhook", { 200: WebhookView }),
    requireAccess("user"),
    webhookPath,
    async (c) => {
      const { webhookId } = c.req.valid("param");
      const endpoint = await c.var.deps.webhookService.get(c.var.scope.accountEmail, webhookId);
      return c.json(toWebhookView(endpoint), 200);
    },
  )
  .patch(
    "/:webhookId",
    operation("updateWebhook", { 200: WebhookView }),
    requireAccess("user"),
    webhookPath,
    validate("json", WebhookChanges),
    async (c) => {
      const { webhookId } = c.req.valid("param");
      const { url, events, description, enabled } = c.req.valid("json");
      const changes = {
        ...(url !== undefined && { url }),
        ...(events !== undefined && { events }),
        ...(description !== undefined && { description }),
        ...(enabled !== undefined && { isEnabled: enabled }),
      };
      const { deps, scope } = c.var;
      const endpoint = await deps.webhookService.update(scope.accountEmail, webhookId, changes);
      return c.json(toWebhookView(endpoint), 200);
    },
  )
  .delete(
    "/:webhookId",
    operation("deleteWebhook", { 204: "empty" }),
    requireAccess("user"),
    webhookPath,
    async (c) => {
      await c.var.deps.webhookService.remove(c.var.scope.accountEmail, c.req.valid("param").webhookId);
      return c.body(null, 204);
    },
  )
  .post(
    "/:webhookId/rotate-secret",
    operation("rotateWebhookSecret", { 200: ShownWebhook }),
    requireAccess("user"),
    webhookPath,
    validateOptionalBody(Rotation),
    idempotentById,
    async (c) => {
      const { webhookId } = c.req.valid("param");
      const { overlap_hours } = c.req.valid("json");
      const { deps, scope } = c.var;
      const { endpoint, secret } = await deps.webhookService.rotate(
        scope.accountEmail,
        webhookId,
        overlap_hours,
        c.var.entityId,
      );
      return c.json({ ...toWebhookView(endpoint), secret }, 200);
    },
  )
  .post(
    "/:webhookId/test",
    operation("testWebhook", { 202: TestSent }),
    requireAccess("user"),
    limitBursts("costly"),
    webhookPath,
    async (c) => {
      const { webhookId } = c.req.valid("param");
      const eventId = await c.var.deps.webhookService.test(c.var.scope.accountEmail, webhookId);
      return c.json({ event_id: eventId }, 202);
    },
  )
  .get(
    "/:webhookId/deliveries",
    operation("listWebhookDeliveries", { 200: pageOf(DeliveryView) }),
    requireAccess("user"),
    webhookPath,
    validate("query", pageQuery(20)),
    async (c) => {
      const { webhookId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { deps, scope } = c.var;
      const page = await deps.webhookService.deliveries(scope.accountEmail, webhookId, limit, cursor);
      return c.json(toPage(page.items.map(toDeliveryView), page.nextCursor), 200);
    },
  )
  .get(
    "/:webhookId/deliveries/:eventId",
    operation("getWebhookDelivery", { 200: DeliveryDetailsView }),
    requireAccess("user"),
    deliveryPath,
    async (c) => {
      const { webhookId, eventId } = c.req.valid("param");
      const { deps, scope } = c.var;
      const delivery = await deps.webhookService.delivery(scope.accountEmail, webhookId, eventId);
      return c.json(toDeliveryDetailsView(delivery), 200);
    },
  )
  .post(
    "/:webhookId/deliveries/:eventId/redeliver",
    operation("redeliverWebhook", { 202: DeliveryDetailsView }),
    requireAccess("user"),
    limitBursts("costly"),
    deliveryPath,
    async (c) => {
      const { webhookId, eventId } = c.req.valid("param");
      const { deps, scope } = c.var;
      const delivery = await deps.webhookService.redeliver(scope.accountEmail, webhookId, eventId);
      return c.json(toDeliveryDetailsView(delivery), 202);
    },
  );
