import * as z from "zod";
import { usageOf, withWarning } from "../../memory/capacity.ts";
import { onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { pageNote, pageOfRows } from "./pages.ts";
import { BlockName, PageNumber } from "./schema.ts";

export const coreMemoryRead = defineTool({
  name: "core_memory_read",
  description:
    "Read a core memory block with its line numbers. Read a block before you change its lines. A long block has several pages.",
  input: z.object({ block: BlockName, page: PageNumber }),
  run({ block: name, page: wanted }, { coreMemory, resultTokens }: MemoryToolContext) {
    const block = coreMemory.block(name);
    if (block.lines.length === 0) return `[${block.name}] Core Memory is empty.`;

    const lines = block.lines.map((line, index) => `${index + 1}: ${onOneLine(line)}`);
    const { rows, page, pages } = pageOfRows(lines, wanted, resultTokens);
    const header = `[${block.name}] Core Memory (${block.lines.length} lines, ${usageOf(block)}):`;
    return withWarning([header, ...rows, ...pageNote(page, pages)].join("\n"), block);
  },
});
