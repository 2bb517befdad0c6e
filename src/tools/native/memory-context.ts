import type { ArchivalMemory } from "../../memory/archival-memory.ts";
import type { CoreMemory } from "../../memory/core-memory.ts";
import type { ConversationReader } from "../../messages/conversation-reader.ts";

/** What memory tools may access. It exposes no ids, so a model can't reach the memory of another agent or user. */
export interface MemoryToolContext {
  readonly coreMemory: CoreMemory;
  readonly archive: ArchivalMemory;
  readonly conversation: ConversationReader;
  /** How many tokens a result may have. */
  readonly resultTokens: number;
}
