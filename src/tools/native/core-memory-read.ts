import * as z from "zod";
import { usageOf, withWarning } from "../../memory/capacity.ts";
import { onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { BlockName } from "./schema.ts";

export const coreMemoryRead = defineTool({
  name: "core_memory_read",
  description: "Read a core memory block with its line numbers. Read a block before you change its lines.",
  input: z.object({ block: BlockName }),
  run({ block: name }, { coreMemory }: MemoryToolContext) {
    const block = coreMemory.block(name);
    if (block.lines.length === 0) return `[${block.name}] Core Memory is empty.`;

    const lines = block.lines.map((line, index) => `${index + 1}: ${onOneLine(line)}`);
    const header = `[${block.name}] Core Memory (${block.lines.length} lines, ${usageOf(block)}):`;
    return withWarning([header, ...lines].join("\n"), block);
  },
});
