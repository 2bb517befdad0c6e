import * as z from "zod";
import type { Message } from "./model.ts";

/** A message as callers see it; the content of files stays with the model. */
export const MessageView = z
  .object({
    message_id: z.string(),
    conversation_id: z.string(),
    role: z.string(),
    content: z.string(),
    attachments: z.array(z.object({ filename: z.string(), size: z.number() })),
    created_at: z.string(),
    status: z.enum(["complete", "interrupted"]),
    tool_calls: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        arguments: z.string(),
        output: z.string(),
        success: z.boolean(),
      }),
    ),
    usage: z
      .object({ input_tokens: z.number(), output_tokens: z.number(), cached_tokens: z.number() })
      .nullable(),
    run_id: z.string().nullable(),
  })
  .meta({ id: "Message" });

export const toMessageView = (message: Message): z.infer<typeof MessageView> => ({
  message_id: message.id,
  conversation_id: message.conversationId,
  role: message.role,
  content: message.content,
  attachments: message.attachments.map(({ filename, size }) => ({ filename, size })),
  created_at: message.createdAt,
  status: message.status,
  tool_calls: message.toolCalls.map((call) => ({ ...call })),
  usage: message.usage && {
    input_tokens: message.usage.inputTokens,
    output_tokens: message.usage.outputTokens,
    cached_tokens: message.usage.cachedTokens,
  },
  run_id: message.runId,
});
