import * as z from "zod";
import { ifMatch } from "../http/etag.ts";
import { endUserSpace } from "../http/middleware/end-user-space.ts";
import { idempotent } from "../http/middleware/idempotent.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage, wholeNumber } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { asOneLine, MAX_LINE_CHARS } from "./lines.ts";
import { type BlockContent, DEFAULT_WORD_LIMIT } from "./model.ts";
import {
  BlockView,
  contentTag,
  ContentView,
  toContentView,
  toVersionView,
  toView,
  VersionView,
} from "./view.ts";

/** A block's lines as JSON; the item that they are stored in takes 400 KB. */
const LINES_BODY_LIMIT = 1024 * 1024;
/** What version numbers are written with. */
const MAX_VERSION = 999_999;

const Description = z.string().trim().min(1).max(200).transform(asOneLine);
const WordLimit = wholeNumber(100, 50_000);

const NewBlock = z
  .object({
    name: z
      .string()
      .max(50)
      .regex(/^[a-z][a-z0-9_]*$/u, {
        error: "Use lower-case letters, digits and _, beginning with a letter",
      }),
    description: Description,
    word_limit: blankAsAbsent(WordLimit.default(DEFAULT_WORD_LIMIT)),
  })
  .meta({ id: "NewMemoryBlock" });

const BlockChanges = z
  .object({
    description: blankAsAbsent(Description.optional()),
    word_limit: blankAsAbsent(WordLimit.optional()),
  })
  .meta({ id: "MemoryBlockChanges" });

const NewContent = z
  .object({
    lines: z
      .array(z.string().max(MAX_LINE_CHARS))
      .describe("Breaks within a line become spaces; empty lines are left out."),
  })
  .meta({ id: "NewMemoryBlockContent" });

const Restoration = z.object({ version: wholeNumber(1, MAX_VERSION) }).meta({ id: "MemoryBlockRestoration" });

const AgentParam = z.object({ agentId: Id });
const BlockParam = AgentParam.extend({ blockName: z.string() });

/** Whether a content is the one that the caller's `If-Match` names. */
function expectation(header: string | undefined) {
  const matches = ifMatch(header);
  return (content: BlockContent) => matches(contentTag(content));
}

/** Looking at a memory for the first time begins it, which only an active account may. */
const BEGINS = { account: "before" } as const;

export const memoryRoutes = userRouter()
  .get(
    "/:agentId/memory-blocks",
    operation(
      "listMemoryBlocks",
      "The core memory blocks of an agent",
      { 200: z.array(BlockView) },
      { access: ["user", "memory:read"], ...BEGINS },
    ),
    validate("param", AgentParam),
    endUserSpace,
    async (c) => {
      const blocks = await c.var.deps.memoryService.blocks(c.var.space, c.req.valid("param").agentId);
      return c.json(blocks.map(toView), 200);
    },
  )
  .post(
    "/:agentId/memory-blocks",
    operation(
      "createMemoryBlock",
      "Give an agent another core memory block",
      { 201: BlockView },
      { access: ["user", "memory:write"] },
    ),
    validate("param", AgentParam),
    endUserSpace,
    validate("json", NewBlock),
    idempotent,
    async (c) => {
      const { deps, space, entityId } = c.var;
      const { name, description, word_limit: wordLimit } = c.req.valid("json");
      const input = { name, description, wordLimit };
      const { agentId } = c.req.valid("param");
      return c.json(toView(await deps.memoryService.create(space, agentId, input, entityId)), 201);
    },
  )
  .patch(
    "/:agentId/memory-blocks/:blockName",
    operation(
      "updateMemoryBlock",
      "Change what a block is for, or how many words it may hold",
      {
        200: BlockView,
      },
      { access: ["user", "memory:write"] },
    ),
    validate("param", BlockParam),
    endUserSpace,
    validate("json", BlockChanges),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const { description, word_limit: wordLimit } = c.req.valid("json");
      const block = await c.var.deps.memoryService.define(c.var.space, agentId, blockName, {
        ...(description !== undefined && { description }),
        ...(wordLimit !== undefined && { wordLimit }),
      });
      return c.json(toView(block), 200);
    },
  )
  .delete(
    "/:agentId/memory-blocks/:blockName",
    operation(
      "deleteMemoryBlock",
      "Delete a custom block with its content; its versions stay",
      {
        204: "empty",
      },
      { access: ["user", "memory:write"] },
    ),
    validate("param", BlockParam),
    endUserSpace,
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      await c.var.deps.memoryService.remove(c.var.space, agentId, blockName);
      return c.body(null, 204);
    },
  )
  .get(
    "/:agentId/memory-blocks/:blockName/content",
    operation(
      "getMemoryBlockContent",
      "What stands in a core memory block",
      { 200: ContentView },
      { access: ["user", "memory:read"], ...BEGINS },
    ),
    validate("param", BlockParam),
    endUserSpace,
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.block(c.var.space, agentId, blockName);
      return c.json(toContentView(block), 200, { ETag: contentTag(block.content) });
    },
  )
  .put(
    "/:agentId/memory-blocks/:blockName/content",
    operation(
      "replaceMemoryBlockContent",
      "Give a core memory block other lines; with `If-Match`, only if it still holds what was read",
      { 200: ContentView },
      { access: ["user", "memory:write"], bodyLimit: LINES_BODY_LIMIT },
    ),
    validate("param", BlockParam),
    endUserSpace,
    validate("json", NewContent),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.replaceLines(
        c.var.space,
        agentId,
        blockName,
        c.req.valid("json").lines,
        expectation(c.req.header("if-match")),
      );
      return c.json(toContentView(block), 200, { ETag: contentTag(block.content) });
    },
  )
  .get(
    "/:agentId/memory-blocks/:blockName/versions",
    operation(
      "listMemoryBlockVersions",
      "What a core memory block held, newest first",
      {
        200: pageOf(VersionView),
      },
      { access: ["user", "memory:read"] },
    ),
    validate("param", BlockParam),
    endUserSpace,
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { memoryService } = c.var.deps;
      const page = await memoryService.versions(c.var.space, agentId, blockName, limit, cursor);
      return c.json(toPage(page.items.map(toVersionView), page.nextCursor), 200);
    },
  )
  .post(
    "/:agentId/memory-blocks/:blockName/restore",
    operation(
      "restoreMemoryBlock",
      "Bring back the lines that a version left, as a new version",
      {
        200: ContentView,
      },
      { access: ["user", "memory:write"] },
    ),
    validate("param", BlockParam),
    endUserSpace,
    validate("json", Restoration),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      const block = await c.var.deps.memoryService.restore(
        c.var.space,
        agentId,
        blockName,
        c.req.valid("json").version,
        expectation(c.req.header("if-match")),
      );
      return c.json(toContentView(block), 200, { ETag: contentTag(block.content) });
    },
  );
