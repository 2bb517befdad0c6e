import { archivalMemoryInsert } from "../../../tools/native/archival-memory-insert.ts";
import { archivalMemorySearch } from "../../../tools/native/archival-memory-search.ts";
import { coreMemoryAppend } from "../../../tools/native/core-memory-append.ts";
import { coreMemoryDelete } from "../../../tools/native/core-memory-delete.ts";
import { coreMemoryListBlocks } from "../../../tools/native/core-memory-list-blocks.ts";
import { coreMemoryRead } from "../../../tools/native/core-memory-read.ts";
import { coreMemoryReplace } from "../../../tools/native/core-memory-replace.ts";
import { recallConversation } from "../../../tools/native/recall-conversation.ts";
import { toolbox } from "../../../tools/toolbox.ts";
import { type Architecture, promptInputOf } from "../architecture.ts";
import { assemblePrompt, type Prompt, type PromptInput } from "../assemble.ts";
import { identitySection, personaSection, summarySections, timeSection } from "../prompt.ts";
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

  historyWords,
  assemble,

  run(turn, signal) {
    const { model, memory, archive, conversation } = turn;
    const { messages } = assemble(promptInputOf(turn));
    const tools = toolbox(TOOLS, { coreMemory: memory, archive, conversation });
    return runToolLoop({ model, messages, tools, memory, maxModelCalls: MAX_MODEL_CALLS, signal });
  },
};

function historyWords(contextWords: number): number {
  return Math.min(HISTORY_WORDS, Math.floor(contextWords / 3));
}

function assemble(input: PromptInput): Prompt {
  const tools = TOOLS.map(({ spec }) => spec);
  const memory = coreMemorySection(input.blocks, Math.floor(input.contextWords * MEMORY_SHARE));
  const sections = [
    identitySection("tone", "memory", "persona", "origin"),
    personaSection(input.agent.persona),
    memoryToolsSection(tools),
    memory.section,
    ...memoryWarningSections(input.blocks),
    // It changes when the window moves on, and then all that follows changes too.
    ...summarySections(input.summary),
  ];
  return assemblePrompt(input, {
    sections,
    volatile: timeSection(input.now),
    tools,
    hiddenBlocks: memory.hidden,
    historyWords: historyWords(input.contextWords),
  });
}
