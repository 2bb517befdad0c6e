import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";
import { RUN_EVENTS } from "../runs/event-docs.ts";

const VISITOR_ID = "anon:3q2-7wQvT0mZ8yXkR1uLpA";

const TOKEN = {
  access_token: "eyJhbGciOiJkaXIiLCJ0eXAiOiJ2aXNpdG9yK2p3dCJ9.….….….…",
  token_type: "bearer",
  expires_in: 2_592_000,
  visitor: { visitor_id: VISITOR_ID, email: null, name: null, picture: null },
};

const CONVERSATION = {
  conversation_id: EXAMPLE.conversationId,
  agent_id: EXAMPLE.agentId,
  visitor_id: VISITOR_ID,
  visitor_name: null,
  title: "Chat with Visitor",
  created_at: EXAMPLE.at,
  updated_at: null,
  message_count: 0,
};

const NEXT = {
  cursor: { description: "The header `Next-Cursor` of the answer before.", example: EXAMPLE.cursor },
};

const AFTER = {
  after: {
    description: "The `seq` of the last event that you have received; 0 by default.",
    example: "12",
  },
};

/** The texts and examples of the chat that is embedded in web pages. */
export const widgetDocs: FeatureDocs = {
  operations: {
    getWidgetConfig: {
      tag: "Widget",
      summary: "Get what a chat on a web page shows",
      description: "Returns what a page needs to know before its visitor says something.",
      answers: {
        200: {
          agent_name: "Shop",
          agent_id: EXAMPLE.agentId,
          welcome_message: "Hello! How can I help you today?",
          theme: {},
          requires_sign_in: false,
          sign_in_url: "https://api.example.com/widget/auth/google",
        },
      },
    },
    createVisitor: {
      tag: "Widget",
      summary: "Create a visitor, or renew a visitor's token",
      description:
        "Returns the token that identifies somebody who has not signed in for 30 days. Nothing is stored: the visitor becomes an end user of the agent with their first conversation. With the token of such a visitor as `Authorization`, it returns a new token for the same visitor, so that people who come back keep their conversations. A key that requires visitors to sign in refuses both.",
      answers: { 201: TOKEN },
      problems: ["not-found"],
    },
    signInVisitor: {
      tag: "Widget",
      summary: "Sign a visitor in at the issuer",
      description:
        'Open this address in a window of its own. It leads to Google, or to another OpenID issuer, and back to a page that posts `{type: "innomight-oauth-callback", token, visitor}` to the page that has opened the window, or `{type: "innomight-oauth-error", error, message}`, and closes the window. Only pages whose origin the key allows receive it, so the key must list its origins.',
      parameters: {
        api_key: {
          description: "The publishable key.",
          example: "pk_live_0123456789abcdef0123456789abcdef",
        },
        redirect_uri: {
          description:
            "`/widget/auth/callback-page` of this service, and nothing else. Without it, the answer in the window is the token as JSON.",
          example: "https://api.example.com/widget/auth/callback-page",
        },
        origin: {
          description: "The origin of the page. Without it, every allowed origin may receive the token.",
          example: "https://shop.example.com",
        },
      },
      headers: ["Location", "Set-Cookie"],
      problems: ["unauthenticated", "forbidden"],
    },
    finishVisitorSignIn: {
      tag: "Widget",
      summary: "Return from the issuer",
      description:
        "Where the issuer sends the browser back to. The answer is a page that hands the token to its opener, or the token as JSON if the sign-in was begun without a `redirect_uri`. It works once, and only in the browser that has begun the sign-in.",
      answers: {
        200: {
          ...TOKEN,
          expires_in: 14_400,
          visitor: {
            visitor_id: "oidc:110169484474386276334",
            email: "grace@example.com",
            name: "Grace",
            picture: null,
          },
        },
      },
      headers: ["Set-Cookie"],
      problems: ["unauthenticated", "forbidden", "not-found", "conflict"],
    },
    createWidgetConversation: {
      tag: "Widget",
      summary: "Start a visitor's conversation",
      description:
        "Creates an empty conversation of the visitor with the agent. The first one also makes somebody who has not signed in an end user of the agent. A visitor may have 1,000 conversations. Send an `Idempotency-Key` to create only one however often the request is repeated.",
      request: { title: "New Chat" },
      answers: { 201: { ...CONVERSATION, title: "New Chat" } },
      problems: ["not-found", "conflict"],
    },
    listWidgetConversations: {
      tag: "Widget",
      summary: "List a visitor's conversations, newest first",
      description:
        "Returns the conversations as an array; if there are more, the header `Next-Cursor` says where to go on.",
      answers: { 200: [{ ...CONVERSATION, updated_at: EXAMPLE.later, message_count: 1 }] },
      headers: ["Next-Cursor"],
      parameters: NEXT,
    },
    getWidgetConversation: {
      tag: "Widget",
      summary: "Get a visitor's conversation",
      description: "Returns the conversation without its messages. Those of other visitors are a 404.",
      answers: { 200: { ...CONVERSATION, updated_at: EXAMPLE.later, message_count: 1 } },
      problems: ["not-found"],
    },
    sendWidgetMessage: {
      tag: "Widget",
      summary: "Send a visitor's message and stream the answer",
      description:
        "Like `sendMessage`, with what concerns the agent's owner left out of the stream: the arguments and results of tools, changes of the memory, and token counts. Numbers of events that are left out are missing in `seq`. The first event is `Connecting to agent...`. The run goes on if the page is closed; follow it with `followWidgetRun`. Every message counts against the plan of the agent's owner.",
      request: { content: "Do you ship to Norway?" },
      stream: RUN_EVENTS,
      headers: ["X-Run-Id"],
      problems: [
        "malformed-request",
        "not-found",
        "conversation-busy",
        "conflict",
        "provider-not-configured",
        "idempotency-mismatch",
        "limit-exceeded",
      ],
    },
    listWidgetMessages: {
      tag: "Widget",
      summary: "List the messages of a visitor's conversation, oldest first",
      description:
        "Returns the newest messages as an array, 100 by default; if there are older ones, the header `Next-Cursor` says where to go on.",
      answers: {
        200: [
          {
            message_id: EXAMPLE.messageId,
            role: "user",
            content: "Do you ship to Norway?",
            created_at: EXAMPLE.at,
          },
          {
            message_id: EXAMPLE.answerId,
            role: "assistant",
            content: "Yes, we do.",
            created_at: EXAMPLE.later,
          },
        ],
      },
      headers: ["Next-Cursor"],
      parameters: NEXT,
      problems: ["not-found"],
    },
    followWidgetRun: {
      tag: "Widget",
      summary: "Follow or resume a visitor's run",
      description:
        "Replays the events after the number `after` and then follows the run until it ends, like `followRun`. The run `active` is the one in progress, if there is one; a page that is loaded again asks for it. 204 means that nothing is left to send.",
      parameters: AFTER,
      stream: RUN_EVENTS,
      problems: ["malformed-request", "not-found", "gone"],
    },
    cancelWidgetRun: {
      tag: "Widget",
      summary: "Stop a visitor's run",
      description:
        "Stops the answer, like `cancelRun`. Cancelling again, or cancelling a run that has ended, changes nothing.",
      answers: {
        200: {
          run_id: EXAMPLE.runId,
          conversation_id: EXAMPLE.conversationId,
          agent_id: EXAMPLE.agentId,
          state: "cancelled",
          started_at: EXAMPLE.at,
          ended_at: EXAMPLE.later,
          user_message_id: EXAMPLE.messageId,
          message_id: EXAMPLE.answerId,
        },
      },
      problems: ["not-found"],
    },
  },
  schemas: {
    WidgetConfig: {
      description: "What a chat on a web page shows before the first message.",
      fields: {
        agent_name: "The name of the publishable key.",
        welcome_message: "What the chat says first.",
        theme: "Always empty. The page chooses its colours.",
        requires_sign_in: "Whether visitors have to sign in before they can chat.",
        sign_in_url: "Where visitors sign in; null if they can't, or if the key lists no origins.",
      },
    },
    VisitorToken: {
      description: "A token for a visitor. Send it as `Authorization: Bearer …`, beside the publishable key.",
      fields: {
        access_token: "The token.",
        token_type: "Always `bearer`.",
        expires_in: "How long the token is valid, in seconds.",
        visitor: "The visitor.",
        "visitor.visitor_id": "The visitor's id, which is that of an end user of the agent.",
        "visitor.email": "The e-mail address; null if the visitor has not signed in.",
        "visitor.name": "The name; null if the visitor has not signed in.",
      },
    },
    WidgetConversation: {
      description: "A conversation of a visitor.",
      fields: {
        visitor_id: "The visitor's id, which is that of an end user of the agent.",
        visitor_name: "The visitor's name; null if the visitor has not signed in.",
        title: "The title, at most 200 characters.",
        message_count: "How many messages of the visitor have been answered.",
      },
    },
    NewWidgetConversation: {
      description: "A conversation to start.",
      like: "WidgetConversation",
      fields: { title: "The title, at most 200 characters. By default, `Chat with` and the visitor's name." },
    },
    NewWidgetMessage: {
      description: "A message to send.",
      fields: { content: "The text, at most 10,000 characters." },
    },
    WidgetMessage: { description: "A message of a visitor's conversation." },
  },
};
