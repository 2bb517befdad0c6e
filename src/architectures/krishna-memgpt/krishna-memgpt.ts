import { archivalMemoryInsert } from "../../tools/native/archival-memory-insert.ts";
import { archivalMemoryRead } from "../../tools/native/archival-memory-read.ts";
import { archivalMemorySearch } from "../../tools/native/archival-memory-search.ts";
import { coreMemoryAppend } from "../../tools/native/core-memory-append.ts";
import { coreMemoryDelete } from "../../tools/native/core-memory-delete.ts";
import { coreMemoryListBlocks } from "../../tools/native/core-memory-list-blocks.ts";
import { coreMemoryRead } from "../../tools/native/core-memory-read.ts";
import { coreMemoryReplace } from "../../tools/native/core-memory-replace.ts";
import { type ExternalToolContext, externalTools } from "../../tools/native/external-tools.ts";
import { knowledgeBaseRead } from "../../tools/native/knowledge-base-read.ts";
import { knowledgeBaseSearch } from "../../tools/native/knowledge-base-search.ts";
import type { KnowledgeToolContext } from "../../tools/native/knowledge-context.ts";
import type { MemoryToolContext } from "../../tools/native/memory-context.ts";
import { recallConversation } from "../../tools/native/recall-conversation.ts";
import type { Tool } from "../../tools/tool.ts";
import { toolbox } from "../../tools/toolbox.ts";
import type { Architecture } from "../architecture.ts";
import { assemblePrompt, type Prompt, type PromptInput } from "../assemble.ts";
import { externalToolSections } from "../external-tools-prompt.ts";
import { identitySection, personaSection, summarySections, timeSection } from "../prompt.ts";
import { Shares } from "../shares.ts";
import { MAX_MODEL_CALLS, runToolLoop } from "../tool-loop.ts";
import { memoryWarningSections } from "./capacity-prompt.ts";
import { knowledgeSections } from "./knowledge-prompt.ts";
import { coreMemorySection, memoryToolsSection } from "./memory-prompt.ts";

/** The most tokens of the conversation that are sent to the model. About 8,000 words of English. */
const HISTORY_TOKENS = 10_000;

/** The tools of this architecture, in the order in which the prompt lists them. */
export const TOOLS = [
  coreMemoryRead,
  coreMemoryAppend,
  coreMemoryReplace,
  coreMemoryDelete,
  coreMemoryListBlocks,
  archivalMemoryInsert,
  archivalMemorySearch,
  archivalMemoryRead,
  recallConversation,
] as const;

/** The tools of an agent that may search knowledge bases. */
const WITH_KNOWLEDGE: readonly Tool<MemoryToolContext & KnowledgeToolContext>[] = [
  ...TOOLS,
  knowledgeBaseSearch,
  knowledgeBaseRead,
];

/** Remembers across conversations: core memory is part of the prompt, and the model edits it with tools (MemGPT). */
export const krishnaMemgpt: Architecture = {
  name: "krishna-memgpt",
  label: "Krishna MemGPT (remembers)",
  keepsMemory: true,
  needsTools: true,
  preparations: ["Loading memory...", "Building conversation context..."],

  assemble,

  run(turn, signal) {
    const {
      memory: coreMemory,
      archive,
      conversation,
      knowledge,
      knowledgeBases,
      httpCalls,
      mcpCalls,
    } = turn;
    const native = knowledgeBases > 0 ? WITH_KNOWLEDGE : TOOLS;
    const offered: readonly Tool<MemoryToolContext & KnowledgeToolContext & ExternalToolContext>[] = [
      ...native,
      ...externalTools(httpCalls.tools, mcpCalls.tools),
    ];
    return runToolLoop({
      turn,
      assemble,
      tools: ({ resultTokens }) =>
        toolbox(offered, {
          coreMemory,
          archive,
          conversation,
          knowledge,
          httpCalls,
          mcpCalls,
          resultTokens,
          signal,
        }),
      maxModelCalls: MAX_MODEL_CALLS,
      signal,
    });
  },
};

const SPECS = TOOLS.map(({ spec }) => spec);
const SPECS_WITH_KNOWLEDGE = WITH_KNOWLEDGE.map(({ spec }) => spec);
const IDENTITY = identitySection("tone", "memory", "persona", "origin");
const MEMORY_TOOLS = memoryToolsSection(SPECS);

function assemble(input: PromptInput): Prompt {
  const volatile = timeSection(input.now, input.timeZone);
  const warnings = memoryWarningSections(input.blocks);
  const knowledge = knowledgeSections(input.knowledgeBases);
  const external = externalToolSections(input);
  const native = input.knowledgeBases > 0 ? SPECS_WITH_KNOWLEDGE : SPECS;
  const tools = [
    ...native,
    ...externalTools(input.httpTools, input.mcpTools).map(({ spec }) => spec),
    ...(input.clientTools ?? []),
  ];
  const fixed = [IDENTITY, MEMORY_TOOLS, ...knowledge, ...external, ...warnings, volatile];
  const shares = new Shares({ promptTokens: input.promptTokens, fixed, tools });
  const persona = shares.take(personaSection(input.agent.persona, shares.personaTokens));
  const memory = coreMemorySection(input.blocks, shares.memoryTokens);
  const sections = [
    IDENTITY,
    ...persona,
    MEMORY_TOOLS,
    ...knowledge,
    ...external,
    ...shares.take(memory.section),
    ...warnings,
    // Last, because it changes whenever the window advances, and providers cache only the prefix before the change.
    ...shares.take(...summarySections(input.summary, shares.summaryTokens)),
  ];
  return assemblePrompt(input, {
    sections,
    volatile,
    tools,
    hiddenBlocks: memory.hidden,
    historyTokens: shares.historyTokens(HISTORY_TOKENS),
    resultTokens: shares.resultTokens,
  });
}
