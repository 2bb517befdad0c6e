import { Hono } from "hono";
import * as z from "zod";
import { rule } from "../shared/violations.ts";
import { ifMatch, isKnown } from "../http/etag.ts";
import { endUserScope } from "../access/end-user-scope.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { headers, operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { AgentIdText, blankAsAbsent, pageOf, pageQuery, toPage, wholeNumber } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { written, writtenAs } from "../access/written.ts";
import { onOneLine } from "../shared/text.ts";
import { withoutUndefined } from "../shared/without-undefined.ts";
import { MAX_LINE_CHARS } from "./lines.ts";
import { type BlockContent, DEFAULT_WORD_LIMIT } from "./model.ts";
import {
  BlockReference,
  BlockView,
  ContentReference,
  contentTag,
  ContentView,
  toContentView,
  toVersionView,
  toView,
  VersionView,
} from "./view.ts";

/** The largest request with a block's lines, in bytes. The item that stores them is limited to 400 KB. */
const LINES_BODY_LIMIT = 1024 * 1024;
/** Version numbers have at most six digits. */
const MAX_VERSION = 999_999;

const Description = z.string().trim().min(1).max(200).transform(onOneLine);
const WordLimit = wholeNumber(100, 50_000);

const BlockName = z
  .string()
  .max(50)
  .regex(/^[a-z][a-z0-9_]*$/u, {
    error: rule("must consist of lower-case letters, digits and underscores, and begin with a letter."),
  });

/** `name` or, as in answers, `block_name`. */
const NewBlock = z
  .strictObject({
    name: BlockName.optional(),
    block_name: BlockName.optional(),
    description: Description,
    word_limit: blankAsAbsent(WordLimit.default(DEFAULT_WORD_LIMIT)),
  })
  .superRefine(({ name, block_name: other }, context) => {
    const message =
      name === undefined && other === undefined
        ? "name is required."
        : name !== undefined && other !== undefined && name !== other
          ? "name and block_name differ. Send one of them."
          : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", message, path: ["name"] });
  })
  .transform(({ name, block_name: other, ...rest }) => ({ ...rest, name: name ?? other ?? "" }))
  .meta({ id: "NewMemoryBlock" });

const BlockChanges = z
  .strictObject({
    description: blankAsAbsent(Description.optional()),
    word_limit: blankAsAbsent(WordLimit.optional()),
  })
  .meta({ id: "MemoryBlockChanges" });

const NewContent = z
  .strictObject({
    lines: z.array(z.string().max(MAX_LINE_CHARS)),
  })
  .meta({ id: "NewMemoryBlockContent" });

const Restoration = z
  .strictObject({ version: wholeNumber(1, MAX_VERSION) })
  .meta({ id: "MemoryBlockRestoration" });

const WrittenBlock = writtenAs(BlockView, BlockReference);
const WrittenContent = writtenAs(ContentView, ContentReference);

const AgentParam = z.object({ agentId: AgentIdText });
const BlockParam = AgentParam.extend({ blockName: z.string() });

/** Maps anything that can't be a version number to one that never exists, so that it is answered with a 404. */
const VersionParam = BlockParam.extend({
  version: z.string().transform((text) => (/^[1-9]\d{0,5}$/u.test(text) ? Number(text) : MAX_VERSION + 1)),
});

/** Returns a check of whether a content matches the caller's `If-Match` header. */
function expectation(header: string | undefined) {
  const matches = ifMatch(header);
  return (content: BlockContent) => matches(contentTag(content));
}

const IfMatch = z.object({ "If-Match": z.string().optional() });
const IfNoneMatch = z.object({ "If-None-Match": z.string().optional() });

/** The first read of a memory creates it, so a deactivated account must be refused before the handler runs. */
const CREATES_ON_READ = { account: "before" } as const;

