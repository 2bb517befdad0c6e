import type { Amendments } from "./amendments.ts";
import { type Dialogue, type DialogueOptions, type DialogueTurn, toDialogue } from "./dialogue.ts";
import { portableSchema } from "./tool-schemas.ts";
import { objectsAt } from "../shared/json.ts";
import type { ModelRequest, ToolSpec } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** Caches the prompt up to this point. A cache hit costs a tenth of the normal input price. */
const CACHED = { cache_control: { type: "ephemeral" } } as const;

/**
 * Returns the body of a request to Anthropic's messages API. Cache marks are set after the parts that stay the same
 * from request to request.
 */
export function toAnthropicBody(
  model: string,
  request: ModelRequest,
  settings: ModelSettings,
  { source, amendments }: DialogueOptions,
): object {
  const { system, turns, tools, mayCall } = toDialogue(request, { source, amendments });
  const takesTemperature = TAKES_TEMPERATURE.test(model) && !amendments.has("temperature");

  return {
    model,
    stream: true,
    max_tokens: maxTokens(model, settings, amendments),
    ...(settings.temperature !== undefined &&
      takesTemperature && { temperature: Math.min(settings.temperature, 1) }),
    ...(system.length > 0 && { system: systemBlocks(system) }),
    messages: messagesOf(turns),
    ...(tools.length > 0 && { tools: toolsOf(tools) }),
    ...(tools.length > 0 && !amendments.has("tool-choice") && toolChoiceOf(request, mayCall)),
  };
}

function toolChoiceOf({ toolChoice }: ModelRequest, mayCall: boolean): object {
  if (!mayCall) return { tool_choice: { type: "none" } };
  if (!toolChoice) return {};
  const { name } = toolChoice;
  return { tool_choice: name === null ? { type: "any" } : { type: "tool", name } };
}

/** The API requires a number and refuses one above the model's limit, which it then states. */
function maxTokens(model: string, { maxOutputTokens }: ModelSettings, amendments: Amendments): number {
  const wanted = maxOutputTokens ?? defaultMaxTokens(model);
  return Math.min(wanted, amendments.get("output-limit") || wanted);
}

/** The first part never changes, and the rest does not change within a turn, so both ends are cached. */
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
    input_schema: portableSchema(parameters),
    ...(index === tools.length - 1 && CACHED),
  }));

function messagesOf(turns: readonly DialogueTurn[]): readonly object[] {
  return turns.map((turn, index) => {
    const blocks = blocksOf(turn);
    const isLast = index === turns.length - 1;
    const content = isLast ? [...blocks.slice(0, -1), { ...blocks.at(-1), ...CACHED }] : blocks;
    return { role: turn.role, content };
  });
}

/** The API requires tool results to come first in a user message. */
function blocksOf(turn: DialogueTurn): readonly object[] {
  const texts = turn.texts.map((text) => ({ type: "text", text }));
  return turn.role === "user"
    ? [
        ...turn.results.map(({ id, content }) => ({ type: "tool_result", tool_use_id: id, content })),
        ...texts,
      ]
    : [
        ...objectsAt(turn.providerData, "thinking"),
        ...texts,
        ...turn.calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input })),
      ];
}

/** Returns the maximum number of output tokens if the agent sets none. */
function defaultMaxTokens(model: string): number {
  if (model.startsWith("claude-3-5")) return 8_192;
  return /^claude-(?:2|3-(?:opus|sonnet|haiku)|instant)/u.test(model) ? 4_096 : 16_000;
}

/** Claude models from 4.7 on refuse a temperature. */
const TAKES_TEMPERATURE = /^claude-(?:[23]|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8})?$)/u;
