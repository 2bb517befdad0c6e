import type { AgentEvent } from "../architectures/events.ts";
import type { TokenUsage } from "../llm/model.ts";
import { AppError } from "../shared/errors.ts";
import { openAiError } from "../http/openai-error.ts";
import { dataFrame, DONE, type FramedRun, type FrameWriter, missingText, type Wire } from "./wire.ts";

type ChatCompletionsWire = Wire & { readonly kind: "chat-completions" };

/** Returns the id of a run's completion. */
export const completionIdOf = ({ runId }: Pick<FramedRun, "runId">): string => `chatcmpl-${runId}`;

/** Returns token counts in the form of OpenAI's completions. */
export const toCompletionUsage = ({
  inputTokens,
  outputTokens,
  cachedTokens,
  reasoningTokens,
}: TokenUsage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
  ...(reasoningTokens !== undefined && {
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  }),
});

/**
 * Returns a function that writes the events of a run as OpenAI's chunks. Tools, memory and status lines stay hidden. A run that
 * was cancelled ends like one that has said enough; the run itself tells the difference.
 */
export function chatCompletionsWriter(wire: ChatCompletionsWire, run: FramedRun): FrameWriter {
  let hasBegun = false;
  let usage: TokenUsage | null = null;
  const about = {
    id: completionIdOf(run),
    object: "chat.completion.chunk",
    created: Math.floor(run.startedAt / 1000),
    model: wire.model,
  };
  const chunk = (delta: object, finishReason: "stop" | "length" | null): string =>
    dataFrame({
      ...about,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(wire.includesUsage && { usage: null }),
    });

  return (event, _seq, answerBefore) => {
    // The first chunk names the role, and leaves as soon as the run has begun.
    const first = hasBegun ? "" : chunk({ role: "assistant", content: "" }, null);
    hasBegun = true;
    if (event.type === "usage") usage = event.usage;
    return first + framesOf(event, answerBefore);
  };

  function framesOf(event: AgentEvent, answerBefore: () => string): string {
    switch (event.type) {
      case "text":
        return chunk({ content: event.text }, null);
      case "completed": {
        const rest = missingText(event, answerBefore);
        const last = rest === "" ? "" : chunk({ content: rest }, null);
        return last + ending(event.isCut ? "length" : "stop");
      }
      case "cancelled":
        return ending("stop");
      case "failed":
        return dataFrame(openAiError(new AppError(event.code, event.message)));
      default:
        return "";
    }
  }

  function ending(finishReason: "stop" | "length"): string {
    const counted = usage ? toCompletionUsage(usage) : null;
    const usageChunk = wire.includesUsage ? dataFrame({ ...about, choices: [], usage: counted }) : "";
    return chunk({}, finishReason) + usageChunk + DONE;
  }
}
