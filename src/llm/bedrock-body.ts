import { type Dialogue, type Say, toDialogue } from "./dialogue.ts";
import type { ModelRequest, ToolSpec } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** Up to here the provider keeps what it has read, and charges a tenth for it the next time. */
const CACHE_POINT = { cachePoint: { type: "default" } } as const;

/** A request as the Converse API wants it. Tools have to be named as soon as a message speaks of one. */
export function toBedrockBody(model: string, request: ModelRequest, settings: ModelSettings): object {
  const { system, says, tools } = toDialogue(request);
  const { temperature, maxOutputTokens } = settings;
  const canCache = CACHES.test(model);
  const inference = {
    ...(temperature !== undefined &&
      !REFUSES_TEMPERATURE.test(model) && { temperature: Math.min(temperature, 1) }),
    ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
  };

  return {
    messages: messagesOf(says, canCache),
    ...(system.length > 0 && { system: systemBlocks(system, canCache) }),
    ...(Object.keys(inference).length > 0 && { inferenceConfig: inference }),
    ...(tools.length > 0 && { toolConfig: { tools: toolsOf(tools, canCache) } }),
  };
}

/** Models without a cache refuse its marks, so only those get them that are known to have one. */
const CACHES = /anthropic\.claude-(?:3-7|3-5-haiku|[a-z]+-[4-9])/u;

/** Claude from 4.7 on, as by Anthropic itself. */
const REFUSES_TEMPERATURE =
  /anthropic\.claude-(?!(?:v?2|instant|3|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|-v\d|$)))/u;

const systemBlocks = (system: Dialogue["system"], canCache: boolean): readonly object[] =>
  system.flatMap((text, index) => [{ text }, ...(canCache && index === 0 ? [CACHE_POINT] : [])]);

const toolsOf = (tools: readonly ToolSpec[], canCache: boolean): readonly object[] => [
  ...tools.map(({ name, description, parameters }) => ({
    toolSpec: { name, description, inputSchema: { json: parameters } },
  })),
  ...(canCache ? [CACHE_POINT] : []),
];

const messagesOf = (says: readonly Say[], canCache: boolean): readonly object[] =>
  says.map((say, index) => {
    const isLast = index === says.length - 1;
    return { role: say.role, content: [...blocksOf(say), ...(isLast && canCache ? [CACHE_POINT] : [])] };
  });

function blocksOf(say: Say): readonly object[] {
  const texts = say.texts.map((text) => ({ text }));
  return say.role === "user"
    ? [
        ...say.results.map(({ id, content }) => ({
          toolResult: { toolUseId: id, content: [{ text: content }] },
        })),
        ...texts,
      ]
    : [...texts, ...say.calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } }))];
}
