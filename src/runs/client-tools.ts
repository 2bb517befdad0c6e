import * as z from "zod";
import { isReservedToolName } from "../http-tools/model.ts";
import { withoutProto } from "../http/schemas.ts";
import type { ToolSpec } from "../llm/model.ts";
import { rule } from "../shared/violations.ts";

/** How many tools a client may send, and how long their definitions may be together, as JSON. */
export const MAX_CLIENT_TOOLS = 64;
const MAX_TOOLS_CHARS = 64 * 1024;
/** The runner stores a result in one row of at most 2 MB, as JSON, in which a character may take six bytes. */
export const MAX_RESULT_CHARS = 200_000;
/** Far more than providers accept. Anti-DoS: a value that nests thousands of levels can't be passed to the runner. */
export const MAX_LEVELS = 100;

/** Returns whether a value nests at most `MAX_LEVELS` levels. Takes linear time and does not recurse. */
export function nestsLittle(value: unknown): boolean {
  let level = [value];
  for (let left = MAX_LEVELS; left > 0 && level.length > 0; left--)
    level = level.flatMap((inner): unknown[] =>
      typeof inner === "object" && inner !== null ? Object.values(inner) : [],
    );
  return level.every((inner) => typeof inner !== "object" || inner === null);
}

/** A JSON Schema. */
export const JsonSchema = withoutProto(z.record(z.string(), z.unknown())).refine(nestsLittle, {
  error: rule(`must nest at most ${MAX_LEVELS} levels.`),
});

/** The name of a tool that the client runs. */
export const ClientToolName = z
  .string()
  .regex(/^(?!__proto__$)[\w-]{1,64}$/u, {
    error: rule("must have 1 to 64 letters, digits, `_` and `-`, and not be `__proto__`."),
  })
  .refine((name) => !isReservedToolName(name), {
    error: rule("begins like the agent's own tools. Choose another name."),
  })
  .describe("The name by which the model calls it.");

/** What a tool that the client runs does. */
export const ClientToolDescription = z.string().max(4_000).nullish().describe("What it does, for the model.");

/** The arguments of a tool that the client runs. */
export const ClientToolParameters = JsonSchema.refine(({ type }) => type === undefined || type === "object", {
  error: rule("must be a JSON Schema of the type `object`."),
})
  .nullish()
  .describe("The JSON Schema of its arguments.");

/** Returns a tool of the client as models are offered it. */
export const toClientTool = ({
  name,
  description,
  parameters,
}: {
  readonly name: string;
  readonly description?: z.output<typeof ClientToolDescription>;
  readonly parameters?: z.output<typeof ClientToolParameters>;
}): ToolSpec => ({
  name,
  description: description ?? "",
  parameters: { ...parameters, type: "object", properties: parameters?.["properties"] ?? {} },
});

/** The rule that limits how long the definitions of a client's tools are together. */
export const fitsTogether = [
  (tools: readonly unknown[]): boolean => JSON.stringify(tools).length <= MAX_TOOLS_CHARS,
  { error: rule(`must have at most ${MAX_TOOLS_CHARS / 1024} KB in all.`) },
] as const;
