import * as z from "zod";
import { usageOf, withWarning } from "../../memory/capacity.ts";
import { onOneLine } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { BlockName } from "./schema.ts";

export const coreMemoryAppend = defineTool({
  name: "core_memory_append",
  description:
    "Add one fact to a core memory block as a new line. Adding a fact that is already there changes nothing.",
  input: z.object({ block: BlockName, content: z.string().describe("The fact, on one line.") }),
  async run({ block: name, content }, { coreMemory }: MemoryToolContext) {
    const { block, line, changed, text } = await coreMemory.append(name, content);
    if (!changed)
      return withWarning(
        `Line already exists in [${block.name}] at line ${line}: "${onOneLine(text)}" (no change)`,
        block,
      );
    return withWarning(
      `Appended to [${block.name}] at line ${line}: "${onOneLine(text)}" (${usageOf(block)})`,
      block,
    );
  },
});
