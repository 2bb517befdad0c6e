import { field, parseJson } from "../../../scripts/json.ts";
import { textOf } from "../../../scripts/model-reply.ts";
import type { ChatRequest, ChatTool, ReplyStep } from "../../../scripts/model-server.ts";
import { SERVER_NAME } from "./protocol.ts";

const PREFIX = `${SERVER_NAME}__`;

/**
 * Answers as a model that calls the tools of the suite's server one after the other: those that the message names, with its arguments, otherwise
 * each tool once with arguments that its schema allows. The last answer repeats the results.
 */
export function callingTools({ messages, tools = [] }: ChatRequest): readonly ReplyStep[] {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const results = messages.slice(asked).filter(({ role }) => role === "tool");
  const call = callsFor(textOf(messages[asked]?.content), tools)[results.length];
  if (call !== undefined)
    return [{ call: { name: PREFIX + call.name, arguments: JSON.stringify(call.arguments) } }];
  return [{ text: results.map(({ content }) => textOf(content)).join(" | ") || "no calls" }];
}

interface PlannedCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

function callsFor(message: string, tools: readonly ChatTool[]): readonly PlannedCall[] {
  // The service adds the time below the message.
  const [line = ""] = message.split("\n");
  const planned = field(parseJson(line), "calls");
  if (Array.isArray(planned)) return planned;
  return tools
    .filter(({ function: { name } }) => name.startsWith(PREFIX))
    .map(({ function: { name, parameters } }) => ({
      name: name.slice(PREFIX.length),
      arguments: Object.fromEntries(
        Object.entries(field(parameters, "properties") ?? {}).map(([key, schema]) => [key, valueOf(schema)]),
      ),
    }));
}

/** Returns a value that a schema allows. */
function valueOf(schema: unknown): unknown {
  const type = field(schema, "type");
  if (type === "number" || type === "integer") return 2;
  if (type === "boolean") return true;
  if (type === "array") return [];
  return type === "object" ? {} : "text";
}
