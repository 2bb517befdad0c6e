import { isObject, valueFrom } from "../shared/json.ts";
import * as z from "zod";
import type { Citation } from "../knowledge/citation-model.ts";
import type { ToolCall, ToolSpec } from "../llm/model.ts";
import { AppError } from "../shared/errors.ts";

/** The result of a tool call. The model reads `output`. An output that begins with `Error:` is a failure. */
export interface ToolResult {
  readonly ok: boolean;
  readonly output: string;
  /** The passages of knowledge bases that the output shows. Absent if it shows none. */
  readonly citations?: readonly Citation[];
}

/** What a tool returns: its output, or with it the passages that the output shows. */
type ToolOutput = string | Required<Pick<ToolResult, "output" | "citations">>;

/** A tool that can be offered to a model. `Context` is everything that the tool may access. */
export interface Tool<Context> {
  readonly spec: ToolSpec;
  /**
   * Runs the tool with the arguments as the model wrote them. Mistakes of the model (an `AppError` below status 500)
   * are returned as text that it can read. Throws everything else.
   */
  invoke(call: ToolCall, context: Context): Promise<ToolResult>;
}

interface Definition<Input extends z.ZodObject, Context> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  run(input: z.infer<Input>, context: Context): Promise<ToolOutput> | ToolOutput;
}

/**
 * Creates a tool. The input type stays inside the closure, so that tools with different inputs fit into one list. Null and
 * an empty text are absent for every optional argument, because some models send them for what they leave out.
 */
export function defineTool<Input extends z.ZodObject, Context>(
  tool: Definition<Input, Context>,
): Tool<Context> {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(tool.input, { io: "input" });
  const { name, description, input } = tool;
  const spec = { name, description, parameters };
  return toolOf<Input, Context>({ spec, input, run: (given, context) => tool.run(given, context) });
}

/** Like `defineTool`, for a tool whose description for models is not made from its schema. */
export function toolOf<Input extends z.ZodObject, Context>(
  tool: Pick<Definition<Input, Context>, "input" | "run"> & { readonly spec: ToolSpec },
): Tool<Context> {
  const { spec } = tool;
  const optional = Object.entries<z.ZodType>(tool.input.shape).flatMap(([name, schema]) =>
    schema.safeParse(undefined).success ? [name] : [],
  );

  return {
    spec,
    async invoke(call, context) {
      const input = tool.input.safeParse(withoutEmpty(parseArguments(call.arguments), optional), {
        error: missingArgument,
      });
      if (!input.success) return failure(describeProblems(spec.name, input.error));

      try {
        const result = await tool.run(input.data, context);
        const { output, ...more } = typeof result === "string" ? { output: result } : result;
        return { ok: !output.startsWith("Error:"), output, ...more };
      } catch (error) {
        if (error instanceof AppError && error.status < 500) return failure(error.message);
        throw error;
      }
    },
  };
}

/** Returns a call's arguments as an object, for clients that follow the turn; `{}` if they are not a JSON object. */
export function argumentsOf(call: ToolCall): Record<string, unknown> {
  const parsed = parseArguments(call.arguments);
  return isObject(parsed) ? { ...parsed } : {};
}

/** Parses arguments; `undefined` if they are not JSON. Some models send an empty text to a tool without parameters. */
const parseArguments = (text: string): unknown => (text.trim() === "" ? {} : valueFrom(text));

/** Returns arguments without the optional ones that are null or an empty text. Anything but an object stays as it is. */
function withoutEmpty(input: unknown, optional: readonly string[]): unknown {
  if (!isObject(input)) return input;
  const isEmpty = ([name, value]: readonly [string, unknown]) =>
    optional.includes(name) && (value === null || (typeof value === "string" && value.trim() === ""));
  return Object.fromEntries(Object.entries(input).filter((entry) => !isEmpty(entry)));
}

/** Words a missing argument for the model; `undefined` leaves other problems to zod. */
const missingArgument = ({ code, input }: z.core.$ZodRawIssue): string | undefined =>
  code === "invalid_type" && input === undefined ? "This argument is required." : undefined;

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
