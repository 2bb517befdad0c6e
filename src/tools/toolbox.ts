import type { ToolCall, ToolSpec } from "../llm/model.ts";
import { fence } from "../shared/text.ts";
import type { Tool, ToolResult } from "./tool.ts";

/** The tools of one turn, with what they may reach. */
export interface Toolbox {
  readonly specs: readonly ToolSpec[];
  /** Runs a call. An unknown tool is an answer to the model, not an error of ours. */
  invoke(call: ToolCall): Promise<ToolResult>;
}

/** A toolbox without tools. */
export const NO_TOOLS: Toolbox = {
  specs: [],
  invoke: ({ name }) => Promise.resolve({ ok: false, output: `Error: Unknown tool: ${name}` }),
};

/** Offers `tools` over one context. Stored text in their outputs is fenced: it can't pose as anything else. */
export function toolbox<Context>(tools: readonly Tool<Context>[], context: Context): Toolbox {
  const byName = new Map(tools.map((tool) => [tool.spec.name, tool]));

  return {
    specs: tools.map(({ spec }) => spec),
    async invoke(call) {
      const tool = byName.get(call.name);
      if (!tool) return { ok: false, output: fence(`Error: Unknown tool: ${call.name}`) };

      const { ok, output } = await tool.invoke(call, context);
      return { ok, output: fence(output) };
    },
  };
}
