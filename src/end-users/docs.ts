import { CONVERSATION_EXAMPLE } from "../conversations/docs.ts";
import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";
import { ANSWER_EXAMPLE } from "../messages/docs.ts";

const END_USER = { end_user_id: EXAMPLE.endUserId, agent_id: EXAMPLE.agentId, created_at: EXAMPLE.at };

/** The texts and examples of end users and their tokens. */
export const endUserDocs: FeatureDocs = {
  operations: {
    createClientToken: {
      tag: "Agents",
      summary: "Create a token for an end user",
      description:
        "Creates a token with which a person can talk to the agent from your own pages without an account. Call it from your back end for the person who is signed in there, and pass the token to the browser: it opens only that person's conversations with this agent. The end user is created with their first token. Usage counts on your account. A token with origins works on their pages only; one without works outside of browsers only.",
      request: { end_user_id: EXAMPLE.endUserId, expires_in: 3600, origins: ["https://shop.example.com"] },
      answers: {
        201: {
          token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ2aXNpdG9yLTEifQ.c2lnbmF0dXJl",
          expires_at: "2026-06-01T10:30:00.000Z",
          agent_id: EXAMPLE.agentId,
          end_user_id: EXAMPLE.endUserId,
          origins: ["https://shop.example.com"],
        },
      },
      problems: ["not-found", "conflict"],
    },
    listEndUsers: {
      tag: "Agents",
      summary: "List the end users of an agent",
      description: "Lists everyone for whom a token was created, in the order of their ids.",
      answers: { 200: examplePage(END_USER) },
      problems: ["not-found"],
    },
    getEndUser: {
      tag: "Agents",
      summary: "Get an end user",
      description: "Returns when the end user was created, or 404 if no token was ever created for them.",
      answers: { 200: END_USER },
      problems: ["not-found"],
    },
    deleteEndUser: {
      tag: "Agents",
      summary: "Delete an end user with everything of theirs",
      description:
        "Deletes their conversations and memories; all their tokens become invalid at once. If there is much to remove, the answer is a 202, and the rest is removed soon after: a repeated request is a 204 when nothing is left. Deleting an end user who does not exist is a 204 as well.",
      problems: ["conflict"],
    },
    listEndUserConversations: {
      tag: "Agents",
      summary: "List the conversations of an end user",
      description: "Lists an end user's conversations with the agent, newest first.",
      answers: { 200: examplePage(CONVERSATION_EXAMPLE) },
      problems: ["not-found"],
    },
    listEndUserMessages: {
      tag: "Agents",
      summary: "List the messages of an end user's conversation",
      description: "Lists what an end user and the agent have said in a conversation, newest first.",
      answers: { 200: examplePage(ANSWER_EXAMPLE) },
      problems: ["not-found"],
    },
  },
  schemas: {
    NewClientToken: {
      description: "A token to create for an end user.",
      fields: {
        end_user_id:
          "The id under which your application knows the person: 1 to 128 letters, digits and `._@:-`. A new one must not begin with `anon:`, as the ids of visitors do.",
        expires_in: "How long the token is valid in seconds, 60 to 86,400; 3,600 by default.",
        origins:
          "The origins of the pages that may use the token; each must be among the agent's `allowed_origins`. If absent, all of those. A token without origins works outside of browsers only.",
      },
    },
    ClientToken: {
      description: "A token for an end user.",
      fields: {
        expires_at: { description: "When it stops being valid (UTC).", format: "date-time" },
        origins: "The origins of the pages that may use it. If empty, it works outside of browsers only.",
      },
    },
    ClientTokenReference: {
      description: "A token for an end user, for callers that may not read end users.",
      like: "ClientToken",
    },
    EndUser: { description: "A person who talks to an agent without an account." },
  },
};
