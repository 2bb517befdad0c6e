import { capacityPercent, formatFixed, isNearlyFull, usageOf } from "../../memory/capacity.ts";
import { TURNS_BEFORE_COMPACTION } from "../../memory/capacity-model.ts";
import type { BlockView } from "../../memory/core-memory.ts";
import { fence } from "../../shared/fence.ts";
import { inBrackets } from "../../shared/text.ts";
import type { PromptSection } from "../assemble.ts";
import { section } from "../prompt.ts";

/** The most blocks that are listed. */
const MAX_ROWS = 10;

/** Returns the section that asks the model to make room in nearly full blocks; empty if no block is nearly full. */
export function memoryWarningSections(blocks: readonly BlockView[]): readonly PromptSection[] {
  const full = blocks.filter(isNearlyFull);
  if (full.length === 0) return [];

  const rows = full
    .slice(0, MAX_ROWS)
    .map(
      (block) =>
        `- [${fence(inBrackets(block.name))}]: ${usageOf(block)} (${formatFixed(capacityPercent(block), 0)}%)`,
    );
  const body = [
    "These core memory blocks are nearly full:",
    ...rows,
    ...(full.length > MAX_ROWS ? [`- and ${full.length - MAX_ROWS} more`] : []),
    "Make room in this turn:",
    "1. Consolidate lines that repeat each other or belong together.",
    "2. Move details to archival memory with archival_memory_insert, then delete their lines.",
    "3. Delete lines that are out of date.",
    `A block that stays this full for ${TURNS_BEFORE_COMPACTION} turns is compacted automatically: its lines move to archival memory, and a summary replaces them.`,
  ];
  return [section("memory_warning", body.join("\n"))];
}
