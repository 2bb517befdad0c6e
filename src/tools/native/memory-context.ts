import type { ArchivalMemory } from "../../memory/archival-memory.ts";
import type { CoreMemory } from "../../memory/core-memory.ts";
import type { ConversationReader } from "../../messages/conversation-reader.ts";

/** What the memory tools may reach: the memory and the conversation of the turn, and no ids. */
export interface MemoryToolContext {
  readonly coreMemory: CoreMemory;
  readonly archive: ArchivalMemory;
  readonly conversation: ConversationReader;
}
