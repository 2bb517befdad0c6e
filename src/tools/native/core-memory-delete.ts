import * as z from "zod";
import { usageOf, withWarning } from "../../memory/capacity.ts";
import { onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { BlockName, Expected, LineNumber } from "./schema.ts";

export const coreMemoryDelete = defineTool({
  name: "core_memory_delete",
  description: "Delete one line of a core memory block, by its number. Later lines move up.",
  input: z.object({ block: BlockName, line_number: LineNumber, expected: Expected }),
  async run({ block: name, line_number: number, expected }, { coreMemory }: MemoryToolContext) {
    const edit = await coreMemory.remove(name, number, expected);
    if (!edit) {
      const block = coreMemory.block(name);
      return withWarning(`Line ${number} does not exist in [${block.name}] (no change)`, block);
    }

    const { block, old } = edit;
    const now = `[${block.name}] now has ${block.lines.length} lines (${usageOf(block)})`;
    return withWarning(`Deleted line ${number} from [${block.name}]: "${onOneLine(old)}"\n${now}`, block);
  },
});
