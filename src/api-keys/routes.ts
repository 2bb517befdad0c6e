import { Hono } from "hono";
import * as z from "zod";
import { SCOPES } from "../access/caller.ts";
import { idempotentSecret } from "../idempotency/middleware.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { AgentIdText, Id, blankAsAbsent, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { alreadyMade } from "./model.ts";
import { ApiKeyView, toApiKeyView } from "./view.ts";

const MAX_AGENTS = 50;

const NewApiKey = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine(isOneLine, { error: rule("must be one line of text, without control characters.") }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .transform((scopes) => [...new Set(scopes)]),
    agent_ids: blankAsAbsent(
      z
        .array(AgentIdText)
        .min(1)
        .max(MAX_AGENTS)
        .transform((ids) => [...new Set(ids)])
        .optional(),
    ),
    expires_at: blankAsAbsent(z.iso.datetime({ offset: true }).max(40).optional()),
  })
  .meta({ id: "NewApiKey" });

const ShownApiKey = ApiKeyView.extend({
  secret: z.string(),
}).meta({ id: "ShownApiKey" });

export const apiKeyRoutes = new Hono<AppEnv>()
  .post(
    "/",
    operation("createApiKey", {
      201: ShownApiKey,
    }),
    requireAccess("user"),
    validate("json", NewApiKey),
    idempotentSecret(alreadyMade),
    async (c) => {
      const { name, scopes, agent_ids: agentIds, expires_at: expiresAt } = c.req.valid("json");
      const input = { name, scopes, agentIds: agentIds ?? null, expiresAt: expiresAt ?? null };
      const { deps, scope, entityId } = c.var;
      const { key, secret } = await deps.apiKeyService.create(scope.accountEmail, input, entityId);
      return c.json({ ...toApiKeyView(key), secret }, 201);
    },
  )
  .get(
    "/",
    operation("listApiKeys", { 200: pageOf(ApiKeyView) }),
    requireAccess("user"),
    validate("query", pageQuery(20)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.apiKeyService.list(c.var.scope.accountEmail, limit, cursor);
      return c.json(toPage(page.items.map(toApiKeyView), page.nextCursor), 200);
    },
  )
  .delete(
    "/:keyId",
    operation("revokeApiKey", { 204: "empty" }),
    requireAccess("user"),
    validate("param", z.object({ keyId: Id })),
    async (c) => {
      await c.var.deps.apiKeyService.revoke(c.var.scope.accountEmail, c.req.valid("param").keyId);
      return c.body(null, 204);
    },
  );
