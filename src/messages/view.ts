import * as z from "zod";
import { CitationView, toCitationView } from "../knowledge/citation-model.ts";
import { TokenUsageView, toTokenUsageView } from "../plans/token-usage.ts";
import { type Message, MESSAGE_STATUSES } from "./model.ts";

/** A message in responses. The contents of its files are left out. */
export const MessageView = z
  .object({
    message_id: z.string(),
    conversation_id: z.string(),
    role: z.string(),
    content: z.string(),
    attachments: z.array(z.object({ filename: z.string(), size: z.number() })),
    created_at: z.string(),
    status: z.enum(MESSAGE_STATUSES),
    tool_calls: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        arguments: z.string(),
        output: z.string(),
        success: z.boolean(),
      }),
    ),
    citations: z.array(CitationView).optional(),
    usage: TokenUsageView.nullable(),
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
  tool_calls: message.toolCalls.map(({ step: _step, ...call }) => call),
  ...(message.citations && { citations: message.citations.map(toCitationView) }),
  usage: message.usage && toTokenUsageView(message.usage),
  run_id: message.runId,
});
