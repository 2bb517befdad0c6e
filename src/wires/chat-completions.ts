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

/** Returns what an answer says about calls that wait for an approval: these clients know no other way to show it. */
export const approvalNotice = (names: readonly string[]): string =>
  names.length === 0
    ? "(Waiting for an approval.)"
    : `(Waiting for an approval: ${[...new Set(names)].join(", ")}.)`;

/**
 * Returns a function that writes the events of a run as OpenAI's chunks. The agent's own tools, memory and status lines stay hidden. A run that
 * was cancelled ends like one that has said enough; the run itself tells the difference.
 */
export function chatCompletionsWriter(wire: ChatCompletionsWire, run: FramedRun): FrameWriter {
  let hasBegun = false;
  let usage: TokenUsage | null = null;
  /** How many calls the client has been told of, and which of them have no result yet. */
  let calls = 0;
  const open = new Set<string>();
  /** The tools that wait for an approval, by the ids of their calls. */
  const approvals = new Map<string, string>();
  const about = {
    id: completionIdOf(run),
    object: "chat.completion.chunk",
    created: Math.floor(run.startedAt / 1000),
    model: wire.model,
  };
  const chunk = (delta: object, finishReason: "stop" | "length" | "tool_calls" | null): string =>
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
      case "call-waiting": {
        const { callId: id, name, arguments: text, waitsFor } = event;
        if (waitsFor === "approval") {
          approvals.set(id, name);
          return "";
        }
        open.add(id);
        const call = { index: calls++, id, type: "function", function: { name, arguments: text } };
        return chunk({ tool_calls: [call] }, null);
      }
      case "call-decided":
        open.delete(event.callId);
        approvals.delete(event.callId);
        return "";
      case "waiting":
        if (open.size > 0) return ending("tool_calls");
        return chunk({ content: approvalNotice([...approvals.values()]) }, null) + ending("stop");
      case "completed": {
        const rest = missingText(event, answerBefore);
        const last = rest === "" ? "" : chunk({ content: rest }, null);
        return last + ending(open.size > 0 ? "tool_calls" : event.isCut ? "length" : "stop");
      }
      case "cancelled":
        return ending("stop");
      case "failed":
        return dataFrame(openAiError(new AppError(event.code, event.message)));
      default:
        return "";
    }
  }

  function ending(finishReason: "stop" | "length" | "tool_calls"): string {
    const counted = usage ? toCompletionUsage(usage) : null;
    const usageChunk = wire.includesUsage ? dataFrame({ ...about, choices: [], usage: counted }) : "";
    return chunk({}, finishReason) + usageChunk + DONE;
  }
}
