import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { Id } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { capacityPercent } from "./capacity.ts";
import { type Block, wordsIn } from "./model.ts";

const BlockView = z
  .object({
    block_name: z.string(),
    description: z.string(),
    word_limit: z.number(),
    is_default: z.boolean(),
    word_count: z.number(),
    capacity_percent: z.number(),
    created_at: z.string(),
  })
  .meta({ id: "MemoryBlock" });

const ContentView = z
  .object({
    block_name: z.string(),
    lines: z.array(z.string()),
    word_count: z.number(),
    word_limit: z.number(),
    capacity_percent: z.number(),
    is_default: z.boolean(),
  })
  .meta({ id: "MemoryBlockContent" });

const AgentParam = z.object({ agentId: Id });
const BlockParam = AgentParam.extend({ blockName: z.string() });

export const memoryRoutes = userRouter()
  .get(
    "/:agentId/memory-blocks",
    operation("listMemoryBlocks", "The core memory blocks of an agent", { 200: z.array(BlockView) }),
    validate("param", AgentParam),
    async (c) => {
      const blocks = await c.var.deps.memoryService.blocks(c.var.user.email, c.req.valid("param").agentId);
      return c.json(blocks.map(toView), 200);
    },
  )
  .get(
    "/:agentId/memory-blocks/:blockName/content",
    operation("getMemoryBlockContent", "What stands in a core memory block", { 200: ContentView }),
    validate("param", BlockParam),
    async (c) => {
      const { agentId, blockName } = c.req.valid("param");
      return c.json(
        toContentView(await c.var.deps.memoryService.block(c.var.user.email, agentId, blockName)),
        200,
      );
    },
  );

const toView = (block: Block): z.infer<typeof BlockView> => ({
  block_name: block.name,
  description: block.description,
  word_limit: block.wordLimit,
  is_default: block.isDefault,
  word_count: wordsIn(block.content.lines),
  capacity_percent: percentOf(block),
  created_at: block.createdAt,
});

const toContentView = (block: Block): z.infer<typeof ContentView> => ({
  block_name: block.name,
  lines: [...block.content.lines],
  word_count: wordsIn(block.content.lines),
  word_limit: block.wordLimit,
  capacity_percent: percentOf(block),
  is_default: block.isDefault,
});

const percentOf = ({ content, wordLimit }: Block): number =>
  capacityPercent({ wordCount: wordsIn(content.lines), wordLimit });
