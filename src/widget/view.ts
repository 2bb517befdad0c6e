import * as z from "zod";
import type { VisitorProfile } from "../access/publishable-key.ts";
import type { Conversation } from "../conversations/model.ts";
import type { Message } from "../messages/model.ts";
import type { VisitorToken } from "./model.ts";

export const WidgetConfig = z
  .object({
    agent_name: z.string(),
    agent_id: z.string(),
    welcome_message: z.string(),
    theme: z.object({}),
    requires_sign_in: z.boolean(),
    sign_in_url: z.string().nullable(),
  })
  .meta({ id: "WidgetConfig" });

export const VisitorTokenView = z
  .object({
    access_token: z.string(),
    token_type: z.literal("bearer"),
    expires_in: z.number(),
    visitor: z.object({
      visitor_id: z.string(),
      email: z.string().nullable(),
      name: z.string().nullable(),
      picture: z.string().nullable(),
    }),
  })
  .meta({ id: "VisitorToken" });

export const toVisitorTokenView = ({
  token,
  expiresInSeconds,
  visitorId,
  profile: { email, name, picture },
}: VisitorToken): z.infer<typeof VisitorTokenView> => ({
  access_token: token,
  token_type: "bearer",
  expires_in: expiresInSeconds,
  visitor: { visitor_id: visitorId, email, name, picture },
});

export const WidgetConversationView = z
  .object({
    conversation_id: z.string(),
    agent_id: z.string(),
    visitor_id: z.string(),
    visitor_name: z.string().nullable(),
    title: z.string(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
    message_count: z.number(),
  })
  .meta({ id: "WidgetConversation" });

export const toWidgetConversationView = (
  conversation: Conversation,
  { name }: VisitorProfile,
): z.infer<typeof WidgetConversationView> => ({
  conversation_id: conversation.id,
  agent_id: conversation.agentId,
  visitor_id: conversation.createdBy,
  visitor_name: name,
  title: conversation.title,
  created_at: conversation.createdAt,
  updated_at: conversation.updatedAt,
  message_count: conversation.messageCount,
});

/** A message as visitors see it: without what tools have sent and received, and without the counts of tokens. */
export const WidgetMessageView = z
  .object({ message_id: z.string(), role: z.string(), content: z.string(), created_at: z.string() })
  .meta({ id: "WidgetMessage" });

export const toWidgetMessageView = ({
  id,
  role,
  content,
  createdAt,
}: Message): z.infer<typeof WidgetMessageView> => ({
  message_id: id,
  role,
  content,
  created_at: createdAt,
});
