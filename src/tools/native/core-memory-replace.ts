import * as z from "zod";
import { withWarning } from "../../memory/capacity.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { BlockName, Expected, LineNumber } from "./schema.ts";

export const coreMemoryReplace = defineTool({
  name: "core_memory_replace",
  description: "Replace one line of a core memory block, by its number.",
  input: z.object({
    block: BlockName,
    line_number: LineNumber,
    new_content: z.string().describe("What the line says from now on."),
    expected: Expected,
  }),
  async run({ block: name, line_number: number, new_content, expected }, { coreMemory }: MemoryToolContext) {
    const edit = await coreMemory.replace(name, number, new_content, expected);
    if (!edit) {
      const block = coreMemory.block(name);
      return withWarning(`Error: Line ${number} does not exist in [${block.name}]`, block);
    }

    const { block, changed, old, text } = edit;
    if (!changed)
      return withWarning(`Line ${number} in [${block.name}] already contains: "${old}" (no change)`, block);
    return withWarning(
      `Replaced line ${number} in [${block.name}]:\n  Old: "${old}"\n  New: "${text}"`,
      block,
    );
  },
});
