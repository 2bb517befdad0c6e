import { type Json, objectFrom } from "./json.ts";
import type { ModelMessage, ModelRequest, ToolCall, ToolSpec } from "./model.ts";

/** A conversation as providers want it that know two speakers only: they alternate, and the user begins. */
export interface Dialogue {
  /** From what changes least to what changes most. */
  readonly system: readonly string[];
  readonly says: readonly Say[];
  readonly tools: readonly ToolSpec[];
  /** Whether the tools may be called. They are named nonetheless where earlier calls need them to be. */
  readonly mayCall: boolean;
}

export type Say =
  | { readonly role: "user"; readonly results: readonly Result[]; readonly texts: readonly string[] }
  | { readonly role: "assistant"; readonly texts: readonly string[]; readonly calls: readonly Call[] };

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
 * Makes a dialogue of messages, whatever they are: results follow their calls, grouped in one say; a result that is
 * missing is put in words; blank texts are left out. Calls are numbered anew, because the ids of another provider
 * need not please this one.
 */
export function toDialogue({ messages, tools }: ModelRequest): Dialogue {
  const says: Say[] = [];
  let calls = 0;

  for (const [index, message] of messages.entries()) {
    if (message.role === "user") add(says, { role: "user", results: [], texts: written(message.content) });
    if (message.role !== "assistant") continue;

    const made = message.calls.map((call) => ({ id: `call_${++calls}`, ...toCall(call) }));
    add(says, { role: "assistant", texts: written(message.content), calls: made });
    const results = resultsAfter(messages, index).map((content, at) => ({ id: made[at]?.id ?? "", content }));
    add(says, { role: "user", results, texts: [] });
  }

  if (says[0]?.role !== "user") says.unshift({ role: "user", results: [], texts: ["(no message)"] });
  const called = [...new Set(says.flatMap((say) => (say.role === "assistant" ? namesOf(say.calls) : [])))];
  return {
    system: messages.filter(({ role }) => role === "system").flatMap(({ content }) => written(content)),
    says,
    tools: tools.length > 0 ? tools : called.map(withheld),
    mayCall: tools.length > 0,
  };
}

/** Adds a say, or joins it with the last one where the same side spoke. */
function add(says: Say[], say: Say): void {
  const last = says.at(-1);
  if (say.role === "assistant") {
    if (say.texts.length + say.calls.length === 0) return;
    const isSame = last?.role === "assistant";
    const { texts, calls } = isSame ? last : { texts: [], calls: [] };
    if (isSame) says.pop();
    says.push({ role: "assistant", texts: [...texts, ...say.texts], calls: [...calls, ...say.calls] });
  } else {
    if (say.texts.length + say.results.length === 0) return;
    const isSame = last?.role === "user";
    const { texts, results } = isSame ? last : { texts: [], results: [] };
    if (isSame) says.pop();
    says.push({ role: "user", results: [...results, ...say.results], texts: [...texts, ...say.texts] });
  }
}

/**
 * What came of each call of the message at `index`, in their order. Results stand directly behind their calls; calls
 * of one id are answered in turn, and what is missing is put in words.
 */
export function resultsAfter(messages: readonly ModelMessage[], index: number): readonly string[] {
  const [asked, ...following] = messages.slice(index);
  const end = following.findIndex(({ role }) => role !== "tool");
  const results = end < 0 ? following : following.slice(0, end);

  return (asked?.role === "assistant" ? asked.calls : []).map(({ id }) => {
    const at = results.findIndex((result) => result.role === "tool" && result.callId === id);
    const [result] = at < 0 ? [] : results.splice(at, 1);
    if (!result) return "(no result)";
    return result.content.trim() === "" ? "(empty)" : result.content;
  });
}

/** A name that providers accept; arguments that are no object are shown to the model as it wrote them. */
export function toCall({ name, arguments: text }: ToolCall): Omit<Call, "id"> {
  const input = text.trim() === "" ? {} : (objectFrom(text) ?? { malformed_arguments: text });
  return { name: name.replaceAll(/[^\w-]/gu, "_").slice(0, MAX_NAME_CHARS) || "unknown", input };
}

/** The shortest of what providers allow. */
const MAX_NAME_CHARS = 64;

const withheld = (name: string): ToolSpec => ({
  name,
  description: "Can't be called any more. Answer in words.",
  parameters: { type: "object", properties: {} },
});

const namesOf = (calls: readonly Call[]): readonly string[] => calls.map(({ name }) => name);

const written = (text: string): readonly string[] => (text.trim() === "" ? [] : [text]);
