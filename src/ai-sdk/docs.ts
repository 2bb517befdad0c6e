import type { FeatureDocs } from "../http/docs.ts";
import { UI_PARTS } from "./part-docs.ts";

const AI_SDK_PARAMETERS = {
  ai_sdk: { description: "The major version of the AI SDK that reads the stream.", example: "6" },
};

/** The texts and examples of the AI SDK's routes. */
export const aiSdkDocs: FeatureDocs = {
  operations: {
    chat: {
      tag: "Chat",
      summary: "Chat with an agent through the AI SDK",
      description:
        'The `api` of `useChat` and of `DefaultChatTransport` (AI SDK 5 and later): `new DefaultChatTransport({ api: "…/agents/{agentId}/chat", headers: { Authorization: "Bearer …" } })`. The chat\'s `id` leads to a conversation, which the first message creates; the id of an existing conversation with the agent works, too. The conversation is kept by the service, so only the last message is read, and the agent remembers the others without them. To send less, use `prepareSendMessagesRequest`.\n\nA repeat of a message, recognised by its `id` for 24 hours, returns the stream of the same run. The run goes on if the client disconnects: `stop()` of `useChat` only stops reading, so cancel the run with `cancelRun` and the ids of the part `data-run`. Text files are taken as attachments from `data:` URLs. The agent\'s tools run on the server and appear as dynamic tools. Tools of the page are sent as `tools`: the run waits for their results, which are those of the last message\'s last step (`addToolOutput` and `sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls`), and goes on in the same message. All calls of a step are answered at once, each with one result: the same again returns the same stream, another one is a 409. A tool that asks first appears as a call in the state `approval-requested` (AI SDK 6 and later, with `?ai_sdk=6`); send the chat again after `addToolApprovalResponse`, and the same run goes on. Earlier releases get `data-approval`.\n\n`regenerate()` of `useChat` has the last answer written again, as `regenerateAnswer` does. With the id of the answer, `regenerate({ messageId })`, two tabs and a repeat get the same new answer, and a tab that does not show the last answer gets 409 `conflict`. Without an id, and if the message was refused before, the message is sent like a new one.\n\nErrors before the stream are problem documents; the AI SDK shows them as the text of its error.',
      request: {
        id: "chat-4711",
        messages: [
          {
            id: "m1",
            role: "user",
            parts: [{ type: "text", text: "Hi, I'm Alice. I work at the library." }],
          },
        ],
        trigger: "submit-message",
      },
      stream: UI_PARTS,
      headers: ["RateLimit", "RateLimit-Policy", "X-Conversation-Id", "X-Run-Id"],
      parameters: {
        ...AI_SDK_PARAMETERS,
        reasoning: {
          description: "`1` also streams what the model thinks, as `reasoning-…` parts.",
          example: "1",
        },
      },
      problems: [
        "not-found",
        "conversation-busy",
        "conflict",
        "provider-not-configured",
        "idempotency-mismatch",
        "limit-exceeded",
      ],
    },
    resumeChat: {
      tag: "Chat",
      summary: "Resume a chat of the AI SDK",
      description:
        "What `useChat({ resume: true })` asks for when a page is opened: the answer that is being written, from its beginning. 204 if none is, or if the chat has no messages yet.",
      stream: UI_PARTS,
      headers: ["X-Conversation-Id"],
      parameters: AI_SDK_PARAMETERS,
      problems: ["not-found"],
    },
  },
  schemas: {
    ChatRequest: {
      description: "What `DefaultChatTransport` of the AI SDK sends. Further members are ignored.",
      fields: {
        id: "The chat's id, which the client has chosen, or the id of a conversation.",
        messages:
          "The chat's messages. Only the last one is read: it is the user's, or the answer with results of the client's tools, or whose calls the user has approved or rejected.",
        tools:
          "Tools that the client runs, by their names. The agent has its own besides. A run that waits keeps those with which it began.",
        trigger: "Why the client sends the request. `regenerate-message` has the last answer written again.",
        messageId: "With `regenerate-message`: the id of the answer to write again. The last one if absent.",
      },
    },
  },
};
