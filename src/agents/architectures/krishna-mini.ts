import { NO_TOOLS } from "../../tools/toolbox.ts";
import { type Architecture, promptInputOf } from "./architecture.ts";
import { assemblePrompt, type Prompt, type PromptInput } from "./assemble.ts";
import { identitySection, personaSection, summarySections, timeSection } from "./prompt.ts";
import { runToolLoop } from "./tool-loop.ts";

/** Words of conversation that the model reads. */
const HISTORY_WORDS = 10_000;

/** Answers from the conversation alone: no tools, no long-term memory. */
export const krishnaMini: Architecture = {
  name: "krishna-mini",
  label: "Krishna Mini (conversation only)",
  keepsMemory: false,
  preparations: ["Building conversation context..."],
  historyWords,
  assemble,

  run(turn, signal) {
    const { model, memory } = turn;
    const { messages } = assemble(promptInputOf(turn));
    return runToolLoop({ model, messages, tools: NO_TOOLS, memory, maxModelCalls: 1, signal });
  },
};

function historyWords(contextWords: number): number {
  return Math.min(HISTORY_WORDS, Math.floor(contextWords / 2));
}

function assemble(input: PromptInput): Prompt {
  const sections = [
    identitySection("tone", "persona", "origin"),
    personaSection(input.agent.persona),
    ...summarySections(input.summary),
  ];
  return assemblePrompt(input, {
    sections,
    volatile: timeSection(input.now),
    tools: NO_TOOLS.specs,
    hiddenBlocks: [],
    historyWords: historyWords(input.contextWords),
  });
}
