import * as z from "zod";
import type { Conversation } from "./model.ts";

/** A conversation in answers. */
export const ConversationView = z
  .object({
    conversation_id: z.string(),
    title: z.string(),
    description: z.string().nullable(),
    agent_id: z.string(),
    created_by: z.string(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "Conversation" });

/** The fields of a conversation that reveal nothing of its contents, for callers who may write but not read. */
export const ConversationReference = ConversationView.pick({
  conversation_id: true,
  agent_id: true,
  created_at: true,
  updated_at: true,
}).meta({ id: "ConversationReference" });

export const toConversationView = (conversation: Conversation): z.infer<typeof ConversationView> => ({
  conversation_id: conversation.id,
  title: conversation.title,
  description: conversation.description,
  agent_id: conversation.agentId,
  created_by: conversation.createdBy,
  created_at: conversation.createdAt,
  updated_at: conversation.updatedAt,
});
