import * as z from "zod";
import { endUserSpace } from "../http/middleware/end-user-space.ts";
import { idempotent } from "../http/middleware/idempotent.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import type { MemoryHit } from "../search/model.ts";
import { utf8Length } from "../shared/text.ts";
import { MAX_CONTENT_BYTES } from "./archival-model.ts";
import { MemoryView, toMemoryView } from "./archival-view.ts";

const BODY_LIMIT = 1024 * 1024;
/** A query is a question, not a document. */
const MAX_QUERY_CHARS = 20_000;
const MAX_BATCH = 100;

const Content = z
  .string()
  .refine((content) => content.trim() !== "", { error: "Must not be blank" })
  .refine((content) => utf8Length(content) <= MAX_CONTENT_BYTES, {
    error: `Has at most ${MAX_CONTENT_BYTES / 1024} KB`,
  });

/** A day, or a moment with or without an offset; kept as it was written. */
const OccurredAt = z.union([z.iso.date(), z.iso.datetime({ offset: true, local: true }).max(40)]);

const NewMemory = z
  .object({ content: Content, occurred_at: blankAsAbsent(OccurredAt.optional()) })
  .meta({ id: "NewMemory" });

const NewMemories = z.object({ items: z.array(NewMemory).min(1).max(MAX_BATCH) }).meta({ id: "NewMemories" });

const MemoryChanges = z
  .object({
    content: Content.optional(),
    occurred_at: OccurredAt.nullable().optional().describe("Null takes it away."),
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
        score: z.number(),
      }),
    ),
    total: z.number(),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    notes: z.array(z.string()).describe("Reasons, such as `nothing-stored` or `index-building`."),
  })
  .meta({ id: "FoundMemories" });

const AgentParam = z.object({ agentId: Id });
const MemoryParam = AgentParam.extend({ memoryId: Id });
const SearchQuery = pageQuery(10).extend({ query: z.string().max(MAX_QUERY_CHARS).default("") });

export const archivalRoutes = userRouter()
  .post(
    "/:agentId/archival-memory",
    operation(
      "createMemory",
      "Store a memory, or get the one that has its content",
      { 200: MemoryView, 201: MemoryView },
      { access: ["user", "memory:write"], bodyLimit: BODY_LIMIT },
    ),
    validate("param", AgentParam),
    endUserSpace,
    validate("json", NewMemory),
    idempotent,
    async (c) => {
      const { memory, created } = await c.var.deps.archivalService.insert(
        c.var.space,
        c.req.valid("param").agentId,
        toInput(c.req.valid("json")),
      );
      return c.json(toMemoryView(memory), created ? 201 : 200);
    },
  )
  .post(
    "/:agentId/archival-memory/batch",
    operation(
      "createMemories",
      "Store many memories; the answer is in the order of the request",
      { 200: StoredView },
      { access: ["user", "memory:write"], bodyLimit: BODY_LIMIT },
    ),
    validate("param", AgentParam),
    endUserSpace,
    validate("json", NewMemories),
    idempotent,
    async (c) => {
      const stored = await c.var.deps.archivalService.insertAll(
        c.var.space,
        c.req.valid("param").agentId,
        c.req.valid("json").items.map(toInput),
      );
      const items = stored.map(({ memory, created }) => ({ memory_id: memory.id, created }));
      return c.json({ items }, 200);
    },
  )
  .get(
    "/:agentId/archival-memory",
    operation(
      "listMemories",
      "What the agent has stored of the user, newest first",
      {
        200: pageOf(MemoryView),
      },
      { access: ["user", "memory:read"] },
    ),
    validate("param", AgentParam),
    endUserSpace,
    validate("query", pageQuery(20)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { agentId } = c.req.valid("param");
      const page = await c.var.deps.archivalService.list(c.var.space, agentId, limit, cursor);
      return c.json(toPage(page.items.map(toMemoryView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/archival-memory/search",
    operation(
      "searchMemories",
      "Search what the agent has stored, best first",
      { 200: FoundView },
      { access: ["user", "memory:read"], burst: "costly" },
    ),
    validate("param", AgentParam),
    endUserSpace,
    validate("query", SearchQuery),
    async (c) => {
      const { query, limit, cursor } = c.req.valid("query");
      const { agentId } = c.req.valid("param");
      const found = await c.var.deps.archivalService.search(c.var.space, agentId, query, limit, cursor);
      const page = { next_cursor: found.nextCursor, has_more: found.nextCursor !== null };
      return c.json(
        { items: found.hits.map(toHitView), total: found.total, ...page, notes: [...found.notes] },
        200,
      );
    },
  )
  .get(
    "/:agentId/archival-memory/:memoryId",
    operation("getMemory", "A memory", { 200: MemoryView }, { access: ["user", "memory:read"] }),
    validate("param", MemoryParam),
    endUserSpace,
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      return c.json(toMemoryView(await c.var.deps.archivalService.get(c.var.space, agentId, memoryId)), 200);
    },
  )
  .patch(
    "/:agentId/archival-memory/:memoryId",
    operation(
      "updateMemory",
      "Change a memory; what is absent stays as it is",
      { 200: MemoryView },
      { access: ["user", "memory:write"], bodyLimit: BODY_LIMIT },
    ),
    validate("param", MemoryParam),
    endUserSpace,
    validate("json", MemoryChanges),
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      const { content, occurred_at: occurredAt } = c.req.valid("json");
      const memory = await c.var.deps.archivalService.update(c.var.space, agentId, memoryId, {
        ...(content !== undefined && { content }),
        ...(occurredAt !== undefined && { occurredAt }),
      });
      return c.json(toMemoryView(memory), 200);
    },
  )
  .delete(
    "/:agentId/archival-memory/:memoryId",
    operation("deleteMemory", "Delete a memory", { 204: "empty" }, { access: ["user", "memory:write"] }),
    validate("param", MemoryParam),
    endUserSpace,
    async (c) => {
      const { agentId, memoryId } = c.req.valid("param");
      await c.var.deps.archivalService.remove(c.var.space, agentId, memoryId);
      return c.body(null, 204);
    },
  );

const toInput = ({ content, occurred_at }: z.infer<typeof NewMemory>) => ({
  content,
  occurredAt: occurred_at ?? null,
});

const toHitView = ({ memoryId, content, createdAt, occurredAt, score }: MemoryHit) => ({
  memory_id: memoryId,
  content,
  created_at: createdAt,
  ...(occurredAt !== null && { occurred_at: occurredAt }),
  score,
});
