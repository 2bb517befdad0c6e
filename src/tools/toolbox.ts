import type { ToolCall, ToolSpec } from "../llm/model.ts";
import { shortened } from "../messages/reading.ts";
import { fence } from "../shared/fence.ts";
import { onOneLine } from "../shared/text.ts";
import type { Tool, ToolResult } from "./tool.ts";

/** The tools of one turn, bound to their context. */
export interface Toolbox {
  readonly specs: readonly ToolSpec[];
  /** Whether there is a tool with this name. */
  has(name: string): boolean;
  /** Returns an output that comes from elsewhere as the model reads it: fenced, and shortened like those of the tools. */
  shown(output: string): string;
  /** Runs a call. Calling an unknown tool is a mistake of the model, so it is reported to the model and not thrown. */
  invoke(call: ToolCall): Promise<ToolResult>;
}

/** A toolbox without tools. */
export const NO_TOOLS: Toolbox = {
  specs: [],
  has: () => false,
  shown: fence,
  invoke: ({ name }) => Promise.resolve(unknownTool(name)),
};

/**
 * Binds `tools` to a context. Outputs are fenced, so that stored text in them can't imitate sections of the prompt, and
 * shortened if they exceed the context's `resultTokens` by far. Tools divide long results into pages themselves.
 */
export function toolbox<Context extends { readonly resultTokens: number }>(
  tools: readonly Tool<Context>[],
  context: Context,
): Toolbox {
  const maxTokens = Math.ceil(context.resultTokens * TOLERANCE);
  const byName = new Map(tools.map((tool) => [tool.spec.name, tool]));

  const shown = (output: string): string => shortened(fence(output), maxTokens);

  return {
    specs: tools.map(({ spec }) => spec),
    has: (name) => byName.has(name),
    shown,
    async invoke(call) {
      const tool = byName.get(call.name);
      if (!tool) return unknownTool(call.name);

      const result = await tool.invoke(call, context);
      return { ...result, output: shown(result.output) };
    },
  };
}

/** Headers, notes and references of fenced characters come on top of a page. */
const TOLERANCE = 1.5;

const unknownTool = (name: string): ToolResult => ({
  ok: false,
  output: fence(`Error: Unknown tool: ${onOneLine(name)}`),
});
