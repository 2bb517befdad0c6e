import { capacityPercent, formatFixed, isNearlyFull, usageOf } from "../../../memory/capacity.ts";
import { TURNS_BEFORE_COMPACTION } from "../../../memory/capacity-model.ts";
import type { BlockView } from "../../../memory/core-memory.ts";
import type { PromptSection } from "../assemble.ts";
import { section } from "../prompt.ts";

/** What the model is to do about blocks that are nearly full; nothing where none is. */
export function memoryWarningSections(blocks: readonly BlockView[]): readonly PromptSection[] {
  const full = blocks.filter(isNearlyFull);
  if (full.length === 0) return [];

  const rows = full.map(
    (block) => `- [${block.name}]: ${usageOf(block)} (${formatFixed(capacityPercent(block), 0)}%)`,
  );
  const body = [
    "These core memory blocks are nearly full:",
    ...rows,
    "Make room in this turn:",
    "1. Consolidate lines that say the same or belong together.",
    "2. Move details to archival memory with archival_memory_insert, then delete their lines.",
    "3. Delete what is out of date.",
    `A block that stays this full for ${TURNS_BEFORE_COMPACTION} turns is compacted automatically: its lines move to archival memory, and a summary takes their place.`,
  ];
  return [section("memory_warning", body.join("\n"))];
}
