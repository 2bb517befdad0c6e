import { NO_TOOLS } from "../tools/toolbox.ts";
import type { Architecture } from "./architecture.ts";
import { assemblePrompt, type Prompt, type PromptInput } from "./assemble.ts";
import { identitySection, personaSection, summarySections, timeSection } from "./prompt.ts";
import { Shares } from "./shares.ts";
import { runToolLoop } from "./tool-loop.ts";

/** The most tokens of the conversation that are sent to the model. About 10,000 words of English. */
const HISTORY_TOKENS = 12_500;

/** Answers from the conversation alone: no tools, no long-term memory. */
export const krishnaMini: Architecture = {
  name: "krishna-mini",
  label: "Krishna Mini (conversation only)",
  keepsMemory: false,
  needsTools: false,
  preparations: ["Building conversation context..."],
  assemble,
  run: (turn, signal) => runToolLoop({ turn, assemble, tools: () => NO_TOOLS, maxModelCalls: 1, signal }),
};

function assemble(input: PromptInput): Prompt {
  const identity = identitySection("tone", "persona", "origin");
  const volatile = timeSection(input.now, input.timeZone);
  const { promptTokens } = input;
  const shares = new Shares({ promptTokens, fixed: [identity, volatile], tools: NO_TOOLS.specs });
  const sections = [
    identity,
    ...shares.take(personaSection(input.agent.persona, shares.personaTokens)),
    ...shares.take(...summarySections(input.summary, shares.summaryTokens)),
  ];
  return assemblePrompt(input, {
    sections,
    volatile,
    tools: NO_TOOLS.specs,
    hiddenBlocks: [],
    historyTokens: shares.historyTokens(HISTORY_TOKENS),
    resultTokens: shares.resultTokens,
  });
}
