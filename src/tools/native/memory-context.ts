import type { CoreMemory } from "../../memory/core-memory.ts";

/** What the memory tools may reach: the memory of the turn, and no ids. */
export interface MemoryToolContext {
  readonly coreMemory: CoreMemory;
}
