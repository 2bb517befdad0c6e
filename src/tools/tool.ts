import * as z from "zod";
import type { ToolCall, ToolSpec } from "../llm/model.ts";
import { AppError } from "../shared/errors.ts";

/** What a tool call came to. The output is what the model reads; outputs that begin with `Error:` are failures. */
export interface ToolResult {
  readonly ok: boolean;
  readonly output: string;
}

/** A tool, ready to be offered and called; `Context` is what it may reach. */
export interface Tool<Context> {
  readonly spec: ToolSpec;
  /** Runs the tool on the arguments as the model wrote them. What the model got wrong comes back as text it can read. */
  invoke(call: ToolCall, context: Context): Promise<ToolResult>;
}

interface Definition<Input extends z.ZodObject, Context> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  run(input: z.infer<Input>, context: Context): Promise<string> | string;
}

/** Closes over the input schema, so that a list of tools needs no type parameter per tool. */
export function defineTool<Input extends z.ZodObject, Context>(
  tool: Definition<Input, Context>,
): Tool<Context> {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(tool.input, { io: "input" });

  return {
    spec: { name: tool.name, description: tool.description, parameters },
    async invoke(call, context) {
      const input = tool.input.safeParse(parseArguments(call.arguments));
      if (!input.success) return failure(describeProblems(tool.name, input.error));

      try {
        const output = await tool.run(input.data, context);
        return { ok: !output.startsWith("Error:"), output };
      } catch (error) {
        if (error instanceof AppError && error.status < 500) return failure(error.message);
        throw error;
      }
    },
  };
}

/** The arguments as an object, for those who follow the turn; empty where the model wrote something else. */
export function argumentsOf(call: ToolCall): Record<string, unknown> {
  const parsed = parseArguments(call.arguments);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
}

/** No arguments at all are an empty object: that is how some models call a tool that takes none. */
function parseArguments(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeProblems(name: string, { issues }: z.ZodError): string {
  const problems = issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message,
  );
  return `Error: The arguments of ${name} are not valid. ${problems.join("; ")}`;
}

const failure = (message: string): ToolResult => ({
  ok: false,
  output: message.startsWith("Error:") ? message : `Error: ${message}`,
});
