import * as z from "zod";
import { SCOPES } from "../auth/caller.ts";
import { idempotentSecret } from "../http/middleware/idempotent.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { alreadyMade, type ApiKey } from "./model.ts";

const MAX_AGENTS = 50;

const NewApiKey = z
  .object({
    name: z.string().trim().min(1).max(100),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .transform((scopes) => [...new Set(scopes)]),
    agent_ids: blankAsAbsent(
      z
        .array(Id)
        .min(1)
        .max(MAX_AGENTS)
        .transform((ids) => [...new Set(ids)])
        .optional(),
    ).describe("The only agents in reach; all where it is absent."),
    expires_at: blankAsAbsent(z.iso.datetime({ offset: true }).max(40).optional()),
  })
  .meta({ id: "NewApiKey" });

const ApiKeyView = z
  .object({
    key_id: z.string(),
    name: z.string(),
    hint: z.string().describe("How the secret begins and ends."),
    scopes: z.array(z.string()),
    agent_ids: z.array(z.string()).nullable(),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable().describe("To the hour."),
    revoked_at: z.string().nullable(),
  })
  .meta({ id: "ApiKey" });

const ShownApiKey = ApiKeyView.extend({
  secret: z.string().describe("Shown this once."),
}).meta({ id: "ShownApiKey" });

const toView = (key: ApiKey): z.infer<typeof ApiKeyView> => ({
  key_id: key.id,
  name: key.name,
  hint: `dab_…${key.lastFour}`,
  scopes: [...key.scopes],
  agent_ids: key.agentIds && [...key.agentIds],
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  last_used_at: key.lastUsedAt,
  revoked_at: key.revokedAt,
});

export const apiKeyRoutes = userRouter()
  .post(
    "/",
    operation(
      "createApiKey",
      "Make a key for a program; its secret is shown this once",
      { 201: ShownApiKey },
      { access: ["user"] },
    ),
    validate("json", NewApiKey),
    idempotentSecret(alreadyMade),
    async (c) => {
      const { name, scopes, agent_ids: agentIds, expires_at: expiresAt } = c.req.valid("json");
      const input = { name, scopes, agentIds: agentIds ?? null, expiresAt: expiresAt ?? null };
      const { deps, space, entityId } = c.var;
      const { key, secret } = await deps.apiKeys.create(space.owner, input, entityId);
      return c.json({ ...toView(key), secret }, 201);
    },
  )
  .get(
    "/",
    operation(
      "listApiKeys",
      "The keys of the account, newest first",
      { 200: pageOf(ApiKeyView) },
      { access: ["user"] },
    ),
    validate("query", pageQuery(20)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.apiKeys.list(c.var.space.owner, limit, cursor);
      return c.json(toPage(page.items.map(toView), page.nextCursor), 200);
    },
  )
  .delete(
    "/:keyId",
    operation(
      "revokeApiKey",
      "Revoke a key: no request that comes after it gets in",
      { 204: "empty" },
      { access: ["user"] },
    ),
    validate("param", z.object({ keyId: Id })),
    async (c) => {
      await c.var.deps.apiKeys.revoke(c.var.space.owner, c.req.valid("param").keyId);
      return c.body(null, 204);
    },
  );
