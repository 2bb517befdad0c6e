import { type Dialogue, type DialogueOptions, type DialogueTurn, toDialogue } from "./dialogue.ts";
import { objectsAt } from "../shared/json.ts";
import { portableSchema } from "./tool-schemas.ts";
import type { Amendments } from "./amendments.ts";
import type { ModelRequest, ToolSpec } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** Caches the prompt up to this point. A cache hit costs a tenth of the normal input price. */
const CACHE_POINT = { cachePoint: { type: "default" } } as const;

/**
 * Returns the body of a request to the Converse API. The API requires tool definitions as soon as any message contains
 * a tool call.
 */
export function toBedrockBody(
  model: string,
  request: ModelRequest,
  settings: ModelSettings,
  options: DialogueOptions,
): object {
  const { system, turns, tools } = toDialogue(request, options);
  const { amendments } = options;
  const canCache = CACHES.test(model) && !amendments.has("cache");
  const inference = inferenceOf(model, settings, amendments);
  const inFront = amendments.has("system") ? system : [];
  const apart = amendments.has("system") ? [] : system;

  return {
    messages: messagesOf(withTexts(turns, inFront), canCache),
    ...(apart.length > 0 && { system: systemBlocks(apart, canCache) }),
    ...(Object.keys(inference).length > 0 && { inferenceConfig: inference }),
    ...(tools.length > 0 && {
      toolConfig: {
        tools: toolsOf(tools, canCache),
        ...(!amendments.has("tool-choice") && toolChoiceOf(request)),
      },
    }),
  };
}

function toolChoiceOf({ toolChoice }: ModelRequest): object {
  if (!toolChoice) return {};
  const { name } = toolChoice;
  return { toolChoice: name === null ? { any: {} } : { tool: { name } } };
}

function inferenceOf(model: string, { temperature, maxOutputTokens }: ModelSettings, amendments: Amendments) {
  const takesTemperature = !REFUSES_TEMPERATURE.test(model) && !amendments.has("temperature");
  const largest = amendments.get("output-limit");
  return {
    ...(temperature !== undefined && takesTemperature && { temperature: Math.min(temperature, 1) }),
    ...(maxOutputTokens !== undefined &&
      largest !== 0 && { maxTokens: Math.min(maxOutputTokens, largest ?? maxOutputTokens) }),
  };
}

/** Adds texts in front of the first turn, which is the user's. */
const withTexts = (turns: readonly DialogueTurn[], texts: readonly string[]): readonly DialogueTurn[] =>
  turns.map((turn, index) => (index === 0 ? { ...turn, texts: [...texts, ...turn.texts] } : turn));

/** Models without a prompt cache refuse cache points, so only models known to have one get them. */
const CACHES = /anthropic\.claude-(?:3-7|3-5-haiku|[a-z]+-[4-9])/u;

/** Claude models from 4.7 on refuse a temperature, as they do at Anthropic. */
const REFUSES_TEMPERATURE =
  /anthropic\.claude-(?!(?:v?2|instant|3|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|-v\d|$)))/u;

const systemBlocks = (system: Dialogue["system"], canCache: boolean): readonly object[] =>
  system.flatMap((text, index) => [{ text }, ...(canCache && index === 0 ? [CACHE_POINT] : [])]);

const toolsOf = (tools: readonly ToolSpec[], canCache: boolean): readonly object[] => [
  ...tools.map(({ name, description, parameters }) => ({
    toolSpec: { name, description, inputSchema: { json: portableSchema(parameters) } },
  })),
  ...(canCache ? [CACHE_POINT] : []),
];

const messagesOf = (turns: readonly DialogueTurn[], canCache: boolean): readonly object[] =>
  turns.map((turn, index) => {
    const isLast = index === turns.length - 1;
    return { role: turn.role, content: [...blocksOf(turn), ...(isLast && canCache ? [CACHE_POINT] : [])] };
  });

function blocksOf(turn: DialogueTurn): readonly object[] {
  const texts = turn.texts.map((text) => ({ text }));
  return turn.role === "user"
    ? [
        ...turn.results.map(({ id, content }) => ({
          toolResult: { toolUseId: id, content: [{ text: content }] },
        })),
        ...texts,
      ]
    : [
        ...objectsAt(turn.providerData, "reasoning").map((reasoningContent) => ({ reasoningContent })),
        ...texts,
        ...turn.calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
      ];
}
