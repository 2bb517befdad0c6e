import { Hono } from "hono";
import * as z from "zod";
import { endUserScope } from "../access/end-user-scope.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { AgentIdText, Id, blankAsAbsent, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { written, writtenAs } from "../access/written.ts";
import type { MemoryHit } from "../search/model.ts";
import {
  asOfField,
  EvidenceView,
  evidenceField,
  Moment,
  SearchParameters,
  criteriaFromQuery,
} from "../search/schemas.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { Content, OccurredAt } from "./archival-schemas.ts";
import type { ArchiveStatus } from "./archival-service.ts";
import { MemoryReference, MemoryView, toMemoryView } from "./archival-view.ts";

const BODY_LIMIT = 1024 * 1024;
const MAX_BATCH = 100;

const NewMemory = z
  .strictObject({ content: Content, occurred_at: blankAsAbsent(OccurredAt.optional()) })
  .meta({ id: "NewMemory" });

const NewMemories = z
  .strictObject({ items: z.array(NewMemory).min(1).max(MAX_BATCH) })
  .meta({ id: "NewMemories" });

const MemoryChanges = z
  .strictObject({
    content: Content.optional(),
    occurred_at: OccurredAt.nullable().optional(),
  })
  .meta({ id: "MemoryChanges" });

const StoredView = z
  .object({ items: z.array(z.object({ memory_id: z.string(), created: z.boolean() })) })
  .meta({ id: "StoredMemories" });

const FoundView = z
  .object({
    items: z.array(
      z.object({
        memory_id: z.string(),
        content: z.string(),
        created_at: z.string(),
        occurred_at: z.string().optional(),
        superseded_at: z.string().optional(),
        score: z.number(),
      }),
    ),
    total: z.number(),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    notes: z.array(z.string()),
    evidence: EvidenceView.optional(),
  })
  .meta({ id: "FoundMemories" });

const StatusView = z
  .object({
    memories: z.number(),
    indexed: z.number(),
    embedded: z.number(),
    model: z.string().nullable(),
    last_error: z.object({ message: z.string(), at: z.string() }).nullable(),
  })
  .meta({ id: "ArchivalMemoryStatus" });

const WrittenMemory = writtenAs(MemoryView, MemoryReference);

const AgentParam = z.object({ agentId: AgentIdText });
const MemoryParam = AgentParam.extend({ memoryId: Id });
const SearchQuery = pageQuery(10).extend({ ...SearchParameters.shape, as_of: Moment });

export const archivalRoutes = new Hono<AppEnv>()
  .post(
    "/:agentId/archival-memory",
    operation("createMemory", {
      200: WrittenMemory,
      201: WrittenMemory,
    }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "memory:write"),
    validateAgentPath(AgentParam),
    endUserScope,
    validate("json", NewMemory),
    idempotent,
    async (c) => {
      const { memory, created } = await c.var.deps.archivalService.insert(
        c.var.scope,
        c.req.valid("param").agentId,
        toInput(c.req.valid("json")),
      );
      return c.json(written(c, toMemoryView(memory), MemoryReference), created ? 201 : 200);
    },
  )
  .post(
    "/:agentId/archival-memory/batch",
    operation("createMemories", {
      200: StoredView,
    }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "memory:write"),
    validateAgentPath(AgentParam),
    endUserScope,
    validate("json", NewMemories),
    idempotent,
    async (c) => {
      const stored = await c.var.deps.archivalService.insertAll(
        c.var.scope,
        c.req.valid("param").agentId,
        c.req.valid("json").items.map(toInput),
      );
      const items = stored.map(({ memory, created }) => ({ memory_id: memory.id, created }));
      return c.json({ items }, 200);
    },
  )
  .get(
    "/:agentId/archival-memory",
    operation("listMemories", {
      200: pageOf(MemoryView),
    }),
    requireAccess("user", "memory:read"),
    validateAgentPath(AgentParam),
    endUserScope,
    validate("query", pageQuery(20)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { agentId } = c.req.valid("param");
      const page = await c.var.deps.archivalService.list(c.var.scope, agentId, limit, cursor);
      return c.json(toPage(page.items.map(toMemoryView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/archival-memory/search",
    operation("searchMemories", {
      200: FoundView,
    }),
    requireAccess("user", "memory:read"),
    limitBursts("costly"),
    validateAgentPath(AgentParam),
    endUserScope,
    validate("query", SearchQuery),
    async (c) => {
      const { limit, cursor, as_of: asOf, ...parameters } = c.req.valid("query");
      const criteria = { ...criteriaFromQuery(parameters), ...asOfField(asOf) };
      const { agentId } = c.req.valid("param");
      const found = await c.var.deps.archivalService.search(c.var.scope, agentId, criteria, limit, cursor);
      const page = { next_cursor: found.nextCursor, has_more: found.nextCursor !== null };
      return c.json(
        {
          items: found.hits.map(toHitView),
          total: found.total,
          ...page,
          notes: [...found.notes],
          ...evidenceField(found.evidence),
        },
        200,
      );
    },
  )
  .get(
    "/:agentId/archival-memory/status",
    operation("getMemoryStatus", {
      200: StatusView,
    }),
    // Before the handler, which may have to store the number of memories.
    requireAccess("user", "memory:read", { account: "before" }),
    limitBursts("costly"),
    validateAgentPath(AgentParam),
    endUserScope,
    async (c) => {
      const { agentId } = c.req.valid("param");
      return c.json(toStatusView(await c.var.deps.archivalService.status(c.var.scope, agentId)), 200);
    },
  )
  .get(
    "/:agentId/archival-memory/:memoryId",
    operation("getMemory", { 200: MemoryView }),
    requireAccess("user", "memory:read"),
    validateAgentPath(MemoryParam),
    endUserScope,
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      return c.json(toMemoryView(await c.var.deps.archivalService.get(c.var.scope, agentId, memoryId)), 200);
    },
  )
  .patch(
    "/:agentId/archival-memory/:memoryId",
    operation("updateMemory", { 200: WrittenMemory }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "memory:write"),
    validateAgentPath(MemoryParam),
    endUserScope,
    validate("json", MemoryChanges),
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      const { content, occurred_at: occurredAt } = c.req.valid("json");
      const memory = await c.var.deps.archivalService.update(c.var.scope, agentId, memoryId, {
        ...(content !== undefined && { content }),
        ...(occurredAt !== undefined && { occurredAt }),
      });
      return c.json(written(c, toMemoryView(memory), MemoryReference), 200);
    },
  )
  .delete(
    "/:agentId/archival-memory/:memoryId",
    operation("deleteMemory", { 204: "empty" }),
    requireAccess("user", "memory:write"),
    validateAgentPath(MemoryParam),
    endUserScope,
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      await c.var.deps.archivalService.remove(c.var.scope, agentId, memoryId);
      return c.body(null, 204);
    },
  );

const toInput = ({ content, occurred_at }: z.infer<typeof NewMemory>) => ({
  content,
  occurredAt: occurred_at ?? null,
});

const toStatusView = ({ memories, indexed, embedded, model, lastError }: ArchiveStatus) => ({
  memories,
  indexed,
  embedded,
  model,
  last_error: lastError && { message: lastError.message, at: formatTimestamp(lastError.at) },
});

const toHitView = ({ memoryId, content, createdAt, occurredAt, supersededAt, score }: MemoryHit) => ({
  memory_id: memoryId,
  content,
  created_at: createdAt,
  ...(occurredAt !== null && { occurred_at: occurredAt }),
  ...(supersededAt !== undefined && { superseded_at: supersededAt }),
  score,
});
