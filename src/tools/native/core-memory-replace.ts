import * as z from "zod";
import { withWarning } from "../../memory/capacity.ts";
import { onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { BlockName, Expected, LineNumber } from "./schema.ts";

export const coreMemoryReplace = defineTool({
  name: "core_memory_replace",
  description: "Replace one line of a core memory block, by its number.",
  input: z.object({
    block: BlockName,
    line_number: LineNumber,
    new_content: z.string().describe("The new text of the line."),
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
      return withWarning(
        `Line ${number} in [${block.name}] already contains: "${onOneLine(old)}" (no change)`,
        block,
      );
    return withWarning(
      `Replaced line ${number} in [${block.name}]:\n  Old: "${onOneLine(old)}"\n  New: "${onOneLine(text)}"`,
      block,
    );
  },
});
