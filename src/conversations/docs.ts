import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";
import { ANSWER_EXAMPLE } from "../messages/docs.ts";

/** A conversation in examples. */
export const CONVERSATION_EXAMPLE = {
  conversation_id: EXAMPLE.conversationId,
  title: "Hello",
  description: null,
  agent_id: EXAMPLE.agentId,
  created_by: EXAMPLE.email,
  created_at: EXAMPLE.at,
  updated_at: EXAMPLE.later,
};

const UPDATE =
  "Changes the title, the description or the agent; absent members keep their values. Moving a conversation to another agent keeps its messages, and the new agent reads them with its own memory.";

/** The texts and examples of conversations. */
export const conversationDocs: FeatureDocs = {
  operations: {
    createConversation: {
      tag: "Conversations",
      summary: "Start a conversation with an agent",
      description:
        "Creates an empty conversation; send messages to it with `sendMessage`. The agent's memory is shared by all conversations of the same person with it. An end user may have 1,000 conversations. Send an `Idempotency-Key` to create only one conversation however often the request is repeated.",
      request: { title: "Hello", agent_id: EXAMPLE.agentId },
      answers: { 201: { ...CONVERSATION_EXAMPLE, updated_at: null } },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
    listConversations: {
      tag: "Conversations",
      summary: "List conversations, newest first",
      description:
        "Lists your own conversations with all agents; an end user sees theirs, and an API key those with its agents. Conversations of end users are listed under the agent's end users.",
      answers: { 200: examplePage(CONVERSATION_EXAMPLE) },
    },
    getConversation: {
      tag: "Conversations",
      summary: "Get a conversation",
      description:
        "Returns the title, the description and the agent of a conversation, without its messages.",
      answers: { 200: CONVERSATION_EXAMPLE },
      problems: ["not-found"],
    },
    updateConversation: {
      tag: "Conversations",
      summary: "Update a conversation",
      description: UPDATE,
      request: { title: "At the library" },
      answers: { 200: { ...CONVERSATION_EXAMPLE, title: "At the library" } },
      problems: ["not-found", "conflict"],
    },
    patchConversation: {
      tag: "Conversations",
      summary: "Update a conversation (the same as PUT)",
      description: UPDATE,
      request: { description: "About opening hours" },
      answers: { 200: { ...CONVERSATION_EXAMPLE, description: "About opening hours" } },
      problems: ["not-found", "conflict"],
    },
    deleteConversation: {
      tag: "Conversations",
      summary: "Delete a conversation with its messages",
      description:
        "Deletes the conversation, its messages and its runs. What the agent has written to its memory stays. The conversation is gone for everyone at once; if it has many messages, the answer is a 202, and the rest is removed soon after. A repeated request is a 404 when nothing is left.",
      problems: ["not-found", "conflict"],
    },
    listMessages: {
      tag: "Conversations",
      summary: "List the messages of a conversation, newest first",
      description:
        "Returns messages with the calls of tools, token counts and citations of answers. Text files that were attached are named, without their contents.",
      answers: { 200: examplePage(ANSWER_EXAMPLE) },
      problems: ["not-found"],
    },
  },
  schemas: {
    Conversation: {
      description: "A conversation with an agent.",
      fields: { title: "The title, at most 200 characters.", agent_id: "The agent that answers." },
    },
    ConversationReference: {
      description: "A conversation, for callers that may not read it.",
      like: "Conversation",
    },
    NewConversation: {
      description: "A conversation to start.",
      like: "Conversation",
      fields: { description: "A description, at most 1,000 characters." },
    },
    ConversationChanges: {
      description: "Changes of a conversation. Absent members keep their values.",
      like: "Conversation",
      fields: { description: "A description, at most 1,000 characters." },
    },
  },
};
