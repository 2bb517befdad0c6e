import type { ConversationId } from "../shared/id-types.ts";
import { MESSAGE_PREFIX } from "../table/keys.ts";
import * as z from "zod";
import { estimateTokens } from "../llm/token-estimate.ts";
import type { ModelMessage } from "../llm/model.ts";
import { messageTokens } from "../messages/reading.ts";
import type { Summary } from "../messages/summary-model.ts";
import type { NextContext } from "./context-service.ts";

/** A conversation's summary, as its owner sees it. */
export const SummaryView = z
  .object({
    conversation_id: z.string(),
    content: z.string(),
    covers_until: z.string(),
    last_message_id: z.string(),
    messages_covered: z.number(),
    by: z.enum(["model", "fallback"]),
    model: z.string().nullable(),
    run_id: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "ConversationSummary" });

const Section = z.object({ name: z.string(), text: z.string(), tokens: z.number() });

const SentMessage = z.object({
  role: z.enum(["user", "assistant", "tool"]),
  content: z.string(),
  tool_calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
  tool_call_id: z.string().nullable(),
  tokens: z.number(),
});

/** Explains the estimates to people who read them. */
const ESTIMATE =
  "Estimated from the scripts of the texts, with an error of 7 % on average. Providers count differently.";

/** What the next turn would send to the model. */
export const ContextView = z
  .object({
    conversation_id: z.string(),
    agent_id: z.string(),
    architecture: z.string(),
    model: z.object({ id: z.string(), window_tokens: z.number() }),
    estimate: z.string(),
    sections: z.array(Section),
    tools: z.array(z.object({ name: z.string(), tokens: z.number() })),
    history: z.object({
      stored: z.array(
        z.object({
          message_id: z.string(),
          role: z.string(),
          created_at: z.string(),
          tokens: z.number(),
          shortened: z.boolean(),
        }),
      ),
      sent: z.array(SentMessage),
      tokens: z.number(),
      max_tokens: z.number(),
    }),
    volatile: Section,
    left_out: z.object({
      session_timed_out: z.boolean(),
      messages: z.number(),
      has_older_messages: z.boolean(),
      messages_summarized: z.number(),
      memory_blocks: z.array(z.string()),
    }),
    totals: z.object({
      system_tokens: z.number(),
      tool_tokens: z.number(),
      history_tokens: z.number(),
      tokens: z.number(),
    }),
  })
  .meta({ id: "ConversationContext" });

export function toSummaryView(summary: Summary): z.infer<typeof SummaryView> {
  const [time = "", id = ""] = summary.coversUntil.slice(MESSAGE_PREFIX.length).split("#");
  return {
    conversation_id: summary.conversationId,
    content: summary.content,
    covers_until: time,
    last_message_id: id,
    messages_covered: summary.messagesCovered,
    by: summary.by,
    model: summary.model,
    run_id: summary.runId,
    created_at: summary.createdAt,
    updated_at: summary.updatedAt,
  };
}

export function toContextView(
  conversationId: ConversationId,
  { agentId, architecture, model, prompt, state, isTimedOut }: NextContext,
): z.infer<typeof ContextView> {
  const [system, ...conversation] = prompt.messages;
  const sent = conversation.map(toSent);
  const tools = prompt.tools.map((tool) => ({
    name: tool.name,
    tokens: estimateTokens(JSON.stringify(tool)),
  }));
  const volatile = { ...prompt.volatile, tokens: estimateTokens(prompt.volatile.text) };

  const systemTokens = system ? estimateTokens(system.content) : 0;
  const toolTokens = sumOf(tools);
  const historyTokens = sumOf(sent);
  return {
    conversation_id: conversationId,
    agent_id: agentId,
    architecture,
    model: { id: model.id, window_tokens: model.contextTokens },
    estimate: ESTIMATE,
    sections: prompt.sections.map(({ name, text }) => ({ name, text, tokens: estimateTokens(text) })),
    tools,
    history: {
      stored: prompt.window.map(({ message, maxTokens }) => ({
        message_id: message.id,
        role: message.role,
        created_at: message.createdAt,
        tokens: maxTokens ?? messageTokens(message),
        shortened: maxTokens !== null,
      })),
      sent,
      tokens: historyTokens,
      max_tokens: prompt.historyTokens,
    },
    volatile,
    left_out: {
      session_timed_out: isTimedOut,
      messages: state.history.length - prompt.window.length,
      has_older_messages: state.hasOlder,
      messages_summarized: state.summary?.messagesCovered ?? 0,
      memory_blocks: [...prompt.hiddenBlocks],
    },
    totals: {
      system_tokens: systemTokens,
      tool_tokens: toolTokens,
      history_tokens: historyTokens,
      tokens: systemTokens + toolTokens + historyTokens + volatile.tokens,
    },
  };
}

function toSent(message: ModelMessage): z.infer<typeof SentMessage> {
  const calls = message.role === "assistant" ? message.calls.map((call) => ({ ...call })) : [];
  const callsText = calls.map(({ name, arguments: text }) => name + text).join("");
  return {
    // System messages are shown as `sections`.
    role: message.role === "system" ? "user" : message.role,
    content: message.content,
    tool_calls: calls,
    tool_call_id: message.role === "tool" ? message.callId : null,
    tokens: estimateTokens(message.content) + estimateTokens(callsText),
  };
}

const sumOf = (counted: readonly { readonly tokens: number }[]): number =>
  counted.reduce((sum, { tokens }) => sum + tokens, 0);
