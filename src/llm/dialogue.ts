import type { Amendments } from "./amendments.ts";
import { type Json, objectFrom } from "../shared/json.ts";
import type { ModelMessage, ModelRequest, ToolCall, ToolSpec } from "./model.ts";

/** A conversation for providers that know two roles only: user and assistant alternate, and the user begins. */
export interface Dialogue {
  /** The parts of the system prompt, from the least to the most often changed. */
  readonly system: readonly string[];
  readonly turns: readonly DialogueTurn[];
  readonly tools: readonly ToolSpec[];
  /** Whether the model may call the tools. If not, `tools` still defines those that earlier calls refer to. */
  readonly mayCall: boolean;
}

export type DialogueTurn =
  | { readonly role: "user"; readonly results: readonly Result[]; readonly texts: readonly string[] }
  | {
      readonly role: "assistant";
      readonly texts: readonly string[];
      readonly calls: readonly Call[];
      /** What the provider expects back with this turn. Empty if that is nothing. */
      readonly providerData: Json;
    };

/** A turn that is still being built. */
type Growing =
  | { readonly role: "user"; readonly results: Result[]; readonly texts: string[] }
  | {
      readonly role: "assistant";
      readonly texts: string[];
      readonly calls: Call[];
      readonly providerData: Json;
    };

export interface DialogueOptions {
  /** The server and the model that the dialogue is for, as in `ProviderData`. */
  readonly source: string;
  readonly amendments: Amendments;
}

interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

interface Result {
  readonly id: string;
  readonly content: string;
}

/**
 * Converts any list of messages into a valid dialogue. Results follow their calls, grouped in one turn; a missing
 * result is replaced by a placeholder text; blank texts are dropped. Calls are renumbered, because a provider may
 * refuse the ids of another one. Data of other providers is left out.
 */
export function toDialogue(request: ModelRequest, { source, amendments }: DialogueOptions): Dialogue {
  const isPlain = amendments.has("tools");
  const tools = isPlain ? [] : request.tools;
  const messages = isPlain ? withoutCalls(request.messages) : request.messages;
  const turns: Growing[] = [];
  let calls = 0;

  for (const [index, message] of messages.entries()) {
    if (message.role === "user") add(turns, { role: "user", results: [], texts: nonBlank(message.content) });
    if (message.role !== "assistant") continue;

    const numbered = message.calls.map((call) => ({ id: `call_${++calls}`, ...toCall(call) }));
    const isOwn = message.providerData?.source === source && !amendments.has("provider-data");
    const providerData = isOwn ? (message.providerData?.data ?? {}) : {};
    add(turns, { role: "assistant", texts: nonBlank(message.content), calls: numbered, providerData });
    const results = resultsAfter(messages, index).map((content, at) => ({
      id: numbered[at]?.id ?? "",
      content,
    }));
    add(turns, { role: "user", results, texts: [] });
  }

  if (turns[0]?.role !== "user") turns.unshift({ role: "user", results: [], texts: ["(no message)"] });
  const called = [
    ...new Set(turns.flatMap((turn) => (turn.role === "assistant" ? namesOf(turn.calls) : []))),
  ];
  return {
    system: messages.filter(({ role }) => role === "system").flatMap(({ content }) => nonBlank(content)),
    turns,
    tools: tools.length > 0 ? tools : called.map(withheld),
    mayCall: tools.length > 0,
  };
}

/** Adds a turn, or merges it into the last one if both have the same role. Empty turns are dropped. */
function add(turns: Growing[], turn: DialogueTurn): void {
  const last = turns.at(-1);
  if (turn.role === "assistant") {
    if (turn.texts.length + turn.calls.length === 0) return;
    const { providerData } = turn;
    const same: Growing =
      last?.role === "assistant" ? last : { role: "assistant", texts: [], calls: [], providerData };
    same.texts.push(...turn.texts);
    same.calls.push(...turn.calls);
    if (same !== last) turns.push(same);
  } else {
    if (turn.texts.length + turn.results.length === 0) return;
    const same: Growing = last?.role === "user" ? last : { role: "user", results: [], texts: [] };
    same.results.push(...turn.results);
    same.texts.push(...turn.texts);
    if (same !== last) turns.push(same);
  }
}

/**
 * Returns the results of the calls of the message at `index`, in the order of the calls. Results directly follow the
 * message. Calls that share an id get their results in order; a missing or empty result is replaced by a placeholder.
 */
export function resultsAfter(messages: readonly ModelMessage[], index: number): readonly string[] {
  const asked = messages[index];
  let end = index + 1;
  while (messages[end]?.role === "tool") end++;
  const results = messages.slice(index + 1, end);

  return (asked?.role === "assistant" ? asked.calls : []).map(({ id }) => {
    const at = results.findIndex((result) => result.role === "tool" && result.callId === id);
    const [result] = at < 0 ? [] : results.splice(at, 1);
    if (!result) return "(no result)";
    return result.content.trim() === "" ? "(empty)" : result.content;
  });
}

/** Returns the messages without calls and their results, for models that can't call tools. */
export const withoutCalls = (messages: readonly ModelMessage[]): readonly ModelMessage[] =>
  messages.flatMap((message): ModelMessage[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant" || message.calls.length === 0) return [message];
    return message.content.trim() === "" ? [] : [{ role: "assistant", content: message.content, calls: [] }];
  });

/** Returns a call with a name that providers accept. Arguments that are not a JSON object are passed on as a text. */
export function toCall({ name, arguments: text }: ToolCall): Omit<Call, "id"> {
  const input = text.trim() === "" ? {} : (objectFrom(text) ?? { malformed_arguments: text });
  return { name: name.replaceAll(/[^\w-]/gu, "_").slice(0, MAX_NAME_CHARS) || "unknown", input };
}

/** The lowest limit among the providers. */
const MAX_NAME_CHARS = 64;

/** Defines a tool that earlier calls refer to and that is no longer offered. */
const withheld = (name: string): ToolSpec => ({
  name,
  description: "This tool can no longer be called. Answer in words.",
  parameters: { type: "object", properties: {} },
});

const namesOf = (calls: readonly Call[]): readonly string[] => calls.map(({ name }) => name);

const nonBlank = (text: string): readonly string[] => (text.trim() === "" ? [] : [text]);