export const memoryRoutes = new Hono<AppEnv>()
  .get(
    "/:agentId/memory-blocks",
    operation("listMemoryBlocks", { 200: z.array(BlockView) }),
    requireAccess("user", "memory:read", CREATES_ON_READ),
    validateAgentPath(AgentParam),
    endUserScope,
    async (c) => {
      const blocks = await c.var.deps.memoryService.blocks(c.var.scope, c.req.valid("param").agentId);
      return c.json(blocks.map(toView), 200);
    },
  )
  .post(
    "/:agentId/memory-blocks",
    operation("createMemoryBlock", { 201: WrittenBlock }),
    requireAccess("user", "memory:write"),
    validateAgentPath(AgentParam),
    endUserScope,
    validate("json", NewBlock),
    idempotent,
    async (c) => {
      const { deps, scope, entityId } = c.var;
      const { word_limit: wordLimit, ...settings } = c.req.valid("json");
      const input = { ...settings, wordLimit };
      const { agentId } = c.req.valid("param");
      const block = await deps.memoryService.create(scope, agentId, input, entityId);
      return c.json(written(c, toView(block), BlockReference), 201);
    },
  )
  .patch(
    "/:agentId/memory-blocks/:blockName",
    operation("updateMemoryBlock", {
      200: WrittenBlock,
    }),
    requireAccess("user", "memory:write"),
    validateAgentPath(BlockParam),
    endUserScope,
    validate("json", BlockChanges),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const { word_limit: wordLimit, ...settings } = c.req.valid("json");
      const changes = withoutUndefined({ ...settings, wordLimit });
      const block = await c.var.deps.memoryService.define(c.var.scope, agentId, blockName, changes);
      return c.json(written(c, toView(block), BlockReference), 200);
    },
  )
  .delete(
    "/:agentId/memory-blocks/:blockName",
    operation("deleteMemoryBlock", {
      204: "empty",
    }),
    requireAccess("user", "memory:write"),
    validateAgentPath(BlockParam),
    endUserScope,
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      await c.var.deps.memoryService.remove(c.var.scope, agentId, blockName);
      return c.body(null, 204);
    },
  )
  .get(
    "/:agentId/memory-blocks/:blockName/content",
    operation("getMemoryBlockContent", {
      200: ContentView,
      304: "empty",
    }),
    requireAccess("user", "memory:read", CREATES_ON_READ),
    headers(IfNoneMatch),
    validateAgentPath(BlockParam),
    endUserScope,
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.block(c.var.scope, agentId, blockName);
      const tag = { ETag: contentTag(block.content) };
      if (isKnown(c.req.header("if-none-match"), tag.ETag)) return c.body(null, 304, tag);
      return c.json(toContentView(block), 200, tag);
    },
  )
  .put(
    "/:agentId/memory-blocks/:blockName/content",
    operation("replaceMemoryBlockContent", { 200: WrittenContent }),
    maxBody(LINES_BODY_LIMIT),
    requireAccess("user", "memory:write"),
    headers(IfMatch),
    validateAgentPath(BlockParam),
    endUserScope,
    validate("json", NewContent),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.replaceLines(
        c.var.scope,
        agentId,
        blockName,
        c.req.valid("json").lines,
        expectation(c.req.header("if-match")),
      );
      return c.json(written(c, toContentView(block), ContentReference), 200, {
        ETag: contentTag(block.content),
      });
    },
  )
  .get(
    "/:agentId/memory-blocks/:blockName/versions",
    operation("listMemoryBlockVersions", {
      200: pageOf(VersionView),
    }),
    requireAccess("user", "memory:read"),
    validateAgentPath(BlockParam),
    endUserScope,
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { memoryService } = c.var.deps;
      const page = await memoryService.versions(c.var.scope, agentId, blockName, limit, cursor);
      return c.json(toPage(page.items.map(toVersionView), page.nextCursor), 200);
    },
  )
  .delete(
    "/:agentId/memory-blocks/:blockName/versions/:version",
    operation("deleteMemoryBlockVersion", {
      204: "empty",
    }),
    requireAccess("user", "memory:write"),
    validateAgentPath(VersionParam),
    endUserScope,
    async (c) => {
      const { agentId, blockName, version } = c.req.valid("param");
      await c.var.deps.memoryService.removeVersion(c.var.scope, agentId, blockName, version);
      return c.body(null, 204);
    },
  )
  .post(
    "/:agentId/memory-blocks/:blockName/restore",
    operation("restoreMemoryBlock", {
      200: WrittenContent,
    }),
    requireAccess("user", "memory:write"),
    headers(IfMatch),
    validateAgentPath(BlockParam),
    endUserScope,
    validate("json", Restoration),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.restore(
        c.var.scope,
        agentId,
        blockName,
        c.req.valid("json").version,
        expectation(c.req.header("if-match")),
      );
      return c.json(written(c, toContentView(block), ContentReference), 200, {
        ETag: contentTag(block.content),
      });
    },
  );
