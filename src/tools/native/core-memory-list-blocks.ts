import * as z from "zod";
import { capacityPercent, formatFixed, isNearlyFull, usageOf } from "../../memory/capacity.ts";
import { inBrackets, onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";

export const coreMemoryListBlocks = defineTool({
  name: "core_memory_list_blocks",
  description: "List the core memory blocks and how full each of them is.",
  input: z.object({}),
  run(_input, { coreMemory }: MemoryToolContext) {
    const blocks = coreMemory.blocks();
    if (blocks.length === 0) return "No memory blocks configured for this agent.";

    const rows = blocks.map((block) => {
      const percent = formatFixed(capacityPercent(block), 1);
      const mark = isNearlyFull(block) ? " ⚠️" : "";
      return `- [${inBrackets(block.name)}] ${usageOf(block)} (${percent}%)${mark} - ${onOneLine(block.description)}`;
    });
    return ["Available Memory Blocks:", ...rows].join("\n");
  },
});
