import * as z from "zod";
import type { Conversation } from "./model.ts";

/** A conversation as callers see it. */
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

export const toConversationView = (conversation: Conversation): z.infer<typeof ConversationView> => ({
  conversation_id: conversation.id,
  title: conversation.title,
  description: conversation.description,
  agent_id: conversation.agentId,
  created_by: conversation.createdBy,
  created_at: conversation.createdAt,
  updated_at: conversation.updatedAt,
});
