import { type Dialogue, type Say, toDialogue } from "./dialogue.ts";
import type { ModelRequest, ToolSpec } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** Up to here the provider keeps what it has read, and charges a tenth for it the next time. */
const CACHED = { cache_control: { type: "ephemeral" } } as const;

/** A request as the messages API wants it, with the marks of what stays the same from request to request. */
export function toAnthropicBody(model: string, request: ModelRequest, settings: ModelSettings): object {
  const { system, says, tools, mayCall } = toDialogue(request);

  return {
    model,
    stream: true,
    max_tokens: settings.maxOutputTokens ?? defaultMaxTokens(model),
    ...(settings.temperature !== undefined &&
      TAKES_TEMPERATURE.test(model) && { temperature: Math.min(settings.temperature, 1) }),
    ...(system.length > 0 && { system: systemBlocks(system) }),
    messages: messagesOf(says),
    ...(tools.length > 0 && { tools: toolsOf(tools) }),
    ...(tools.length > 0 && !mayCall && { tool_choice: { type: "none" } }),
  };
}

/** The first part never changes; what follows it does not change within a turn. */
const systemBlocks = (system: Dialogue["system"]): readonly object[] =>
  system.map((text, index) => ({
    type: "text",
    text,
    ...((index === 0 || index === system.length - 1) && CACHED),
  }));

const toolsOf = (tools: readonly ToolSpec[]): readonly object[] =>
  tools.map(({ name, description, parameters }, index) => ({
    name,
    description,
    input_schema: parameters,
    ...(index === tools.length - 1 && CACHED),
  }));

function messagesOf(says: readonly Say[]): readonly object[] {
  return says.map((say, index) => {
    const blocks = blocksOf(say);
    const isLast = index === says.length - 1;
    const content = isLast ? [...blocks.slice(0, -1), { ...blocks.at(-1), ...CACHED }] : blocks;
    return { role: say.role, content };
  });
}

/** Results have to stand before all else that the user says. */
function blocksOf(say: Say): readonly object[] {
  const texts = say.texts.map((text) => ({ type: "text", text }));
  return say.role === "user"
    ? [...say.results.map(({ id, content }) => ({ type: "tool_result", tool_use_id: id, content })), ...texts]
    : [...texts, ...say.calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input }))];
}

/** What an answer may take where the agent says nothing: the API wants a number, and refuses what a model can't do. */
function defaultMaxTokens(model: string): number {
  if (model.startsWith("claude-3-5")) return 8_192;
  return /^claude-(?:2|3-(?:opus|sonnet|haiku)|instant)/u.test(model) ? 4_096 : 16_000;
}

/** Models from 4.7 on refuse a temperature. */
const TAKES_TEMPERATURE = /^claude-(?:[23]|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8})?$)/u;
