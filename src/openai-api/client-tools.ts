import * as z from "zod";
import type { ToolCall, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { GivenMessage } from "../messages/model.ts";
import {
  ClientToolDescription,
  ClientToolName,
  ClientToolParameters,
  fitsTogether,
  MAX_CLIENT_TOOLS,
  MAX_RESULT_CHARS,
} from "../runs/client-tools.ts";
import type { GivenResponse, TurnInput } from "../runs/turn.ts";
import { rule } from "../shared/violations.ts";

/** As many as a response of a model can have; see `llm/tool-calls.ts`. So is the length of their arguments. */
export const MAX_CALLS = 256;
const MAX_ARGUMENT_CHARS = 100_000;
/** The members that describe a tool of the client. */
export const TOOL_MEMBERS = {
  name: ClientToolName,
  description: ClientToolDescription,
  parameters: ClientToolParameters,
};

/** Returns the schema of a list of tools. */
export const toolList = <Tool extends z.ZodType<{ readonly name: string }>>(tool: Tool) =>
  z
    .array(tool)
    .max(MAX_CLIENT_TOOLS)
    .refine(...fitsTogether)
    .refine((tools) => new Set(tools.map(({ name }) => name)).size === tools.length, {
      error: rule("must not have a name twice."),
    });

/** The choices that name no tool. */
export const CHOICES = ["none", "auto", "required"] as const;
export const NO_CHOICE = { error: rule("must be `none`, `auto`, `required`, or name one of the tools.") };

/** Which of the client's tools the model may or must call. */
type Choice = (typeof CHOICES)[number] | { readonly name: string } | undefined;

/** Adds an issue to the context if a choice does not fit the tools. `path` is where the name of the chosen tool is. */
export function requireChoice(
  tools: readonly { readonly name: string }[],
  choice: Choice,
  path: readonly string[],
  context: z.RefinementCtx,
): void {
  const isKnown = typeof choice !== "object" || tools.some(({ name }) => name === choice.name);
  if (choice === "required" && tools.length === 0)
    context.addIssue({ code: "custom", message: "tool_choice needs `tools`.", path: ["tool_choice"] });
  if (!isKnown)
    context.addIssue({
      code: "custom",
      message: `${path.join(".")} must be the name of one of the \`tools\`.`,
      path: [...path],
    });
}

/** The tools of the client that a turn offers to the model, and how the model may call them. */
export type OfferedTools = Pick<TurnInput, "clientTools" | "oneClientCall" | "toolChoice">;

/** Returns the tools that the model is offered, and how it may call them. `isParallel`: the request's `parallel_tool_calls`. */
export function clientToolsOf(
  tools: readonly ToolSpec[],
  choice: Choice,
  isParallel: boolean | null | undefined,
): OfferedTools {
  if (tools.length === 0 || choice === "none") return {};
  const toolChoice: ToolChoice | undefined =
    typeof choice === "object" ? { name: choice.name } : choice === "required" ? { name: null } : undefined;
  return {
    clientTools: tools,
    ...(toolChoice && { toolChoice }),
    ...(isParallel === false && { oneClientCall: true }),
  };
}

/** The id, the name and the arguments of a call that a request brings back. */
export const CALL_ID = z.string().min(1).max(200);
export const CALL_NAME = z.string().min(1).max(200);
export const CALL_ARGUMENTS = z.string().max(MAX_ARGUMENT_CHARS);

/** A message of a request, or the result of a call. */
export interface PastEntry extends GivenMessage {
  readonly index: number;
  readonly role: "user" | "assistant";
  /** The calls of an answer. Empty if it has none. */
  readonly calls: readonly ToolCall[];
  /** The id of the call that this is the result of. Absent in messages. */
  readonly resultOf?: string | undefined;
}

/** A message of a request. Its calls have their results. */
export type PastMessage<Entry extends PastEntry = PastEntry> = Omit<Entry, "calls"> &
  Pick<GivenResponse, "calls">;

/** Adds an issue about a member of the entry at an index: its calls, the id of the call, or the result. */
type Refuse = (index: number, member: "calls" | "id" | "output", predicate: string) => void;

/** Refuses a result that is too long. */
export function requireShort({ index, content }: Pick<PastEntry, "index" | "content">, refuse: Refuse): void {
  if (content.length > MAX_RESULT_CHARS)
    refuse(index, "output", `must have at most ${MAX_RESULT_CHARS} characters in the result of a tool.`);
}

/** Returns the messages of a request, with the results of the client's tools joined to their calls. Takes linear time. */
export function withResults<Entry extends PastEntry>(
  entries: readonly Entry[],
  refuse: Refuse,
): readonly PastMessage<Entry>[] {
  const read: PastMessage<Entry>[] = [];
  /** The last answer, and the results that its calls have. */
  let last: Entry | undefined;
  let ids = new Set<string>();
  let results = new Map<string, string>();

  const close = (): void => {
    if (!last) return;
    const missing = last.calls.find(({ id }) => !results.has(id));
    if (missing)
      refuse(last.index, "calls", `must be followed by a result of each call. Missing: ${missing.id}.`);
    const calls = last.calls.map((call) => ({ ...call, output: results.get(call.id) ?? "" }));
    read.push({ ...last, calls });
  };

  for (const entry of entries) {
    const { index, resultOf: id } = entry;
    if (id !== undefined) {
      if (!ids.has(id)) refuse(index, "id", "must be the id of a call in the answer before.");
      else if (results.has(id)) refuse(index, "id", "must not have a result already.");
      requireShort(entry, refuse);
      results.set(id, entry.content);
      continue;
    }

    close();
    last = entry;
    ids = new Set(entry.calls.map((call) => call.id));
    results = new Map();
    if (ids.size < entry.calls.length) refuse(index, "calls", "must not have an id twice.");
    if (ids.size > 0 && entry.role !== "assistant")
      refuse(index, "calls", "must be in a message of the role `assistant`.");
  }
  close();
  return read;
}

/** Returns a message of the history, in the form in which stored messages have their calls. */
export const toGiven = ({ role, content, attachments, calls }: PastMessage): GivenMessage => ({
  role,
  content,
  attachments,
  ...(calls.length > 0 && { toolCalls: calls.map((call) => ({ ...call, success: true, step: 0 })) }),
});
