import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { written, writtenAs } from "../access/written.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, blankAsAbsent, Id, NormalizedOrigins, pageQuery } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { withoutUndefined } from "../shared/without-undefined.ts";
import type { KeySettings } from "./model.ts";
import { PublishableKeyReference, PublishableKeyView, toPublishableKeyView } from "./view.ts";

const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine(isOneLine, { error: rule("must be one line of text, without control characters.") });

const NewKey = z
  .strictObject({
    name: Name,
    allowed_origins: NormalizedOrigins.nullish().transform((origins) => origins ?? []),
    requires_sign_in: z
      .boolean()
      .nullish()
      .transform((requires) => requires ?? false),
  })
  .meta({ id: "NewPublishableKey" });

const KeyChanges = z
  .strictObject({
    name: blankAsAbsent(Name.optional()),
    allowed_origins: blankAsAbsent(NormalizedOrigins.optional()),
    is_active: blankAsAbsent(z.boolean().optional()),
    requires_sign_in: blankAsAbsent(z.boolean().optional()),
  })
  .meta({ id: "PublishableKeyChanges" });

const AgentParam = z.object({ agentId: AgentIdText });
const KeyParam = AgentParam.extend({ keyId: Id });

const WrittenKey = writtenAs(PublishableKeyView, PublishableKeyReference);

/** The publishable keys of an agent. The secret keys of an account have routes of their own, under `/api-keys`. */
export const publishableKeyRoutes = new Hono<AppEnv>()
  .post(
    "/:agentId/api-keys",
    operation("createPublishableKey", { 201: WrittenKey }),
    requireAccess("user", "agents:write"),
    validateAgentPath(AgentParam),
    validate("json", NewKey),
    idempotent,
    async (c) => {
      const { deps, scope, entityId } = c.var;
      const { agentId } = c.req.valid("param");
      const { name, allowed_origins: allowedOrigins, requires_sign_in: requiresSignIn } = c.req.valid("json");
      const settings: KeySettings = { name, allowedOrigins, requiresSignIn, isActive: true };
      const { accountEmail } = scope;
      const key = await deps.publishableKeyService.create(accountEmail, agentId, settings, entityId);
      return c.json(written(c, toPublishableKeyView(key), PublishableKeyReference), 201);
    },
  )
  .get(
    "/:agentId/api-keys",
    operation("listPublishableKeys", { 200: z.array(PublishableKeyView) }),
    requireAccess("user", "agents:read"),
    validateAgentPath(AgentParam),
    validate("query", pageQuery(100)),
    async (c) => {
      const { agentId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { accountEmail } = c.var.scope;
      const page = await c.var.deps.publishableKeyService.list(accountEmail, agentId, limit, cursor);
      if (page.nextCursor !== null) c.header("Next-Cursor", page.nextCursor);
      return c.json(page.items.map(toPublishableKeyView), 200);
    },
  )
  .get(
    "/:agentId/api-keys/:keyId",
    operation("getPublishableKey", { 200: PublishableKeyView }),
    requireAccess("user", "agents:read"),
    validateAgentPath(KeyParam),
    async (c) => {
      const { agentId, keyId } = c.req.valid("param");
      const key = await c.var.deps.publishableKeyService.get(c.var.scope.accountEmail, agentId, keyId);
      return c.json(toPublishableKeyView(key), 200);
    },
  )
  .patch(
    "/:agentId/api-keys/:keyId",
    operation("updatePublishableKey", { 200: WrittenKey }),
    requireAccess("user", "agents:write"),
    validateAgentPath(KeyParam),
    validate("json", KeyChanges),
    async (c) => {
      const { agentId, keyId } = c.req.valid("param");
      const { name, allowed_origins, is_active, requires_sign_in } = c.req.valid("json");
      const changes = withoutUndefined({
        name,
        allowedOrigins: allowed_origins,
        isActive: is_active,
        requiresSignIn: requires_sign_in,
      });
      const { accountEmail } = c.var.scope;
      const key = await c.var.deps.publishableKeyService.update(accountEmail, agentId, keyId, changes);
      return c.json(written(c, toPublishableKeyView(key), PublishableKeyReference), 200);
    },
  )
  .delete(
    "/:agentId/api-keys/:keyId",
    operation("deletePublishableKey", { 204: "empty" }),
    requireAccess("user", "agents:write"),
    validateAgentPath(KeyParam),
    async (c) => {
      const { agentId, keyId } = c.req.valid("param");
      await c.var.deps.publishableKeyService.remove(c.var.scope.accountEmail, agentId, keyId);
      return c.body(null, 204);
    },
  );
