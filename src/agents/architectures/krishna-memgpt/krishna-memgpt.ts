import { archivalMemoryInsert } from "../../../tools/native/archival-memory-insert.ts";
import { archivalMemorySearch } from "../../../tools/native/archival-memory-search.ts";
import { coreMemoryAppend } from "../../../tools/native/core-memory-append.ts";
import { coreMemoryDelete } from "../../../tools/native/core-memory-delete.ts";
import { coreMemoryListBlocks } from "../../../tools/native/core-memory-list-blocks.ts";
import { coreMemoryRead } from "../../../tools/native/core-memory-read.ts";
import { coreMemoryReplace } from "../../../tools/native/core-memory-replace.ts";
import { recallConversation } from "../../../tools/native/recall-conversation.ts";
import { toolbox } from "../../../tools/toolbox.ts";
import type { Architecture } from "../architecture.ts";
import { toConversation } from "../history.ts";
import { identitySection, personaSection, timeSection } from "../prompt.ts";
import { MAX_MODEL_CALLS, runToolLoop } from "../tool-loop.ts";
import { memoryWarningSections } from "./capacity-prompt.ts";
import { coreMemorySection, memoryToolsSection } from "./memory-prompt.ts";

/** Words of conversation that the model reads. */
const HISTORY_WORDS = 8_000;
/** Core memory may take this share of what the model reads; the rest is for the conversation. */
const MEMORY_SHARE = 0.5;

const TOOLS = [
  coreMemoryRead,
  coreMemoryAppend,
  coreMemoryReplace,
  coreMemoryDelete,
  coreMemoryListBlocks,
  archivalMemoryInsert,
  archivalMemorySearch,
  recallConversation,
] as const;

/** Remembers across conversations: core memory in the prompt, and tools by which the model edits it (MemGPT). */
export const krishnaMemgpt: Architecture = {
  name: "krishna-memgpt",
  label: "Krishna MemGPT (remembers)",
  keepsMemory: true,
  preparations: ["Loading memory...", "Building conversation context..."],

  run({ agent, history, message, model, memory, archive, conversation, now }, signal) {
    // From what changes least to what changes with every turn: providers charge a fraction for a beginning they know.
    const system = [
      identitySection("tone", "memory", "persona", "origin"),
      personaSection(agent.persona),
      memoryToolsSection(TOOLS.map(({ spec }) => spec)),
      coreMemorySection(memory.blocks(), Math.floor(model.contextWords * MEMORY_SHARE)),
      ...memoryWarningSections(memory.blocks()),
      timeSection(now),
    ];
    const budget = Math.min(HISTORY_WORDS, Math.floor(model.contextWords / 3));
    const messages = [
      { role: "system", content: system.join("\n\n") } as const,
      ...toConversation(history, message, budget),
    ];

    const tools = toolbox(TOOLS, { coreMemory: memory, archive, conversation });
    return runToolLoop({ model, messages, tools, memory, maxModelCalls: MAX_MODEL_CALLS, signal });
  },
};
