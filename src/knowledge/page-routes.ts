import { Hono } from "hono";
import * as z from "zod";
import { validateBasePath } from "../access/base-path.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, PageIdText, toPage, wholeNumber } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { notFound } from "../shared/errors.ts";
import { activeBase } from "./active-base.ts";
import { BaseParam } from "./schemas.ts";
import {
  LegacyChunkView,
  PageTextView,
  PageView,
  toLegacyChunkView,
  toPageTextView,
  toPageView,
} from "./view.ts";

/** The longest text in one answer, in characters. */
const MAX_TEXT_CHARS = 200_000;
const DEFAULT_TEXT_CHARS = 50_000;
/** No page is longer: its compressed text is limited, and so is a file that is uploaded. */
const MAX_FROM = 999_999_999;

const PageParam = BaseParam.extend({ pageId: PageIdText });
const ChunkParam = BaseParam.extend({ chunkId: Id });

const TextQuery = z.object({
  from: blankAsAbsent(wholeNumber(0, MAX_FROM).default(0)),
  max_chars: blankAsAbsent(wholeNumber(1_000, MAX_TEXT_CHARS).default(DEFAULT_TEXT_CHARS)),
});

export const pageRoutes = new Hono<AppEnv>()
  .get(
    "/:kbId/pages",
    operation("listKnowledgePages", {
      200: pageOf(PageView),
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    validate("query", pageQuery(50)),
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.pageService.listPage(base, limit, cursor);
      return c.json(toPage(items.map(toPageView), nextCursor), 200);
    },
  )
  .get(
    "/:kbId/pages/:pageId",
    operation("getKnowledgePage", {
      200: PageTextView,
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(PageParam),
    validate("query", TextQuery),
    async (c) => {
      const { kbId, pageId } = c.req.valid("param");
      const { from, max_chars: maxChars } = c.req.valid("query");
      const page = await c.var.deps.pageService.find(await activeBase(c, kbId), pageId);
      if (!page) throw notFound("Page");
      return c.json(toPageTextView(page, from, maxChars), 200);
    },
  )
  .delete(
    "/:kbId/pages/:pageId",
    operation("deleteKnowledgePage", { 204: "empty" }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(PageParam),
    async (c) => {
      const { kbId, pageId } = c.req.valid("param");
      if (!(await c.var.deps.pageService.remove(await activeBase(c, kbId), pageId))) throw notFound("Page");
      return c.body(null, 204);
    },
  )
  .get(
    "/:kbId/chunks",
    operation("listLegacyChunks", {
      200: pageOf(LegacyChunkView),
    }),
    requireAccess("user", "knowledge:read"),
    validateBasePath(BaseParam),
    validate("query", pageQuery(50)),
    async (c) => {
      const base = await activeBase(c, c.req.valid("param").kbId);
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await c.var.deps.legacyChunks.list(base, limit, cursor);
      return c.json(toPage(items.map(toLegacyChunkView), nextCursor), 200);
    },
  )
  .delete(
    "/:kbId/chunks/:chunkId",
    operation("deleteLegacyChunk", { 204: "empty" }),
    requireAccess("user", "knowledge:write"),
    validateBasePath(ChunkParam),
    async (c) => {
      const { kbId, chunkId } = c.req.valid("param");
      if (!(await c.var.deps.legacyChunks.remove(await activeBase(c, kbId), chunkId)))
        throw notFound("Chunk");
      return c.body(null, 204);
    },
  );
