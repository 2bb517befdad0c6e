import { externalTools } from "../tools/native/external-tools.ts";
import { NO_TOOLS, toolbox } from "../tools/toolbox.ts";
import type { Architecture } from "./architecture.ts";
import { assemblePrompt, type Prompt, type PromptInput } from "./assemble.ts";
import { externalToolSections } from "./external-tools-prompt.ts";
import { identitySection, personaSection, summarySections, timeSection } from "./prompt.ts";
import { Shares } from "./shares.ts";
import { MAX_MODEL_CALLS, runToolLoop } from "./tool-loop.ts";

/** The most tokens of the conversation that are sent to the model. About 10,000 words of English. */
const HISTORY_TOKENS = 12_500;

/** Answers from the conversation alone, without long-term memory. The only tools are those that the agent's owner has added. */
export const krishnaMini: Architecture = {
  name: "krishna-mini",
  label: "Krishna Mini (conversation only)",
  keepsMemory: false,
  needsTools: false,
  preparations: ["Building conversation context..."],
  assemble,

  run(turn, signal) {
    const { httpCalls, mcpCalls, clientTools = [] } = turn;
    const offered = externalTools(httpCalls.tools, mcpCalls.tools);
    if (offered.length === 0 && clientTools.length === 0)
      return runToolLoop({ turn, assemble, tools: () => NO_TOOLS, maxModelCalls: 1, signal });
    return runToolLoop({
      turn,
      assemble,
      tools: ({ resultTokens }) => toolbox(offered, { httpCalls, mcpCalls, resultTokens, signal }),
      maxModelCalls: MAX_MODEL_CALLS,
      signal,
    });
  },
};

function assemble(input: PromptInput): Prompt {
  const identity = identitySection("tone", "persona", "origin");
  const volatile = timeSection(input.now, input.timeZone);
  const external = externalToolSections(input);
  const tools = [
    ...externalTools(input.httpTools, input.mcpTools).map(({ spec }) => spec),
    ...(input.clientTools ?? []),
  ];
  const { promptTokens } = input;
  const shares = new Shares({ promptTokens, fixed: [identity, ...external, volatile], tools });
  const sections = [
    identity,
    ...shares.take(personaSection(input.agent.persona, shares.personaTokens)),
    ...external,
    ...shares.take(...summarySections(input.summary, shares.summaryTokens)),
  ];
  return assemblePrompt(input, {
    sections,
    volatile,
    tools,
    hiddenBlocks: [],
    historyTokens: shares.historyTokens(HISTORY_TOKENS),
    resultTokens: shares.resultTokens,
  });
}
