import { NO_TOOLS } from "../../tools/toolbox.ts";
import type { Architecture } from "./architecture.ts";
import { toConversation } from "./history.ts";
import { identitySection, personaSection, timeSection } from "./prompt.ts";
import { runToolLoop } from "./tool-loop.ts";

/** Words of conversation that the model reads. */
const HISTORY_WORDS = 10_000;

/** Answers from the conversation alone: no tools, no long-term memory. */
export const krishnaMini: Architecture = {
  name: "krishna-mini",
  label: "Krishna Mini (conversation only)",
  keepsMemory: false,
  preparations: ["Building conversation context..."],

  run({ agent, history, message, model, memory, now }, signal) {
    const system = [
      identitySection("tone", "persona", "origin"),
      personaSection(agent.persona),
      timeSection(now),
    ];
    const budget = Math.min(HISTORY_WORDS, Math.floor(model.contextWords / 2));
    const messages = [
      { role: "system", content: system.join("\n\n") } as const,
      ...toConversation(history, message, budget),
    ];

    return runToolLoop({ model, messages, tools: NO_TOOLS, memory, maxModelCalls: 1, signal });
  },
};
