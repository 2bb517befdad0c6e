// Written by scripts/client-types.ts from docs/openapi.json. Do not edit: change the API's description instead.
/** The progress of an account's deletion. */
export interface AccountDeletion {
  /** `completed` if nothing of the account is left. */
  status: "processing" | "completed";
  /** When it was requested (UTC); null if unknown. */
  requested_at: string | null;
  /** When it ended (UTC); null while it has not. */
  completed_at: string | null;
}

/** The event was received. */
export interface Acknowledged {
  /** Always `ok`. */
  status: "ok";
}

/** Where the browser goes on. */
export interface Address {
  /** The address. */
  url: string;
}

/** An agent. */
export interface Agent {
  /** The agent's id. */
  agent_id: string;
  /** The name, one line of at most 200 characters. No two agents of an account have the same. */
  agent_name: string;
  /** How a message becomes an answer. `krishna-mini` answers with the history alone; `krishna-memgpt` also has memory and tools. */
  agent_architecture: string;
  /** Who the agent is and how it behaves, at most 40,000 characters. Part of every prompt. */
  agent_persona: string;
  /** The provider of the model, matched without case. Its credentials are stored in the settings. */
  agent_provider: string;
  /** The id of the model; null for the provider's default. */
  agent_model: string | null;
  /** A turn after a longer pause starts without history. In minutes, up to 43,200 (30 days); 60 by default, and 0 always keeps the history. */
  session_timeout_minutes: number;
  /** The model's temperature, 0 to 2; null for the provider's default. */
  temperature: number | null;
  /** The longest answer in tokens, 1 to 200,000; null for the provider's default. */
  max_output_tokens: number | null;
  /** How many tokens the model reads at once, 2,048 to 20,000,000; null for the known window of the model. Set it if your server loads the model with another window. */
  context_window: number | null;
  /** The provider that answers if the first one fails before it has said anything; null for none, or, with a `fallback_model`, for the same one. */
  fallback_provider: string | null;
  /** The model of the fallback; null for none or the provider's default. */
  fallback_model: string | null;
  /** Origins of the pages from which end users may talk to the agent, such as `https://shop.example.com`; at most 20. */
  allowed_origins: string[];
  /** Which tools wait for an approval before they are run: the tool's name and `always`, `first` (until one of its calls was approved in the conversation) or `never`. `*` stands for all other tools. A tool that is renamed needs its line again. */
  tool_approvals: Record<string, "always" | "first" | "never">;
  /** How many messages one end user may send in a month (UTC); null for no limit of its own. A lower limit of the plan takes precedence. */
  end_user_messages_per_month: number | null;
  /** The e-mail address of the account that owns it. */
  created_by: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** An agent as one of OpenAI's models. */
export interface AgentAsModel {
  /** The agent's id. Send it, or the name, as `model`. */
  id: string;
  /** The type of the object. */
  object: "model";
  /** When the agent was created, in seconds since 1970. */
  created: number;
  /** Always `account`. */
  owned_by: string;
  /** The agent's name. */
  name: string;
}

/** Changes of an agent. Absent and blank members keep their values; `none` removes a value. */
export interface AgentChanges {
  /** The name, one line of at most 200 characters. No two agents of an account have the same. */
  agent_name?: string | undefined;
  /** How a message becomes an answer. `krishna-mini` answers with the history alone; `krishna-memgpt` also has memory and tools. */
  agent_architecture?: "krishna-mini" | "krishna-memgpt" | undefined;
  /** Who the agent is and how it behaves, at most 40,000 characters. Part of every prompt. */
  agent_persona?: string | undefined;
  /** The provider of the model, matched without case. Its credentials are stored in the settings. */
  agent_provider?: "Demo" | "OpenAI" | "OpenAICompatible" | "Anthropic" | "Bedrock" | "Cloudflare" | undefined;
  /** The id of the model; null for the provider's default. */
  agent_model?: string | null | undefined;
  /** A turn after a longer pause starts without history. In minutes, up to 43,200 (30 days); 60 by default, and 0 always keeps the history. */
  session_timeout_minutes?: number | undefined;
  /** The model's temperature, 0 to 2; null for the provider's default. */
  temperature?: number | null | undefined;
  /** The longest answer in tokens, 1 to 200,000; null for the provider's default. */
  max_output_tokens?: number | null | undefined;
  /** How many tokens the model reads at once, 2,048 to 20,000,000; null for the known window of the model. Set it if your server loads the model with another window. */
  context_window?: number | null | undefined;
  /** The provider that answers if the first one fails before it has said anything; null for none, or, with a `fallback_model`, for the same one. */
  fallback_provider?: "Demo" | "OpenAI" | "OpenAICompatible" | "Anthropic" | "Bedrock" | "Cloudflare" | null | undefined;
  /** The model of the fallback; null for none or the provider's default. */
  fallback_model?: string | null | undefined;
  /** Origins of the pages from which end users may talk to the agent, such as `https://shop.example.com`; at most 20. */
  allowed_origins?: readonly string[] | undefined;
  /** Which tools wait for an approval before they are run: the tool's name and `always`, `first` (until one of its calls was approved in the conversation) or `never`. `*` stands for all other tools. A tool that is renamed needs its line again. */
  tool_approvals?: Record<string, "always" | "first" | "never"> | undefined;
  /** How many messages one end user may send in a month (UTC); null for no limit of its own. A lower limit of the plan takes precedence. */
  end_user_messages_per_month?: number | null | undefined;
}

/** An agent, for callers that may not read it. */
export interface AgentReference {
  /** The agent's id. */
  agent_id: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** The agents of the account. */
export interface AgentsAsModels {
  /** The type of the object. */
  object: "list";
  /** The agents. */
  data: AgentAsModel[];
}

/** An API key, without its secret. */
export interface ApiKey {
  /** The API key's id. */
  key_id: string;
  /** What the key is for, at most 100 characters. */
  name: string;
  /** The beginning and the end of the secret. */
  hint: string;
  /** What the key may do. */
  scopes: string[];
  /** The only agents that the key may use; null for all of them. */
  agent_ids: string[] | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it stops being valid (UTC); null if it does not. */
  expires_at: string | null;
  /** When it was last used (UTC), to the hour; null if never. */
  last_used_at: string | null;
  /** When it was revoked (UTC); null if it is valid. */
  revoked_at: string | null;
}

/** Somebody has approved or rejected a call. */
export interface ApprovalDecidedEvent {
  /** The type of the event. */
  event_type: "APPROVAL_DECIDED";
  /** The decision. */
  content: "Approved" | "Rejected";
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** Null in events of this type. */
  tool_args: null;
  /** Whether the call was approved. */
  success: boolean;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A call waits until somebody approves or rejects it. */
export interface ApprovalRequestedEvent {
  /** The type of the event. */
  event_type: "APPROVAL_REQUESTED";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** The tool's arguments. */
  tool_args: Record<string, unknown>;
  /** Null in events of this type. */
  success: null;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** When the run is given up, if nobody has decided by then. */
  expires_at: string;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** How much of an archival memory searches can find. */
export type ArchivalMemoryStatus = {
  /** How many memories there are. */
  memories: number;
  /** How many memories are found by their words. */
  indexed: number;
  /** How many memories are found by their meaning. */
  embedded: number;
  /** The embedding model and the length of its vectors. Null if search is by words only. */
  model: string | null;
  /** Why the embeddings server failed last. Null once it embeds memories again. */
  last_error: {
    /** What went wrong, in a sentence. */
    message: string;
    /** When it happened (UTC). */
    at: string;
  } | null;
};

/** The answer is stored. Directly before `STREAM_COMPLETE`, with the `seq` of the event before. */
export interface AssistantMessageSavedEvent {
  /** The type of the event. */
  event_type: "ASSISTANT_MESSAGE_SAVED";
  /** The whole answer. */
  content: string;
  /** The id of the stored message. */
  message_id: string;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** Present if the answer was cut off at a limit on its length. */
  stop_reason?: "length" | undefined;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A session on a device. */
export interface AuthSession {
  /** The session's id. */
  session_id: string;
  /** The browser and the system, as far as they are known. */
  device: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it last got an access token (UTC). */
  last_used_at: string;
  /** When it ends unless it is used before then (UTC). */
  expires_at: string;
  /** Whether it is the session of this request's cookie. */
  current: boolean;
}

/** What `DefaultChatTransport` of the AI SDK sends. Further members are ignored. */
export interface ChatRequest {
  /** The chat's id, which the client has chosen, or the id of a conversation. */
  id: string;
  /** The chat's messages. Only the last one is read: it is the user's, or the answer with results of the client's tools, or whose calls the user has approved or rejected. */
  messages: readonly unknown[];
  /** Tools that the client runs, by their names. The agent has its own besides. A run that waits keeps those with which it began. */
  tools?: Record<string, {
    /** What it does, for the model. */
    description?: string | null | undefined;
    /** The JSON Schema of its arguments. */
    parameters?: Record<string, unknown> | null | undefined;
    /** The same as `parameters`. */
    inputSchema?: Record<string, unknown> | null | undefined;
  }> | null | undefined;
  /** Why the client sends the request. `regenerate-message` has the last answer written again. */
  trigger?: "submit-message" | "regenerate-message" | null | undefined;
  /** With `regenerate-message`: the id of the answer to write again. The last one if absent. */
  messageId?: string | null | undefined;
}

/** A plan to buy. */
export interface CheckoutOrder {
  /** The `planKey` of the plan. */
  planKey: string;
  /** How it is paid. */
  billingCycle: "monthly" | "annual";
  /** Prefills the e-mail address for people who are not signed in. */
  userEmail?: string | undefined;
}

/** The state of a checkout at Stripe. */
export interface CheckoutState {
  /** `open`, `complete` or `expired`. */
  status: string;
  /** `paid`, `unpaid` or `no_payment_required`. */
  payment_status: string;
}

/** A passage of a knowledge base that an answer refers to. */
export interface Citation {
  /** The number by which the answer refers to it: `[1]`. */
  n: number;
  /** The knowledge base's id. */
  kb_id: string;
  /** The page's id. */
  page_id: string;
  /** The address of the page. Null for an uploaded file. */
  url: string | null;
  /** The title of the page, at most 200 characters; null if it has none. */
  title: string | null;
  /** The nearest heading above the passage, at most 200 characters; null if there is none. */
  heading: string | null;
  /** The passage's id. It changes when the page's text changes. */
  passage_id: string;
}

/** The purchase to claim. */
export interface Claim {
  /** The id of the checkout session, which the page after the payment receives in its address. */
  session_id: string;
}

/** A token for an end user. */
export interface ClientToken {
  /** The token. Send it as `Authorization: Bearer …`. */
  token: string;
  /** When it stops being valid (UTC). */
  expires_at: string;
  /** The agent's id. */
  agent_id: string;
  /** The id under which your own application knows the end user. */
  end_user_id: string;
  /** The origins of the pages that may use it. If empty, it works outside of browsers only. */
  origins: string[];
}

/** A token for an end user, for callers that may not read end users. */
export interface ClientTokenReference {
  /** The token. Send it as `Authorization: Bearer …`. */
  token: string;
  /** When it stops being valid (UTC). */
  expires_at: string;
  /** The agent's id. */
  agent_id: string;
  /** The id under which your own application knows the end user. */
  end_user_id: string;
}

/** A whole answer. */
export interface Completion {
  /** The completion's id: `chatcmpl-` and the id of the run. */
  id: string;
  /** The type of the object. */
  object: "chat.completion";
  /** When the run began, in seconds since 1970. */
  created: number;
  /** The `model` of the request. */
  model: string;
  /** One choice. */
  choices: ({
    /** Always 0. */
    index: 0;
    /** The answer. */
    message: {
      /** Always `assistant`. */
      role: "assistant";
      /** The text of the answer. */
      content: string;
      /** Always null: a refusal is a text like any other. */
      refusal: null;
      /** The calls of the client's tools. Absent if there are none. */
      tool_calls?: CompletionCall[] | undefined;
    };
    /** Always null. */
    logprobs: null;
    /** `length` if the answer was cut off at a limit on its length, `tool_calls` if the client has to run tools. */
    finish_reason: "stop" | "length" | "tool_calls";
  })[];
  /** The tokens of the turn. Absent if the provider has not counted them. */
  usage?: CompletionUsage | undefined;
}

/** A call of one of the client's tools. */
export interface CompletionCall {
  /** The call's id. */
  id: string;
  /** The type of the tool. */
  type: "function";
  /** The call. */
  function: {
    /** The tool's name. */
    name: string;
    /** The arguments: JSON as text. */
    arguments: string;
  };
}

/** A piece of the answer. */
export interface CompletionChunk {
  /** The completion's id: `chatcmpl-` and the id of the run. */
  id: string;
  /** The type of the event. */
  object: "chat.completion.chunk";
  /** When the run began, in seconds since 1970. */
  created: number;
  /** The `model` of the request. */
  model: string;
  /** One choice, and none in the chunk with the tokens. */
  choices: ({
    /** Always 0. */
    index: 0;
    /** What is new. */
    delta: {
      /** In the first chunk. */
      role?: "assistant" | undefined;
      /** A piece of the answer. */
      content?: string | undefined;
      /** A call of one of the client's tools, whole. */
      tool_calls?: {
        /** 0, 1, 2 … within the answer. */
        index: number;
        /** The call's id. */
        id: string;
        /** The type of the tool. */
        type: "function";
        /** The call. */
        function: {
          /** The tool's name. */
          name: string;
          /** All its arguments: JSON as text. */
          arguments: string;
        };
      }[] | undefined;
    };
    /** Always null. */
    logprobs: null;
    /** Why the answer has ended; null before its end. */
    finish_reason: "stop" | "length" | "tool_calls" | null;
  })[];
  /** A `CompletionUsage` in the last chunk, null before. Only with `include_usage`. */
  usage?: Record<string, unknown> | null | undefined;
}

/** What one `data:` line holds. The last line is `data: [DONE]`. If the run fails after the stream has begun, the last line is an `OpenAiError` instead. */
export type CompletionEvent = CompletionChunk;

/** What OpenAI's client sends for a chat completion. Further members are ignored. */
export type CompletionRequest = {
  /** The id or the name of an agent. */
  model: string;
  /** What was said, and last what the user says now. */
  messages: readonly ({
    /** Who says it. The last message is the user's, or the result of a tool of the client. */
    role: "system" | "developer" | "user" | "assistant" | "tool";
    /** The text, or its parts. */
    content?: string | readonly ({
      /** The type of the part. */
      type: "text" | "refusal" | "file";
      /** The text of a part of type `text`. */
      text?: string | undefined;
      /** The text of a part of type `refusal`. */
      refusal?: string | undefined;
      /** The file of a part of type `file`. */
      file?: {
        /** A text file: a `data:` URL, or base64. */
        file_data?: string | undefined;
        /** The name of the file. */
        filename?: string | null | undefined;
      } | undefined;
    })[] | null | undefined;
    /** The calls of the client's tools in an answer, as they came. */
    tool_calls?: readonly ({
      /** The call's id. */
      id: string;
      /** The type of the tool. */
      type?: "function" | undefined;
      /** The call. */
      function: {
        /** The tool's name. */
        name: string;
        /** The arguments: JSON as text. */
        arguments: string;
      };
    })[] | null | undefined;
    /** The call that a message of the role `tool` is the result of. */
    tool_call_id?: string | null | undefined;
  })[];
  /** Whether the answer is streamed. */
  stream?: boolean | null | undefined;
  /** Options of the stream. */
  stream_options?: {
    /** Whether the last chunk has the tokens. */
    include_usage?: boolean | null | undefined;
  } | null | undefined;
  /** The end user whose conversations and memory are used. */
  user?: string | null | undefined;
  /** Only `conversation_id` is read. */
  metadata?: {
    /** The same as `X-Conversation-Id`. */
    conversation_id?: string | null | undefined;
  } | null | undefined;
  /** The number of answers. */
  n?: 1 | null | undefined;
  /** Tools that the client runs. The agent has its own besides. */
  tools?: readonly ({
    /** The type of the tool. */
    type: "function";
    /** The function. */
    function: {
      /** The name by which the model calls it. */
      name: string;
      /** What it does, for the model. */
      description?: string | null | undefined;
      /** The JSON Schema of its arguments. */
      parameters?: Record<string, unknown> | null | undefined;
    };
  })[] | null | undefined;
  /** `none` offers no tools of the client, `required` makes the model call a tool first, and an object names that tool. */
  tool_choice?: "none" | "auto" | "required" | {
    /** The type of the tool. */
    type: "function";
    /** The tool. */
    function: {
      /** The tool's name. */
      name: string;
    };
  } | null | undefined;
  /** If false, the client runs at most one of its tools per response of the model. */
  parallel_tool_calls?: boolean | null | undefined;
  /** Not supported. */
  functions?: unknown | undefined;
  /** Not supported. */
  audio?: unknown | undefined;
  /** The form of the answer; text by default. */
  response_format?: {
    /** The form of the answer. */
    type: "text" | "json_object" | "json_schema";
    /** Required with the type `json_schema`. */
    json_schema?: {
      /** The name of the schema. */
      name: string;
      /** What the answer is for. */
      description?: string | null | undefined;
      /** The JSON Schema. */
      schema?: Record<string, unknown> | null | undefined;
      /** Whether the provider must keep exactly to the schema. */
      strict?: boolean | null | undefined;
    } | null | undefined;
  } | null | undefined;
};

/** Tokens as the provider counted them. */
export type CompletionUsage = {
  /** Tokens that the model read, in all its responses of the turn. */
  prompt_tokens: number;
  /** Tokens that the model wrote. */
  completion_tokens: number;
  /** Both. */
  total_tokens: number;
  /** More about `prompt_tokens`. */
  prompt_tokens_details: {
    /** The part of them that came from the provider's cache. */
    cached_tokens: number;
  };
  /** More about `completion_tokens`. Absent if the provider does not report it. */
  completion_tokens_details?: {
    /** The part of them spent on reasoning. */
    reasoning_tokens: number;
  } | undefined;
};

/** A person's consent to an authorization request. */
export interface Consent {
  /** The query of the authorization request, without its question mark. */
  request: string;
  /** What the client may do. Scopes that it has not asked for are ignored. */
  scopes: readonly ("conversations:write" | "memory:read" | "memory:write")[];
}

/** Where the browser goes on. */
export interface Consented {
  /** The address that brings the client its code. */
  redirect_to: string;
}

/** What an MCP client asks for, to be shown to the person who decides. */
export type ConsentQuestion = {
  /** What the client calls itself, which nobody has verified. */
  client_name: string;
  /** The host that publishes the client's metadata, which is verified; null if the client has registered itself. */
  client_host: string | null;
  /** Where the answer goes: a host, or the scheme of a program. */
  redirect_host: string;
  /** Whether the answer goes to a program on the person's machine. */
  redirects_to_own_machine: boolean;
  /** The agent, or null if the request cannot be granted. */
  agent: {
    /** The id of the agent. */
    agent_id: string;
    /** The name of the agent. */
    agent_name: string;
  } | null;
  /** What the client may do if the person agrees. */
  scopes: string[];
  /** Why the request cannot be granted, in a sentence; null if it can. */
  fault: string | null;
  /** The address that tells the client that nothing was granted. */
  decline_to: string;
};

/** An authorization request. */
export interface ConsentRequest {
  /** The query of the authorization request, without its question mark. */
  request: string;
}

/** The message was delivered. */
export interface ContactAnswer {
  /** Always true. */
  success: true;
  /** A sentence for people. */
  message: string;
  /** Always null: the legacy Python service opened a public issue. */
  issue_number: null;
  /** Always null. */
  issue_url: null;
}

/** A message to the operators. */
export interface ContactSubmission {
  /** What it is about. */
  type: "feedback" | "support" | "bug-report" | "feature-request";
  /** One line of 5 to 200 characters. */
  subject: string;
  /** Where the answer goes. */
  email: string;
  /** The message, 20 to 5,000 characters. */
  description: string;
}

/** A memory block that was nearly full has been shortened after an earlier answer. */
export interface ContextCompactedEvent {
  /** The type of the event. */
  event_type: "CONTEXT_COMPACTED";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The name of the memory block. */
  block: string;
  /** The number of the version that was created. */
  version: number;
  /** How many words the block had. */
  words_before: number;
  /** How many words it has now. */
  words_after: number;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A conversation with an agent. */
export interface Conversation {
  /** The conversation's id. */
  conversation_id: string;
  /** The title, at most 200 characters. */
  title: string;
  /** A description; null if there is none. */
  description: string | null;
  /** The agent that answers. */
  agent_id: string;
  /** The e-mail address of the account that owns it. */
  created_by: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** Changes of a conversation. Absent members keep their values. */
export interface ConversationChanges {
  /** The title, at most 200 characters. */
  title?: string | undefined;
  /** A description, at most 1,000 characters. */
  description?: string | undefined;
  /** The agent that answers. */
  agent_id?: string | undefined;
}

/** What the next turn would send to the model. */
export interface ConversationContext {
  /** The conversation's id. */
  conversation_id: string;
  /** The agent's id. */
  agent_id: string;
  /** The agent's architecture. */
  architecture: string;
  /** The model that would answer. */
  model: {
    /** The model's id. */
    id: string;
    /** How many tokens the model reads at once. */
    window_tokens: number;
  };
  /** How tokens are estimated, in a sentence for people. */
  estimate: string;
  /** The sections of the system prompt. They are joined by blank lines. */
  sections: {
    /** The name of the section. */
    name: string;
    /** The text of the section. */
    text: string;
    /** Its estimated tokens. */
    tokens: number;
  }[];
  /** The tools that the model may call. */
  tools: {
    /** The tool's name. */
    name: string;
    /** The estimated tokens of its description. */
    tokens: number;
  }[];
  /** The messages of the conversation. */
  history: {
    /** The stored messages that the turn reads. */
    stored: {
      /** The message's id. */
      message_id: string;
      /** Who wrote it: `user` or `assistant`. */
      role: string;
      /** When it was created (UTC). */
      created_at: string;
      /** Its estimated tokens. */
      tokens: number;
      /** Whether the model reads only the beginning and the end. */
      shortened: boolean;
    }[];
    /** The stored messages as the model reads them. Consecutive messages of one role are joined. */
    sent: ({
      /** Who says it. */
      role: "user" | "assistant" | "tool";
      /** The text. */
      content: string;
      /** The calls of tools that the message contains. */
      tool_calls: {
        /** The id of the call. */
        id: string;
        /** The name of the tool. */
        name: string;
        /** The arguments: JSON as text. */
        arguments: string;
      }[];
      /** The call that the message is the result of; null in other messages. */
      tool_call_id: string | null;
      /** Its estimated tokens. */
      tokens: number;
    })[];
    /** The estimated tokens of all messages. */
    tokens: number;
    /** The most tokens that messages may take. */
    max_tokens: number;
  };
  /** Added after the new message. It changes with every turn. */
  volatile: {
    /** The name of the section. */
    name: string;
    /** The text of the section. */
    text: string;
    /** Its estimated tokens. */
    tokens: number;
  };
  /** What the model would not read. */
  left_out: {
    /** Whether the pause since the last message exceeded the session timeout. */
    session_timed_out: boolean;
    /** How many of the messages that a turn reads are left out. */
    messages: number;
    /** Whether there are older messages, which a turn does not read. */
    has_older_messages: boolean;
    /** How many messages the summary stands for. */
    messages_summarized: number;
    /** Blocks that are named, but too long to be included. */
    memory_blocks: string[];
  };
  /** Estimated tokens. */
  totals: {
    /** Those of the system prompt. */
    system_tokens: number;
    /** Those of the tools. */
    tool_tokens: number;
    /** Those of the messages. */
    history_tokens: number;
    /** All of them. */
    tokens: number;
  };
}

/** A conversation, for callers that may not read it. */
export interface ConversationReference {
  /** The conversation's id. */
  conversation_id: string;
  /** The agent that answers. */
  agent_id: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** The summary of the messages that the agent no longer reads in full. */
export interface ConversationSummary {
  /** The conversation's id. */
  conversation_id: string;
  /** The summary. */
  content: string;
  /** The time of the last message that the summary covers. */
  covers_until: string;
  /** The id of the last message that it covers. */
  last_message_id: string;
  /** How many messages it covers. */
  messages_covered: number;
  /** `model` if a model wrote it, `fallback` if it was cut together because no model answered. */
  by: "model" | "fallback";
  /** The model that wrote it; null if none did. */
  model: string | null;
  /** The run in which it was written; null if unknown. */
  run_id: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string;
}

/** The stream has begun. */
export interface CrawlConnectedEvent {
  /** The type of the event. */
  event_type: "connected";
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** When the stream began (UTC). */
  timestamp: string;
}

/** What a crawl job did with an address. */
export interface CrawledPage {
  /** The address. */
  url: string;
  /** What became of the address. */
  status: "pending" | "success" | "failed" | "skipped";
  /** What happened to the stored page. `missing`: it was not found; the next crawl that does not find it either removes it. */
  change: "new" | "changed" | "unchanged" | "missing" | "removed" | null;
  /** The stored page; null if none is concerned. */
  page_id: string | null;
  /** What is known about the page. */
  page_metadata: {
    /** The title; null if it has none. */
    title: string | null;
    /** The description that the page states; null if it states none. */
    description: string | null;
    /** Its length in bytes. */
    content_length: number;
    /** The number of words. */
    word_count: number;
  };
  /** The number of passages. */
  chunk_count: number;
  /** How long it took. */
  timing: {
    /** To fetch it, in milliseconds; null if it was not fetched. */
    fetch_duration_ms: number | null;
    /** In all, in milliseconds; null if it was not fetched. */
    total_duration_ms: number | null;
  };
  /** Why it failed or was skipped, in a sentence for people. */
  error: string | null;
  /** When the job was done with it (UTC). */
  crawled_at: string;
}

/** The job has ended. It comes twice: first as the job's last step with `step_id`, then with `status` and `progress` as the end of the stream. */
export type CrawlEndEvent = {
  /** How the job has ended. */
  event_type: "JOB_COMPLETED" | "JOB_FAILED" | "JOB_CANCELLED";
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The status of the job. */
  status?: "pending" | "in_progress" | "completed" | "failed" | "cancelled" | undefined;
  /** What became of the addresses so far. */
  progress?: {
    /** Addresses that were found. */
    discovered_urls: number;
    /** Addresses that are done. */
    processed_urls: number;
    /** Pages that were stored or had not changed. */
    successful_urls: number;
    /** Pages that could not be read. */
    failed_urls: number;
    /** Addresses that were not read, such as those that robots.txt forbids. */
    skipped_urls: number;
    /** The successful pages that had not changed. They cost nothing. */
    unchanged_urls: number;
    /** Stored pages that were removed, because two crawls in a row did not find them. */
    removed_pages: number;
    /** The passages of the successful pages. */
    total_chunks: number;
    /** Always 0; kept for clients of the legacy service. */
    total_embeddings: number;
  } | undefined;
  /** Of a completed job: whether it read everything that it found. */
  outcome?: "whole" | "partial" | null | undefined;
  /** Why it failed, in a sentence; null if it did not. */
  error_message?: string | null | undefined;
  /** The id of the step. */
  step_id?: string | undefined;
  /** The address that the step is about; null if it is about none. */
  url?: string | null | undefined;
  /** What happened; null if there is nothing to say. */
  details?: {
    /** A sentence for people. */
    message: string;
  } | null | undefined;
  /** How long it took, in milliseconds; null if unknown. */
  duration_ms?: number | null | undefined;
  /** When it happened (UTC). */
  timestamp?: string | undefined;
  /** `url`, `duration_ms` and the members of `details`, for clients of the legacy service. */
  data?: Record<string, unknown> | undefined;
  /** Send it as `cursor` to resume behind this event; null if there was no step. */
  cursor: string | null;
};

/** What one `data:` line holds; the line `event:` before it repeats the type. Lines that begin with `:` keep the connection alive. */
export type CrawlEvent = CrawlConnectedEvent | CrawlStepEvent | CrawlProgressEvent | CrawlEndEvent | CrawlStreamErrorEvent;

/** A crawl job. */
export interface CrawlJob {
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** `pending` until it begins. All states but `pending` and `in_progress` are final. */
  status: "pending" | "in_progress" | "completed" | "failed" | "cancelled";
  /** Of a completed job: whether it read everything it found. `notes` says what it left out. */
  outcome: "whole" | "partial" | null;
  /** What the job reads. */
  config: {
    /** `sitemap`: the pages that a sitemap or feed lists. `url`: the pages that links lead to. */
    source_type: "sitemap" | "url";
    /** The address of the sitemap or of the start page; http or https, at most 2,000 characters. */
    source_url: string;
    /** The most pages that the job stores or finds unchanged, 1 to 10,000; 100 by default. Your plan may allow fewer. */
    max_pages: number;
    /** How many links a page may be away from the start page, 0 to 10; 3 by default. */
    max_depth: number;
    /** The pause between two requests to one host in milliseconds, 1,000 to 60,000; 1,000 by default. The site may ask for a longer one. */
    rate_limit_ms: number;
    /** Always true. */
    respect_robots_txt: boolean;
    /** Always `hierarchical`; kept for clients of the legacy service. */
    chunking_strategy: string;
  };
  /** What became of the addresses so far. */
  progress: {
    /** Addresses that were found. */
    discovered_urls: number;
    /** Addresses that are done. */
    processed_urls: number;
    /** Pages that were stored or had not changed. */
    successful_urls: number;
    /** Pages that could not be read. */
    failed_urls: number;
    /** Addresses that were not read, such as those that robots.txt forbids. */
    skipped_urls: number;
    /** The successful pages that had not changed. They cost nothing. */
    unchanged_urls: number;
    /** Stored pages that were removed, because two crawls in a row did not find them. */
    removed_pages: number;
    /** The passages of the successful pages. */
    total_chunks: number;
    /** Always 0; kept for clients of the legacy service. */
    total_embeddings: number;
  };
  /** How long it takes. */
  timing: {
    /** When it began (UTC). */
    started_at: string | null;
    /** When it ended (UTC); null while it has not. */
    completed_at: string | null;
    /** From begin to end, in milliseconds; null while it has not ended. */
    total_duration_ms: number | null;
    /** Per address, in milliseconds; null while the job has not ended. */
    avg_page_duration_ms: number | null;
  };
  /** What the job left out and why, in sentences for people. */
  notes: string[];
  /** Why it failed, in a sentence for people; null if it did not. */
  error_message: string | null;
  /** Whether a schedule has created it. */
  is_scheduled: boolean;
  /** The e-mail address of the account that owns it. */
  created_by: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** A crawl job, for callers that may not read it. */
export interface CrawlJobReference {
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** `pending` until it begins. All states but `pending` and `in_progress` are final. */
  status: "pending" | "in_progress" | "completed" | "failed" | "cancelled";
  /** When it was created (UTC). */
  created_at: string;
}

/** The counts of the job have changed. */
export interface CrawlProgressEvent {
  /** The type of the event. */
  event_type: "JOB_PROGRESS";
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The status of the job. */
  status: "pending" | "in_progress" | "completed" | "failed" | "cancelled";
  /** What became of the addresses so far. */
  progress: {
    /** Addresses that were found. */
    discovered_urls: number;
    /** Addresses that are done. */
    processed_urls: number;
    /** Pages that were stored or had not changed. */
    successful_urls: number;
    /** Pages that could not be read. */
    failed_urls: number;
    /** Addresses that were not read, such as those that robots.txt forbids. */
    skipped_urls: number;
    /** The successful pages that had not changed. They cost nothing. */
    unchanged_urls: number;
    /** Stored pages that were removed, because two crawls in a row did not find them. */
    removed_pages: number;
    /** The passages of the successful pages. */
    total_chunks: number;
    /** Always 0; kept for clients of the legacy service. */
    total_embeddings: number;
  };
}

/** When a knowledge base is crawled by itself. */
export interface CrawlSchedule {
  /** How often the knowledge base is crawled. */
  every: "daily" | "weekly";
  /** What the crawls read. */
  config: {
    /** `sitemap`: the pages that a sitemap or feed lists. `url`: the pages that links lead to. */
    source_type: "sitemap" | "url";
    /** The address of the sitemap or of the start page; http or https, at most 2,000 characters. */
    source_url: string;
    /** The most pages that the job stores or finds unchanged, 1 to 10,000; 100 by default. Your plan may allow fewer. */
    max_pages: number;
    /** How many links a page may be away from the start page, 0 to 10; 3 by default. */
    max_depth: number;
    /** The pause between two requests to one host in milliseconds, 1,000 to 60,000; 1,000 by default. The site may ask for a longer one. */
    rate_limit_ms: number;
    /** Always true. */
    respect_robots_txt: boolean;
    /** Always `hierarchical`; kept for clients of the legacy service. */
    chunking_strategy: string;
  };
  /** `stopped` if the account is not active any more. */
  status: "active" | "stopped";
  /** Why the schedule stopped, or why its last crawl did not begin, in a sentence for people. */
  problem: string | null;
  /** When the next crawl begins (UTC); null if the schedule has stopped. */
  next_run_at: string | null;
  /** When it was created (UTC). */
  created_at: string;
}

/** A schedule, for callers that may not read it. */
export interface CrawlScheduleReference {
  /** `stopped` if the account is not active any more. */
  status: "active" | "stopped";
  /** When the next crawl begins (UTC); null if the schedule has stopped. */
  next_run_at: string | null;
  /** When it was created (UTC). */
  created_at: string;
}

/** A step of a crawl job. */
export type CrawlStep = {
  /** The step's id. */
  step_id: string;
  /** What happened, such as `PAGE_INGEST_COMPLETE` or `PAGE_ERROR`. */
  step_type: string;
  /** The address that the step is about; null if it is about none. */
  url: string | null;
  /** What happened; null if there is nothing to say. */
  details: {
    /** A sentence for people. */
    message: string;
  } | null;
  /** How long it took, in milliseconds; null if unknown. */
  duration_ms: number | null;
  /** When it happened (UTC). */
  timestamp: string;
};

/** A step of the job, such as a page that was stored. */
export type CrawlStepEvent = {
  /** The type of the step. */
  event_type: "JOB_STARTED" | "URL_DISCOVERED" | "URL_SKIPPED" | "PAGE_INGEST_COMPLETE" | "PAGE_ERROR" | "PAGE_REMOVED";
  /** The id of the step. */
  step_id: string;
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The address that the step is about; null if it is about none. */
  url: string | null;
  /** What happened; null if there is nothing to say. */
  details: {
    /** A sentence for people. */
    message: string;
  } | null;
  /** How long it took, in milliseconds; null if unknown. */
  duration_ms: number | null;
  /** When it happened (UTC). */
  timestamp: string;
  /** `url`, `duration_ms` and the members of `details`, for clients of the legacy service. */
  data: Record<string, unknown>;
  /** Send it as `cursor` to resume behind this event. */
  cursor: string;
};

/** This stream has failed; the job goes on. Follow it again from the last `cursor`. */
export interface CrawlStreamErrorEvent {
  /** The type of the event. */
  event_type: "ERROR";
  /** The crawl job's id. */
  job_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The code of the problem, as in problem documents. */
  code: string;
  /** A sentence for people. */
  message: string;
  /** Whether following the job again may help. */
  retryable: boolean;
}

/** The deletion of an account that was requested. */
export interface DeletionRequested {
  /** A sentence for people. */
  message: string;
  /** `completed` if nothing of the account is left. */
  status: "processing" | "completed";
  /** A sentence for people that says more. */
  detail: string;
}

/** A person who talks to an agent without an account. */
export interface EndUser {
  /** The id under which your own application knows the end user. */
  end_user_id: string;
  /** The agent's id. */
  agent_id: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** The turn has failed, and this stream ends. */
export interface ErrorEvent {
  /** The type of the event. */
  event_type: "ERROR";
  /** A sentence for the user. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The code of the problem, as in problem documents. */
  code: string;
  /** Whether sending the message again may help. */
  retryable: boolean;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** The first line of an account's export. */
export interface ExportBegin {
  /** The type of the line. */
  type: "export";
  /** The version of the format. */
  version: number;
  /** The e-mail address of the account. */
  account: string;
  /** When the export began (UTC). */
  created_at: string;
}

/** One thing, with the members that the routes about it use. Secrets are left out. */
export interface ExportedItem {
  /** What the line describes. */
  type: "account" | "agent" | "api_key" | "session" | "mcp_connection" | "webhook" | "provider" | "model_list" | "served_window" | "learned_window" | "subscription" | "usage" | "end_user" | "publishable_key" | "conversation" | "message" | "run" | "summary" | "memory_block" | "memory_block_content" | "memory_block_version" | "knowledge_base" | "knowledge_base_link" | "knowledge_page" | "legacy_chunk" | "crawl_schedule" | "crawl_job" | "crawl_step" | "crawled_page" | "memory" | "memory_version" | "record";
  [name: string]: unknown;
}

/** The last line of a complete export. */
export interface ExportEnd {
  /** The type of the line. */
  type: "end";
  /** How many lines came before, without the first one of an account's export. */
  items: number;
}

/** The last line of an export that failed. */
export interface ExportFailure {
  /** The type of the line. */
  type: "error";
  /** The code of the problem, as in problem documents. */
  code: string;
  /** A sentence for people. */
  detail: string;
  /** Whether exporting again may help. */
  retryable: boolean;
}

/** One line of an export. */
export type ExportLine = ExportBegin | ExportedItem | ExportFailure | ExportEnd;

/** A form that a front end can render without knowing its fields in advance. */
export interface Form {
  /** The heading of the form. */
  form_name: string;
  /** The path that takes the values as a JSON object. */
  submit_path: string;
  /** The inputs, in order. */
  form_inputs: ({
    /** How the input is shown. `password` hides what is typed. */
    input_type: "text" | "text_area" | "password" | "select" | "choice";
    /** The member of the body that the value belongs to. */
    name: string;
    /** The label for people. */
    label: string;
    /** The initial value. */
    value?: string | undefined;
    /** The choices, if their labels are their values. */
    values?: string[] | undefined;
    /** The choices with their labels. */
    options?: ({
      /** The value that is sent. */
      value: string;
      /** The label for people. */
      label: string;
      /** Offer it only while the input that `depends_on` names has this value. */
      for?: string | undefined;
      /** Offer it only while `agent_architecture` has one of these values. Absent if it suits all of them. */
      architectures?: string[] | undefined;
    })[] | undefined;
    /** Further HTML attributes, such as `inputmode`. */
    attr?: Record<string, string> | undefined;
    /** Whether a value is needed. */
    required?: boolean | undefined;
    /** A regular expression for the whole value. */
    pattern?: string | undefined;
    /** The least number, or the least number of characters. */
    min?: number | undefined;
    /** The greatest number, or the most characters. */
    max?: number | undefined;
    /** A sentence that helps people to fill it in. */
    help?: string | undefined;
    /** The name of the input that decides which options are offered. */
    depends_on?: string | undefined;
  })[];
}

/** A page of results of a search in archival memory. */
export interface FoundMemories {
  /** The results, best first. */
  items: ({
    /** The memory's id. */
    memory_id: string;
    /** The text. */
    content: string;
    /** When it was created (UTC). */
    created_at: string;
    /** The date or time (ISO 8601) of what the memory is about; null or absent if it has none. */
    occurred_at?: string | undefined;
    /** When a change replaced this text. Only with `as_of`; absent if the text is current. */
    superseded_at?: string | undefined;
    /** How well it matches, from 0 to 1, relative to the best result, which has 1. */
    score: number;
  })[];
  /** How many results there are in all. */
  total: number;
  /** Send it as `cursor` to get the next page; null on the last page. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** Remarks on the results, such as `nothing-stored` or `index-building`. */
  notes: string[];
  /** What the search has looked at. Only on the first page. */
  evidence?: SearchEvidence | undefined;
}

/** A page of results of a search in messages. */
export type FoundMessages = {
  /** The results, best first. */
  items: ({
    /** The message's id. */
    message_id: string;
    /** The conversation's id. */
    conversation_id: string;
    /** The conversation's title. */
    conversation_title: string;
    /** Who wrote it: `user` or `assistant`. */
    role: string;
    /** The text. */
    content: string;
    /** The part of an attachment that matches, if it matches better than the message itself. */
    file_passage: {
      /** The file's name. */
      filename: string;
      /** The part that matches. */
      text: string;
    } | null;
    /** When it was created (UTC). */
    created_at: string;
    /** How well it matches, from 0 to 1, relative to the best result, which has 1. */
    score: number;
  })[];
  /** How many results there are in all. */
  total: number;
  /** Send it as `cursor` to get the next page; null on the last page. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** Remarks on the results, such as `nothing-stored` or `index-building`. */
  notes: string[];
  /** What the search has looked at. Only on the first page. */
  evidence?: SearchEvidence | undefined;
};

/** A page of results of a search in knowledge bases. */
export type FoundPassages = {
  /** The results, best first. */
  results: ({
    /** The same as `passage_id`. */
    chunk_id: string;
    /** The passage's id. It changes when the page's text changes. */
    passage_id: string;
    /** The knowledge base's id. */
    kb_id: string;
    /** The page's id. */
    page_id: string;
    /** The title of the page; null if it has none. */
    page_title: string | null;
    /** The address of the page. Null for an uploaded file. */
    source_url: string | null;
    /** The nearest heading above the passage. */
    heading: string | null;
    /** The title and all headings above the passage, outermost first. */
    headings: string[];
    /** The passage with its surroundings, in Markdown: up to 240 words. */
    content: string;
    /** The address of the page with a text fragment, with which browsers scroll to the passage. */
    citation_url: string | null;
    /** From 0 to 1, relative to the best result. */
    score: number;
  })[];
  /** The question, as it was searched. */
  query: string;
  /** How many results there are, at most 100 per knowledge base. */
  total: number;
  /** Send it as `cursor` to get the next page; null on the last page. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** Remarks on the results, such as `nothing-stored`, `index-building` or `base-unavailable`. */
  notes: string[];
  /** How many pages are indexed, counting one of which only the first part is, and how many there are, in the knowledge bases that are still being indexed. The results are from the indexed ones. Null if all pages are. */
  indexing: {
    /** How many pages are indexed. */
    indexed_pages: number;
    /** How many pages there are. */
    total_pages: number;
  } | null;
  /** What the search has looked at. Only on the first page. */
  evidence?: SearchEvidence | undefined;
};

/** The service is running. */
export interface Health {
  /** Always `healthy`. */
  status: "healthy";
}

/** An HTTP tool of an agent, with the names of its secrets. */
export interface HttpTool {
  /** The id of the tool. */
  tool_id: string;
  /** The name by which the model calls the tool: letters, digits and underscores, at most 64. */
  name: string;
  /** What the tool does and when to use it, for the model; at most 1,000 characters. */
  description: string;
  /** A JSON Schema of type object with the keywords `type`, `description`, `properties`, `required`, `items`, `enum`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems` and `maxItems`. */
  parameters: Record<string, unknown>;
  /** The HTTP method of the request that is sent for each call. */
  method: string;
  /** The address of the request, with https. Its host can't be a placeholder. */
  url: string;
  /** The headers of the request, by name. */
  headers: Record<string, string>;
  /** The body: `json` (any JSON, in which a text that is one placeholder becomes the argument itself), `form` (fields by name) or `text`. Null for none. */
  body: Record<string, unknown> | null;
  /** The names of the secrets that the request may use. */
  secrets: string[];
  /** After how many seconds the request is given up, 1 to 30. */
  timeout_seconds: number;
  /** Whether the agent's model is offered the tool. */
  enabled: boolean;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** Changes of an HTTP tool. Absent members keep their values. */
export type HttpToolChanges = {
  /** The name by which the model calls the tool: letters, digits and underscores, at most 64. */
  name?: string | undefined;
  /** What the tool does and when to use it, for the model; at most 1,000 characters. */
  description?: string | undefined;
  /** The arguments of the tool, as a JSON Schema of type object. By default, it takes none. */
  parameters?: Record<string, unknown> | undefined;
  /** The HTTP method of the request that is sent for each call. */
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | undefined;
  /** The address of the request, with https. Its host can't be a placeholder. */
  url?: string | undefined;
  /** The headers of the request, by name. */
  headers?: Record<string, string> | undefined;
  /** The body: `json` (any JSON, in which a text that is one placeholder becomes the argument itself), `form` (fields by name) or `text`. Null for none. */
  body?: {
    /** Any JSON. Placeholders in its texts are filled. */
    json?: unknown | undefined;
    /** Fields by name, sent as `application/x-www-form-urlencoded`. */
    form?: Record<string, string> | undefined;
    /** Plain text. Set `Content-Type` among the headers if it is something else. */
    text?: string | undefined;
  } | null | undefined;
  /** Secrets by name: a text sets one, null removes it, absent ones stay. */
  secrets?: Record<string, string | null> | undefined;
  /** After how many seconds the request is given up, 1 to 30; 10 by default. */
  timeout_seconds?: number | undefined;
  /** Whether the agent's model is offered the tool; true by default. */
  enabled?: boolean | undefined;
};

/** An HTTP tool for a caller that may not read it. */
export interface HttpToolReference {
  /** The id of the tool. */
  tool_id: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** What a trial of a tool sent and got, with masked secrets. */
export type HttpToolTrial = {
  /** The request; null if it could not be made with these arguments. */
  request: {
    /** The HTTP method. */
    method: string;
    /** The address with its placeholders filled. */
    url: string;
    /** The headers, by name in lower case. */
    headers: Record<string, string>;
    /** The body as text; null for none. */
    body: string | null;
  } | null;
  /** What the server answered; null if there is no answer. */
  response: {
    /** The HTTP status. */
    status: number;
    /** Such as `application/json`; empty if the server names none. */
    media_type: string;
    /** The beginning of the body; null if it is not text. */
    text: string | null;
    /** How many bytes of the body were read. */
    bytes: number;
    /** Whether the body is longer than `text`. */
    truncated: boolean;
  } | null;
  /** Why there is no answer; null if there is one. */
  error: string | null;
  /** How long the request took, in milliseconds. */
  duration_ms: number;
};

/** The arguments to try a tool with. */
export interface HttpToolTrialInput {
  /** Arguments by name, as the model would send them. */
  arguments?: Record<string, unknown> | undefined;
}

/** A knowledge base. */
export interface KnowledgeBase {
  /** The knowledge base's id. */
  kb_id: string;
  /** The name, at most 200 characters. */
  name: string;
  /** What it is about, at most 2,000 characters; null if it has no description. */
  description: string | null;
  /** Null except on bases of the legacy service. */
  pinecone_namespace: string | null;
  /** Stored pages and files. */
  total_pages: number;
  /** Passages of all pages. */
  total_chunks: number;
  /** 0 except on bases of the legacy service. */
  total_vectors: number;
  /** `deleted` for 30 days after its deletion. */
  status: "active" | "deleted";
  /** The e-mail address of the account that owns it. */
  created_by: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** Changes of a knowledge base. Absent members keep their values. */
export interface KnowledgeBaseChanges {
  /** The name, at most 200 characters. */
  name?: string | undefined;
  /** What it is about, at most 2,000 characters; null if it has no description. */
  description?: string | null | undefined;
}

/** An agent that may search a knowledge base. */
export interface KnowledgeBaseLink {
  /** A sentence for people. */
  message: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The agent's id. */
  agent_id: string;
  /** When they were linked (UTC). Absent if they were linked already. */
  linked_at?: string | undefined;
}

/** A knowledge base, for callers that may not read it. */
export interface KnowledgeBaseReference {
  /** The knowledge base's id. */
  kb_id: string;
  /** `deleted` for 30 days after its deletion. */
  status: "active" | "deleted";
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** A page or file, without its text. */
export interface KnowledgePage {
  /** The page's id. */
  page_id: string;
  /** The canonical address, or null for an uploaded file. */
  url: string | null;
  /** The name of an uploaded file, or null. */
  file_name: string | null;
  /** The title; null if it has none. */
  title: string | null;
  /** The description that the page states; null if it states none. */
  description: string | null;
  /** The language (BCP 47) that the page states; null if unknown. */
  language: string | null;
  /** The number of words. */
  word_count: number;
  /** The number of passages. */
  chunk_count: number;
  /** Why searches do not find the page, in a sentence; null if nothing is wrong. */
  index_error: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When its text was last stored (UTC). */
  updated_at: string;
}

/** A page or file with a part of its text. */
export interface KnowledgePageText {
  /** The page's id. */
  page_id: string;
  /** The canonical address, or null for an uploaded file. */
  url: string | null;
  /** The name of an uploaded file, or null. */
  file_name: string | null;
  /** The title; null if it has none. */
  title: string | null;
  /** The description that the page states; null if it states none. */
  description: string | null;
  /** The language (BCP 47) that the page states; null if unknown. */
  language: string | null;
  /** The number of words. */
  word_count: number;
  /** The number of passages. */
  chunk_count: number;
  /** Why searches do not find the page, in a sentence; null if nothing is wrong. */
  index_error: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When its text was last stored (UTC). */
  updated_at: string;
  /** The part of the text, as Markdown. */
  markdown: string;
  /** The position of the first character of `markdown` in the whole text. */
  from: number;
  /** Where the next part begins; null at the end of the text. */
  next_from: number | null;
  /** How many characters the whole text has. */
  total_chars: number;
}

/** A question to knowledge bases. */
export interface KnowledgeSearch {
  /** The question. Required, here or in the other place. */
  query?: string | undefined;
  /** How many results; 5 by default. */
  top_k?: number | undefined;
  /** The `next_cursor` of the previous page. */
  cursor?: string | undefined;
  /** Up to 4 further questions. */
  queries?: readonly string[] | undefined;
}

/** A page that the agent had read before it wrote something. */
export interface KnowledgeSource {
  /** The knowledge base's id. */
  kb_id: string;
  /** The page's id. */
  page_id: string;
  /** The address of the page; null for an uploaded file. */
  url: string | null;
  /** The title; null if it has none. */
  title: string | null;
}

/** A part of a page that the legacy service has stored. */
export interface LegacyChunk {
  /** The chunk's id. */
  chunk_id: string;
  /** The address of the page. */
  source_url: string;
  /** The title of the page; null if it has none. */
  page_title: string | null;
  /** The position among the chunks of the page, from 0. */
  chunk_index: number;
  /** The text. */
  content: string;
  /** The number of words. */
  word_count: number;
  /** The chunk that contains it; null if none does. */
  parent_chunk_id: string | null;
  /** How deep it is nested, from 0. */
  level: number;
  /** When it was created (UTC). */
  created_at: string;
}

/** What the turn does at the moment. */
export interface LifecycleEvent {
  /** The type of the event. */
  event_type: "LIFECYCLE_NOTIFICATION";
  /** A status line for people, such as `Loading memory...`. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A name and a password of a local account. */
export interface LocalCredentials {
  /** The name. */
  username: string;
  /** The password, at most 1,024 characters. */
  password: string;
}

/** An authorization that has begun. */
export interface McpAuthorization {
  /** The page on which the owner agrees. Open it in a browser. */
  authorization_url: string;
  /** When it stops being valid (UTC); null if it does not. */
  expires_at: string;
}

/** An MCP client that may use one of your agents. */
export interface McpConnection {
  /** The id of the connection. */
  connection_id: string;
  /** The only agent that the client may use. */
  agent_id: string;
  /** What the client calls itself. */
  client_name: string;
  /** Where you were led back to: a host, or the scheme of a program. */
  redirect_host: string;
  /** What the client may do. */
  scopes: string[];
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last used (UTC), accurate to the hour; null if it never was. */
  last_used_at: string | null;
  /** When it ends unless the client gets a new access token before then (UTC). */
  expires_at: string;
}

/** A message of JSON-RPC 2.0, as the Model Context Protocol defines it. */
export interface McpMessage {
  /** Always `2.0`. */
  jsonrpc: "2.0";
  /** The id of a request; absent for a notification. */
  id?: string | number | undefined;
  /** The method, such as `tools/call`. */
  method: string;
  /** The parameters of the method. */
  params?: Record<string, unknown> | undefined;
}

/** An MCP server whose tools an agent may use. */
export interface McpServer {
  /** The id of the server. */
  server_id: string;
  /** The beginning of the names of its tools: letters, digits and single underscores, at most 24. */
  name: string;
  /** The address of the server's endpoint for streamable HTTP, with https. */
  url: string;
  /** How the server is authenticated to: `none`, `bearer` (a token that is entered) or `oauth`. */
  auth: "none" | "bearer" | "oauth";
  /** The names of the tools that the agent may use, as the server calls them; null for all of them. */
  allowed_tools: string[] | null;
  /** After how many seconds a call is given up, 1 to 60. */
  timeout_seconds: number;
  /** Whether the agent's model is offered the tools. */
  enabled: boolean;
  /** `new`: not asked yet. `ready`: it has listed its tools. `unauthorized`: it wants another token or authorization. `failed`: `error` says why it did not list its tools. */
  state: "new" | "ready" | "unauthorized" | "failed";
  /** Why the last attempt to list the tools failed; null if it did not. */
  error: string | null;
  /** The tools that the agent may use, simplified where models need that. */
  tools: {
    /** The name of the tool, as the server calls it. */
    name: string;
    /** The name by which the model calls it. */
    offered_as: string;
    /** What the server says about it. */
    description: string;
  }[];
  /** The names of tools that are not among `allowed_tools`. */
  other_tools: string[];
  /** Tools that can't be offered, at most 20. */
  refused_tools: {
    /** The name of the tool, as the server calls it. */
    name: string;
    /** Why it can't be offered. */
    reason: string;
  }[];
  /** When the tools were listed (UTC); null if never. */
  listed_at: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** Changes of an MCP server. Absent members keep their values. */
export interface McpServerChanges {
  /** The beginning of the names of its tools: letters, digits and single underscores, at most 24. */
  name?: string | undefined;
  /** The address of the server's endpoint for streamable HTTP, with https. */
  url?: string | undefined;
  /** How the server is authenticated to: `none`, `bearer` or `oauth`; `none` by default. */
  auth?: "none" | "bearer" | "oauth" | undefined;
  /** The token for `bearer`: 4 to 4,000 ASCII characters without spaces. */
  bearer_token?: string | undefined;
  /** The names of the tools that the agent may use, as the server calls them; null for all of them. */
  allowed_tools?: readonly string[] | null | undefined;
  /** After how many seconds a call is given up, 1 to 60; 20 by default. */
  timeout_seconds?: number | undefined;
  /** Whether the agent's model is offered the tools; true by default. */
  enabled?: boolean | undefined;
}

/** An MCP server for a caller that may not read it. */
export interface McpServerReference {
  /** The id of the server. */
  server_id: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** The account that is signed in. */
export interface Me {
  /** The e-mail address. */
  email: string;
  /** The name. */
  name: string;
  /** The address of a portrait; null if there is none. */
  picture: string | null;
}

/** An archival memory. */
export interface Memory {
  /** The memory's id. */
  memory_id: string;
  /** The text of the memory. */
  content: string;
  /** When it was created (UTC). */
  created_at: string;
  /** The date or time (ISO 8601) of what the memory is about; null or absent if it has none. */
  occurred_at: string | null;
  /** The pages of knowledge bases that the agent had read in the run before it wrote this. Absent if there are none. */
  sources?: KnowledgeSource[] | undefined;
}

/** A block of core memory, without its lines. */
export interface MemoryBlock {
  /** The name of the memory block: lower-case letters, digits and underscores. */
  block_name: string;
  /** The same as `block_name`: the name under which blocks are created. */
  name: string;
  /** What belongs into the block, at most 200 characters. The agent reads it. */
  description: string;
  /** The most words that the block can hold. */
  word_limit: number;
  /** Whether it is one of the blocks that every memory has. Those can't be deleted. */
  is_default: boolean;
  /** The number of words. */
  word_count: number;
  /** The share of `word_limit` that is used, in percent. */
  capacity_percent: number;
  /** When it was created (UTC). */
  created_at: string;
}

/** Changes of a block. Absent members keep their values. */
export interface MemoryBlockChanges {
  /** What belongs into the block, at most 200 characters. The agent reads it. */
  description?: string | undefined;
  /** The most words that the block can hold, 100 to 50,000. */
  word_limit?: number | undefined;
}

/** The lines of a block. */
export interface MemoryBlockContent {
  /** The name of the memory block: lower-case letters, digits and underscores. */
  block_name: string;
  /** The same as `block_name`. */
  name: string;
  /** The lines, in order. */
  lines: string[];
  /** The number of words. */
  word_count: number;
  /** The most words that the block can hold. */
  word_limit: number;
  /** The share of `word_limit` that is used, in percent. */
  capacity_percent: number;
  /** Whether it is one of the blocks that every memory has. Those can't be deleted. */
  is_default: boolean;
}

/** A block's lines, for callers that may not read them. The version is the `ETag`. */
export interface MemoryBlockContentReference {
  /** The name of the memory block: lower-case letters, digits and underscores. */
  block_name: string;
}

/** A block, for callers that may not read it. */
export interface MemoryBlockReference {
  /** The name of the memory block: lower-case letters, digits and underscores. */
  block_name: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** The version to restore. */
export interface MemoryBlockRestoration {
  /** The number of the version. */
  version: number;
}

/** A version of a block. */
export interface MemoryBlockVersion {
  /** The number of the version: 1, 2, 3 … */
  version: number;
  /** The lines that the block had then. */
  lines: string[];
  /** The number of words. */
  word_count: number;
  /** `user`, `agent`, `compaction`, `restore` or `import`. */
  by: string;
  /** The run in which an agent made the change. */
  run_id: string | null;
  /** The pages of knowledge bases that the agent had read in the run before it wrote this. Absent if there are none. */
  sources?: KnowledgeSource[] | undefined;
  /** When it was created (UTC). */
  created_at: string;
}

/** Changes of a memory. Absent members keep their values. */
export interface MemoryChanges {
  /** The text of the memory. */
  content?: string | undefined;
  /** Null removes it. */
  occurred_at?: string | null | undefined;
}

/** A memory, for callers that may not read it. */
export interface MemoryReference {
  /** The memory's id. */
  memory_id: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** The agent has changed a block of its core memory. */
export interface MemoryUpdatedEvent {
  /** The type of the event. */
  event_type: "MEMORY_UPDATED";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The name of the memory block. */
  block: string;
  /** The number of the version that was created. */
  version: number;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A message. The contents of its files are left out. */
export interface Message {
  /** The message's id. */
  message_id: string;
  /** The conversation's id. */
  conversation_id: string;
  /** Who wrote it: `user` or `assistant`. */
  role: string;
  /** The text of the message. */
  content: string;
  /** Text files that belong to the message. */
  attachments: {
    /** The file's name. */
    filename: string;
    /** The file's size in bytes. */
    size: number;
  }[];
  /** When it was created (UTC). */
  created_at: string;
  /** `interrupted`: its run was stopped or failed. `truncated`: it was cut off at a limit on its length. */
  status: "complete" | "interrupted" | "truncated";
  /** The tools that the agent called before it answered, in order. */
  tool_calls: {
    /** The id of the call. */
    id: string;
    /** The name of the tool. */
    name: string;
    /** The arguments as the model wrote them: JSON as text. */
    arguments: string;
    /** What the tool returned to the model. */
    output: string;
    /** Whether the tool succeeded. */
    success: boolean;
  }[];
  /** The passages of knowledge bases that `content` refers to. Absent if there are none. */
  citations?: Citation[] | undefined;
  /** Tokens as the provider counted them; null if it did not. */
  usage: TokenUsage | null;
  /** The run that the message belongs to; null for messages of the legacy service. */
  run_id: string | null;
}

/** The user's message is stored. */
export interface MessageSavedEvent {
  /** The type of the event. */
  event_type: "MESSAGE_SAVED";
  /** Always `User message saved`. */
  content: string;
  /** The id of the stored message. */
  message_id: string;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A model of a provider. */
export type Model = {
  /** The model's id, for `agent_model`. */
  model_id: string;
  /** The model's name. */
  model_name: string;
  /** The same as `model_name`. */
  display_name: string;
  /** The provider's name. */
  provider: string;
  /** The context window in tokens; null if unknown. */
  context_tokens: number | null;
  /** How many tokens it writes at most; null if unknown. */
  max_output_tokens: number | null;
  /** Whether it can call tools, which memory requires; null if unknown. */
  tools: boolean | null;
  /** Whether it can see images; null if unknown. */
  vision: boolean | null;
  /** US dollars per million tokens; null if unknown. */
  price: {
    /** For tokens that the model reads. */
    input: number;
    /** For tokens that the model writes. */
    output: number;
  } | null;
  /** True if the provider listed the model for your credentials, false if it is from a built-in list. */
  is_live: boolean;
};

/** The usage of a month. */
export interface MonthlyUsage {
  /** A calendar month (UTC), such as `2026-06`. */
  period: string;
  /** Messages that were counted. */
  messages: number;
  /** Pages and files that were stored. */
  kb_pages: number;
}

/** An agent to create. */
export interface NewAgent {
  /** The name, one line of at most 200 characters. No two agents of an account have the same. */
  agent_name: string;
  /** How a message becomes an answer. `krishna-mini` answers with the history alone; `krishna-memgpt` also has memory and tools. */
  agent_architecture: "krishna-mini" | "krishna-memgpt";
  /** Who the agent is and how it behaves, at most 40,000 characters. Part of every prompt. */
  agent_persona: string;
  /** The provider of the model, matched without case. Its credentials are stored in the settings. */
  agent_provider: "Demo" | "OpenAI" | "OpenAICompatible" | "Anthropic" | "Bedrock" | "Cloudflare";
  /** The id of the model; null for the provider's default. */
  agent_model?: string | null | undefined;
  /** A turn after a longer pause starts without history. In minutes, up to 43,200 (30 days); 60 by default, and 0 always keeps the history. */
  session_timeout_minutes?: number | undefined;
  /** The model's temperature, 0 to 2; null for the provider's default. */
  temperature?: number | null | undefined;
  /** The longest answer in tokens, 1 to 200,000; null for the provider's default. */
  max_output_tokens?: number | null | undefined;
  /** How many tokens the model reads at once, 2,048 to 20,000,000; null for the known window of the model. Set it if your server loads the model with another window. */
  context_window?: number | null | undefined;
  /** The provider that answers if the first one fails before it has said anything; null for none, or, with a `fallback_model`, for the same one. */
  fallback_provider?: "Demo" | "OpenAI" | "OpenAICompatible" | "Anthropic" | "Bedrock" | "Cloudflare" | null | undefined;
  /** The model of the fallback; null for none or the provider's default. */
  fallback_model?: string | null | undefined;
  /** Origins of the pages from which end users may talk to the agent, such as `https://shop.example.com`; at most 20. */
  allowed_origins?: readonly string[] | undefined;
  /** Which tools wait for an approval before they are run: the tool's name and `always`, `first` (until one of its calls was approved in the conversation) or `never`. `*` stands for all other tools. A tool that is renamed needs its line again. */
  tool_approvals?: Record<string, "always" | "first" | "never"> | undefined;
  /** How many messages one end user may send in a month (UTC); null for no limit of its own. A lower limit of the plan takes precedence. */
  end_user_messages_per_month?: number | null | undefined;
}

/** An API key to create. */
export interface NewApiKey {
  /** What the key is for, at most 100 characters. */
  name: string;
  /** What the key may do. */
  scopes: readonly ("agents:read" | "agents:write" | "conversations:read" | "conversations:write" | "memory:read" | "memory:write" | "end-users:read" | "end-users:write" | "knowledge:read" | "knowledge:write")[];
  /** The only agents that the key may use, at most 50. If absent, it may use all of them. */
  agent_ids?: readonly string[] | undefined;
  /** When it stops being valid. If absent, it is valid until it is revoked. */
  expires_at?: string | undefined;
}

/** A token to create for an end user. */
export interface NewClientToken {
  /** The id under which your application knows the person: 1 to 128 letters, digits and `._@:-`. A new one must not begin with `anon:`, as the ids of visitors do. */
  end_user_id: string;
  /** How long the token is valid in seconds, 60 to 86,400; 3,600 by default. */
  expires_in?: number | undefined;
  /** The origins of the pages that may use the token; each must be among the agent's `allowed_origins`. If absent, all of those. A token without origins works outside of browsers only. */
  origins?: readonly string[] | undefined;
}

/** A conversation to start. */
export interface NewConversation {
  /** The title, at most 200 characters. */
  title: string;
  /** A description, at most 1,000 characters. */
  description?: string | undefined;
  /** The agent that answers. */
  agent_id: string;
}

/** A crawl job to create. */
export interface NewCrawlJob {
  /** `sitemap`: the pages that a sitemap or feed lists. `url`: the pages that links lead to. */
  source_type?: "sitemap" | "url" | undefined;
  /** The address of the sitemap or of the start page; http or https, at most 2,000 characters. */
  source_url: string;
  /** The most pages that the job stores or finds unchanged, 1 to 10,000; 100 by default. Your plan may allow fewer. */
  max_pages?: number | undefined;
  /** How many links a page may be away from the start page, 0 to 10; 3 by default. */
  max_depth?: number | undefined;
  /** The pause between two requests to one host in milliseconds, 1,000 to 60,000; 1,000 by default. The site may ask for a longer one. */
  rate_limit_ms?: number | undefined;
  /** Always `hierarchical`; kept for clients of the legacy service. */
  chunking_strategy?: "hierarchical" | undefined;
}

/** A schedule to set. */
export interface NewCrawlSchedule {
  /** `sitemap`: the pages that a sitemap or feed lists. `url`: the pages that links lead to. */
  source_type?: "sitemap" | "url" | undefined;
  /** The address of the sitemap or of the start page; http or https, at most 2,000 characters. */
  source_url: string;
  /** The most pages that the job stores or finds unchanged, 1 to 10,000; 100 by default. Your plan may allow fewer. */
  max_pages?: number | undefined;
  /** How many links a page may be away from the start page, 0 to 10; 3 by default. */
  max_depth?: number | undefined;
  /** The pause between two requests to one host in milliseconds, 1,000 to 60,000; 1,000 by default. The site may ask for a longer one. */
  rate_limit_ms?: number | undefined;
  /** Always `hierarchical`; kept for clients of the legacy service. */
  chunking_strategy?: "hierarchical" | undefined;
  /** How often the knowledge base is crawled. */
  every: "daily" | "weekly";
}

/** A decision about a call. */
export interface NewDecision {
  /** `approve` has the tool run; `reject` does not. */
  decision: "approve" | "reject";
  /** Why, for the model. Only for a rejection. */
  reason?: string | undefined;
}

/** An HTTP tool to add. */
export type NewHttpTool = {
  /** The name by which the model calls the tool: letters, digits and underscores, at most 64. */
  name: string;
  /** What the tool does and when to use it, for the model; at most 1,000 characters. */
  description: string;
  /** The arguments of the tool, as a JSON Schema of type object. By default, it takes none. */
  parameters?: Record<string, unknown> | undefined;
  /** The HTTP method of the request that is sent for each call. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The address of the request, with https. Its host can't be a placeholder. */
  url: string;
  /** The headers of the request, by name. */
  headers?: Record<string, string> | undefined;
  /** The body: `json` (any JSON, in which a text that is one placeholder becomes the argument itself), `form` (fields by name) or `text`. Null for none. */
  body?: {
    /** Any JSON. Placeholders in its texts are filled. */
    json?: unknown | undefined;
    /** Fields by name, sent as `application/x-www-form-urlencoded`. */
    form?: Record<string, string> | undefined;
    /** Plain text. Set `Content-Type` among the headers if it is something else. */
    text?: string | undefined;
  } | null | undefined;
  /** Secrets by name, at most 10, each a line of 4 to 4,096 characters. */
  secrets?: Record<string, string> | undefined;
  /** After how many seconds the request is given up, 1 to 30; 10 by default. */
  timeout_seconds?: number | undefined;
  /** Whether the agent's model is offered the tool; true by default. */
  enabled?: boolean | undefined;
};

/** A knowledge base to create. */
export interface NewKnowledgeBase {
  /** The name, at most 200 characters. */
  name: string;
  /** What it is about, at most 2,000 characters; null if it has no description. */
  description?: string | undefined;
}

/** An MCP server to add. */
export interface NewMcpServer {
  /** The beginning of the names of its tools: letters, digits and single underscores, at most 24. */
  name: string;
  /** The address of the server's endpoint for streamable HTTP, with https. */
  url: string;
  /** How the server is authenticated to: `none`, `bearer` or `oauth`; `none` by default. */
  auth?: "none" | "bearer" | "oauth" | undefined;
  /** The token for `bearer`: 4 to 4,000 ASCII characters without spaces. */
  bearer_token?: string | undefined;
  /** The names of the tools that the agent may use, as the server calls them; null for all of them. */
  allowed_tools?: readonly string[] | null | undefined;
  /** After how many seconds a call is given up, 1 to 60; 20 by default. */
  timeout_seconds?: number | undefined;
  /** Whether the agent's model is offered the tools; true by default. */
  enabled?: boolean | undefined;
}

/** Memories to store. */
export interface NewMemories {
  /** 1 to 100 memories. */
  items: readonly NewMemory[];
}

/** A memory to store. */
export interface NewMemory {
  /** The text of the memory. */
  content: string;
  /** The date or time (ISO 8601) of what the memory is about. */
  occurred_at?: string | undefined;
}

/** A block to create. `name` or `block_name` is required. */
export interface NewMemoryBlock {
  /** The name: lower-case letters, digits and underscores, beginning with a letter; at most 50 characters. */
  name?: string | undefined;
  /** The same as `name`. */
  block_name?: string | undefined;
  /** What belongs into the block, at most 200 characters. The agent reads it. */
  description: string;
  /** The most words that the block can hold, 100 to 50,000. */
  word_limit?: number | undefined;
}

/** The lines that replace those of a block. */
export interface NewMemoryBlockContent {
  /** Line breaks within a line become spaces. Empty lines are removed. */
  lines: readonly string[];
}

/** A message to an agent. The content must not be blank unless files are attached. */
export interface NewMessage {
  /** The text of the message. */
  content: string;
  /** Up to 5 text files, together at most 250 KB, which the agent reads with the message. */
  attachments?: readonly ({
    /** The file's name. */
    filename: string;
    /** The file's text. */
    content: string;
    /** Ignored. The size of the content is measured. */
    size?: number | undefined;
  })[] | null | undefined;
}

/** The metadata of a client (RFC 7591). */
export interface NewOAuthClient {
  /** The addresses that answers may go to, at most 10. */
  redirect_uris: readonly string[];
  /** What the client calls itself. People see it when they are asked. */
  client_name?: string | undefined;
  /** If it is sent, it has to contain `authorization_code`. */
  grant_types?: readonly string[] | undefined;
  /** If it is sent, it has to contain `code`. */
  response_types?: readonly string[] | undefined;
}

/** A publishable key to create. */
export interface NewPublishableKey {
  /** What the key is for, at most 100 characters. */
  name: string;
  /** The origins of the pages that may use the key, such as `https://shop.example.com`: at most 20, with `https`, or with `http` on localhost. If empty, any page may. */
  allowed_origins?: readonly string[] | null | undefined;
  /** Whether visitors have to sign in before they can chat. */
  requires_sign_in?: boolean | null | undefined;
}

/** What OpenAI's client sends for a response. Further members are ignored. */
export type NewResponse = {
  /** The id or the name of an agent. */
  model: string;
  /** What the user says, or messages of which the last are new. */
  input: string | readonly ({
    /** The type of the item. */
    type?: "message" | "function_call" | "function_call_output" | "reasoning" | undefined;
    /** Who says it. The last message is not the assistant's. Required in messages. */
    role?: "user" | "assistant" | "system" | "developer" | undefined;
    /** The text, or its parts. */
    content?: string | readonly ({
      /** The type of the part. */
      type: "input_text" | "output_text" | "refusal" | "input_image" | "input_file" | "reasoning_text";
      /** The text of a part of type `input_text` or `output_text`. */
      text?: string | undefined;
      /** The text of a part of type `refusal`. */
      refusal?: string | undefined;
      /** A text file: a `data:` URL, or base64. */
      file_data?: string | null | undefined;
      /** Only a `data:` URL. Files at other addresses are not fetched. */
      file_url?: string | null | undefined;
      /** Not supported: images are refused. */
      image_url?: string | null | undefined;
      /** Not supported: files can't be sent by id. */
      file_id?: string | null | undefined;
      /** The name of the file. */
      filename?: string | null | undefined;
    })[] | null | undefined;
    /** The id of the call, in items of the types `function_call` and `function_call_output`. */
    call_id?: string | undefined;
    /** The tool's name, in a `function_call`. */
    name?: string | undefined;
    /** The arguments, in a `function_call`: JSON as text. */
    arguments?: string | undefined;
    /** The result, in a `function_call_output`: text, or parts of the type `input_text`. */
    output?: string | readonly ({
      /** The type of the part. */
      type: "input_text" | "output_text" | "refusal" | "input_image" | "input_file" | "reasoning_text";
      /** The text of the part. */
      text?: string | undefined;
      /** The text of a part of type `refusal`. */
      refusal?: string | undefined;
      /** Not supported: a result is text. */
      file_data?: string | null | undefined;
      /** Not supported: a result is text. */
      file_url?: string | null | undefined;
      /** Not supported: a result is text. */
      image_url?: string | null | undefined;
      /** Not supported: a result is text. */
      file_id?: string | null | undefined;
      /** Not supported: a result is text. */
      filename?: string | null | undefined;
    })[] | undefined;
  })[];
  /** What the application says about this answer. It has the rights of the user. */
  instructions?: string | null | undefined;
  /** Whether the answer is streamed. */
  stream?: boolean | null | undefined;
  /** Whether the request returns as soon as the run has begun. Retrieve the response later. */
  background?: boolean | null | undefined;
  /** Whether later responses can continue the conversation; true by default. */
  store?: boolean | null | undefined;
  /** The response to continue from: the newest answered one of its conversation. */
  previous_response_id?: string | null | undefined;
  /** The id of a conversation with the agent, or any name of yours, which the first message creates. */
  conversation?: string | {
    /** The id or the name. */
    id: string;
  } | null | undefined;
  /** The form of the answer. */
  text?: {
    /** The form of the answer; text by default. */
    format?: {
      /** The name of the schema. */
      name?: string | undefined;
      /** What the answer is for. */
      description?: string | null | undefined;
      /** The JSON Schema. */
      schema?: Record<string, unknown> | null | undefined;
      /** Whether the provider must keep exactly to the schema. */
      strict?: boolean | null | undefined;
      /** The form of the answer. */
      type: "text" | "json_object" | "json_schema";
    } | null | undefined;
  } | null | undefined;
  /** Texts of your own, which the response repeats. */
  metadata?: Record<string, string> | null | undefined;
  /** The end user whose conversations and memory are used. */
  user?: string | null | undefined;
  /** The same as `user`, which wins if both are sent. */
  safety_identifier?: string | null | undefined;
  /** Tools that the client runs. The agent has its own besides. */
  tools?: readonly ({
    /** Always `function`: tools that OpenAI runs do not exist here. */
    type: "function";
    /** The name by which the model calls it. */
    name: string;
    /** What it does, for the model. */
    description?: string | null | undefined;
    /** The JSON Schema of its arguments. */
    parameters?: Record<string, unknown> | null | undefined;
    /** Repeated in the response, and otherwise ignored. */
    strict?: boolean | null | undefined;
  })[] | null | undefined;
  /** `none` offers no tools of the client, `required` makes the model call a tool first, and an object names that tool. */
  tool_choice?: "none" | "auto" | "required" | {
    /** The type of the tool. */
    type: "function";
    /** The tool's name. */
    name: string;
  } | null | undefined;
  /** If false, the client runs at most one of its tools per response of the model. */
  parallel_tool_calls?: boolean | null | undefined;
  /** Not supported. */
  prompt?: unknown | undefined;
};

/** Files to upload. */
export interface NewUploads {
  /** One or more files. Repeat the field for several ones. */
  file: readonly Blob[];
}

/** An endpoint to create. */
export interface NewWebhook {
  /** The address. It has to begin with https:// and to name a public host. */
  url: string;
  /** The types of events that are delivered to it. */
  events: readonly ("run.completed" | "run.failed" | "run.cancelled" | "approval.requested" | "memory.changed" | "usage.threshold_reached" | "end_user.deleted")[];
  /** What it is for, at most 200 characters. */
  description?: string | undefined;
  /** Whether events are delivered to it. */
  enabled?: boolean | undefined;
}

/** A conversation to start. */
export interface NewWidgetConversation {
  /** The title, at most 200 characters. By default, `Chat with` and the visitor's name. */
  title?: string | undefined;
}

/** A message to send. */
export interface NewWidgetMessage {
  /** The text, at most 10,000 characters. */
  content: string;
}

/** A registered client. */
export interface OAuthClient {
  /** The id, up to about 2,000 characters long. */
  client_id: string;
  /** What people are shown: the name on one line, or the host of the first redirect address. */
  client_name: string;
  /** The addresses that answers may go to. */
  redirect_uris: string[];
  /** The grant types that the client can use. */
  grant_types: string[];
  /** Only `code`. */
  response_types: string[];
  /** Always `none`: there is no client secret. */
  token_endpoint_auth_method: string;
}

/** An error as OAuth writes it (RFC 6749, section 5.2). */
export interface OAuthError {
  /** The kind of error, for programs, such as `invalid_grant`. */
  error: string;
  /** What is wrong and what to do, in a sentence for people. */
  error_description: string;
}

/** An access token, and the refresh token for the next one. */
export interface OAuthTokens {
  /** The token for the MCP address of the agent. */
  access_token: string;
  /** Always `Bearer`. */
  token_type: "Bearer";
  /** How long the access token is valid, in seconds. */
  expires_in: number;
  /** Replaces the refresh token that was sent. */
  refresh_token: string;
  /** What the client may do, separated by spaces. */
  scope: string;
}

/** An error as OpenAI's API writes it. `code` and `message` are those that a problem document would have. */
export interface OpenAiError {
  /** The error. */
  error: {
    /** What is wrong and what to do, in a sentence for people. */
    message: string;
    /** The kind of error in OpenAI's words, such as `invalid_request_error`. */
    type: string;
    /** The member that is not valid; null if it is another error. */
    param: string | null;
    /** The kind of problem, for programs. Codes do not change. */
    code: string;
  };
}

/** A run as one of OpenAI's responses. */
export type OpenAiResponse = {
  /** The response's id. */
  id: string;
  /** The type of the object. */
  object: "response";
  /** When the run began, in seconds since 1970. */
  created_at: number;
  /** How far the response is. `incomplete` means that it was cut off at a limit on its length. */
  status: "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";
  /** Whether it was created in the background. */
  background: boolean;
  /** Why it has failed; null if it has not. */
  error: {
    /** The nearest code that OpenAI's clients know. */
    code: string;
    /** A sentence for people. */
    message: string;
    /** The code of the problem, as in `OpenAiError`. */
    type: string;
  } | null;
  /** Why it is incomplete; null if it is not. */
  incomplete_details: {
    /** Always `max_output_tokens`. */
    reason: "max_output_tokens";
  } | null;
  /** The `instructions` of the request. */
  instructions: string | null;
  /** Always null: the agent has its own limit. */
  max_output_tokens: null;
  /** Always null: the agent has its own limit. */
  max_tool_calls: null;
  /** The `metadata` of the request. */
  metadata: Record<string, string>;
  /** The `model` of the request. */
  model: string;
  /** The answer, if it has text, and then the calls that are left to the client. Empty before the end. */
  output: (ResponseMessage | ResponseCall)[];
  /** The `parallel_tool_calls` of the request; true by default. */
  parallel_tool_calls: boolean;
  /** The `previous_response_id` of the request. */
  previous_response_id: string | null;
  /** The conversation that the response belongs to; null if it is not kept. */
  conversation: {
    /** The conversation's id. */
    id: string;
  } | null;
  /** Always null. */
  reasoning: null;
  /** Whether later responses can continue the conversation. */
  store: boolean;
  /** Always null: the agent has its own. */
  temperature: null;
  /** The form of the answer. */
  text: {
    /** The `text.format` of the request. */
    format: Record<string, unknown>;
  };
  /** The `tool_choice` of the request; `auto` by default. */
  tool_choice: "none" | "auto" | "required" | {
    /** The type of the tool. */
    type: "function";
    /** The tool's name. */
    name: string;
  };
  /** The `tools` of the request. Those of the agent stay hidden. */
  tools: ResponseTool[];
  /** Always null: the agent has its own. */
  top_p: null;
  /** Always `disabled`. */
  truncation: "disabled";
  /** The tokens of the response; null if the provider has not counted them. */
  usage: ResponseUsage | null;
  /** The `user` of the request. Absent if it has none. */
  user?: string | undefined;
  /** The `safety_identifier` of the request. Absent if it has none. */
  safety_identifier?: string | undefined;
};

/** A response without what was said in it. */
export interface OpenAiResponseReference {
  /** The response's id. */
  id: string;
  /** The type of the object. */
  object: "response";
  /** When the run began, in seconds since 1970. */
  created_at: number;
  /** How far the response is. `incomplete` means that it was cut off at a limit on its length. */
  status: "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";
}

/** A subscription of the account. */
export interface OwnSubscription {
  /** The subscription's id at Stripe. */
  subscription_id: string;
  /** The key of the plan. */
  plan: string;
  /** The status at Stripe. */
  status: string;
  /** When the period ends, in seconds since 1970 as text. */
  current_period_end: string | null;
  /** Whether it is set to end. */
  cancel_at_period_end: boolean;
}

/** A passage of a page. */
export interface Passage {
  /** The passage's id. It changes when the page's text changes. */
  passage_id: string;
  /** The knowledge base's id. */
  kb_id: string;
  /** The page's id. */
  page_id: string;
  /** The title of the page; null if it has none. */
  page_title: string | null;
  /** The address of the page. Null for an uploaded file. */
  source_url: string | null;
  /** The nearest heading above the passage. */
  heading: string | null;
  /** The title and all headings above the passage, outermost first. */
  headings: string[];
  /** The passage with its surroundings, in Markdown: up to 240 words. */
  content: string;
  /** The address of the page with a text fragment, with which browsers scroll to the passage. */
  citation_url: string | null;
  /** The passage alone, in Markdown. */
  passage: string;
}

/** A call of a tool that a run waits for. */
export interface PendingCall {
  /** The call's id. */
  tool_call_id: string;
  /** The tool's name. */
  tool_name: string;
  /** The tool's arguments. */
  tool_args: Record<string, unknown>;
  /** `approval`, or `result` if the client runs the tool. */
  waits_for: "approval" | "result";
  /** What has been decided; null until then. */
  decision: "approve" | "reject" | "result" | null;
  /** When the run is given up; null if it has ended with the call. */
  expires_at: string | null;
}

/** Where subscriptions are managed. */
export interface Portal {
  /** The address. */
  url: string;
  /** The account's own subscriptions, the one that decides its plan first, each with the portal that manages it. */
  subscriptions: ({
    /** The subscription's id at Stripe. */
    subscription_id: string;
    /** The key of the plan. */
    plan: string;
    /** The status at Stripe. */
    status: string;
    /** When the period ends, in seconds since 1970 as text. */
    current_period_end: string | null;
    /** Whether it is set to end. */
    cancel_at_period_end: boolean;
    /** The address. */
    url: string;
  })[];
}

/** Plans and prices. */
export interface Pricing {
  /** The plans, in the order in which they are shown. */
  tiers: ({
    /** The name. */
    name: string;
    /** A short text beside the name; may be empty. */
    badge: string;
    /** Whom the plan is for. */
    description: string;
    /** Prices as texts. */
    prices: {
      /** The price if paid by the month. */
      monthly: string;
      /** The price if paid by the year. */
      annual: string;
    };
    /** Null for plans that cannot be bought online. */
    planKey: string | null;
    /** The label of the button. */
    ctaLabel: string;
    /** Where the button leads. */
    ctaHref: string;
    /** Whether the plan is emphasised. */
    highlighted: boolean;
    /** What the plan includes. */
    features: string[];
  })[];
  /** Questions with answers. */
  faqs: {
    /** The question. */
    question: string;
    /** The answer. */
    answer: string;
  }[];
}

/** A problem (RFC 9457). `code` is for programs, `detail` for people. Some problems have further members. */
export interface Problem {
  /** `urn:problem:` and the code. */
  type: string;
  /** The kind of problem, in a few words. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** What is wrong and what to do, in a sentence for people. */
  detail: string;
  /** The path of the request. */
  instance: string;
  /** The kind of problem, for programs. Codes do not change. */
  code: string;
  /** Finds the request in the service's log. */
  request_id: string;
  /** With `validation-failed`: what is wrong with each member. Values are never repeated. */
  errors?: ({
    /** The path of the member. */
    path?: string[] | undefined;
    /** A sentence for people. */
    message?: string | undefined;
    /** The kind of violation. */
    code?: string | undefined;
  })[] | undefined;
  /** With problems of a run: its id. */
  run_id?: string | undefined;
  /** With the `conflict` of a repeated creation of an API key: its id. */
  key_id?: string | undefined;
  /** With the `conflict` of a name: the agent that has it. */
  existing_agent_id?: string | undefined;
  /** With the `conflict` of a name: the members that differ. */
  fields?: string[] | undefined;
  /** With the `conflict` of a payment: why Stripe has refused it. */
  reason?: string | undefined;
  /** With `limit-exceeded`: the limit. */
  limit?: number | undefined;
  /** With `limit-exceeded`: what is used. */
  current?: number | undefined;
  /** With `limit-exceeded`: what is left, if it is not 0. */
  remaining?: number | undefined;
  /** With `limit-exceeded`: the account's plan. */
  tier?: string | undefined;
  /** With `limit-exceeded`: when the limit resets (UTC); null if it does not. */
  resets_at?: string | null | undefined;
  /** With `limit-exceeded`: where to get a better plan. */
  upgrade_url?: string | undefined;
}

/** Whether a provider is configured. */
export interface Provider {
  /** The provider's name. */
  provider_name: string;
  /** Whether usable credentials are stored. */
  is_configured: boolean;
  /** The last four characters of the first secret; null if there is none, or a short one. */
  key_hint: string | null;
  /** Why the stored credentials cannot be used; null if they can. */
  problem: string | null;
  /** When credentials were first stored (UTC); null if there are none. */
  created_at: string | null;
  /** When credentials were last stored (UTC); null if there are none. */
  updated_at: string | null;
}

/** The values of the provider's form, by the names of its inputs. */
export type ProviderCredentials = Record<string, unknown>;

/** A provider, its form, and whether it is configured. */
export interface ProviderListing {
  /** The provider's name. */
  provider_name: string;
  /** The form that asks for the credentials. */
  form: Form;
  /** Whether usable credentials are stored. */
  is_configured: boolean;
  /** The last four characters of the first secret; null if there is none, or a short one. */
  key_hint: string | null;
  /** Why the stored credentials cannot be used; null if they can. */
  problem: string | null;
}

/** The result of a test. */
export interface ProviderTrial {
  /** Whether the provider accepts the credentials. */
  ok: boolean;
  /** A sentence for people. */
  message: string;
  /** The code of the problem; null on success. */
  code: string | null;
  /** `message` if a model has answered, `list` if the provider only listed its models, null on failure. */
  checked: "list" | "message" | null;
}

/** A key with which web pages let their visitors chat with one agent. */
export interface PublishableKey {
  /** The publishable key's id. */
  key_id: string;
  /** The agent's id. */
  agent_id: string;
  /** What pages send as `X-API-Key`. */
  public_key: string;
  /** What the key is for. */
  name: string;
  /** The origins of the pages that may use the key, such as `https://shop.example.com`: at most 20, with `https`, or with `http` on localhost. If empty, any page may. */
  allowed_origins: string[];
  /** Whether the key can be used. */
  is_active: boolean;
  /** Whether visitors have to sign in before they can chat. */
  requires_sign_in: boolean;
  /** The e-mail address of the account that owns it. */
  created_by: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last used (UTC); null if never. */
  last_used_at: string | null;
  /** How many requests have used the key. */
  request_count: number;
}

/** Changes of a publishable key. Absent members keep their values. */
export interface PublishableKeyChanges {
  /** What the key is for. */
  name?: string | undefined;
  /** The origins of the pages that may use the key, such as `https://shop.example.com`: at most 20, with `https`, or with `http` on localhost. If empty, any page may. */
  allowed_origins?: readonly string[] | undefined;
  /** Whether the key can be used. */
  is_active?: boolean | undefined;
  /** Whether visitors have to sign in before they can chat. */
  requires_sign_in?: boolean | undefined;
}

/** A publishable key, for callers that may not read agents. */
export interface PublishableKeyReference {
  /** The publishable key's id. */
  key_id: string;
  /** The agent's id. */
  agent_id: string;
  /** What pages send as `X-API-Key`. */
  public_key: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** A piece of what the model thinks. Only with `?reasoning=1`; never stored. */
export interface ReasoningEvent {
  /** The type of the event. */
  event_type: "REASONING";
  /** The piece. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A new access token, and whose it is. */
export interface RefreshedToken {
  /** The token. Send it as `Authorization: Bearer …`. */
  token: string;
  /** How long the token is valid, in seconds. */
  expires_in: number;
  /** The e-mail address. */
  email: string;
  /** The name. */
  name: string;
  /** The address of a portrait; null if there is none. */
  picture: string | null;
}

/** The arguments of a call, in one piece. */
export interface ResponseArgumentsDelta {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.function_call_arguments.delta";
  /** The place of the item in the output, from 0. */
  output_index: number;
  /** The id of the item. */
  item_id: string;
  /** The arguments: JSON as text. */
  delta: string;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The arguments of a call have ended. */
export interface ResponseArgumentsDone {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.function_call_arguments.done";
  /** The place of the item in the output, from 0. */
  output_index: number;
  /** The id of the item. */
  item_id: string;
  /** All of them. */
  arguments: string;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** A call that is left to the client. */
export interface ResponseCall {
  /** `fc_` and the id of the call. */
  id: string;
  /** The type of the item. */
  type: "function_call";
  /** The id of the call, for its result. */
  call_id: string;
  /** The tool's name. */
  name: string;
  /** The arguments: JSON as text. */
  arguments: string;
  /** Whether the call is whole. */
  status: "in_progress" | "completed";
}

/** The response is whole. */
export interface ResponseCompleted {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.completed";
  /** The response as it is now. */
  response: OpenAiResponse;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The run has begun. */
export interface ResponseCreated {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.created";
  /** The response as it is now. */
  response: OpenAiResponse;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** Why the run has failed. OpenAI's client throws it. */
export interface ResponseError {
  /** The type of the event, which is also the `event` of its frame. */
  type: "error";
  /** The code of the problem, as in `OpenAiError`. */
  code: string;
  /** A sentence for people. */
  message: string;
  /** Always null. */
  param: null;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** What one `data:` line holds. Numbers have no gaps unless the run was interrupted. OpenAI has no event for a cancelled response: it ends with `response.incomplete`, with the status `cancelled`. */
export type ResponseEvent = ResponseCreated | ResponseInProgress | ResponseItemAdded | ResponsePartAdded | ResponseTextDelta | ResponseTextDone | ResponsePartDone | ResponseItemDone | ResponseArgumentsDelta | ResponseArgumentsDone | ResponseCompleted | ResponseIncomplete | ResponseFailed | ResponseError;

/** The run has failed. An `error` follows. */
export interface ResponseFailed {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.failed";
  /** The response as it is now. */
  response: OpenAiResponse;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The response was cut off at a limit on its length, or cancelled. */
export interface ResponseIncomplete {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.incomplete";
  /** The response as it is now. */
  response: OpenAiResponse;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The agent works. */
export interface ResponseInProgress {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.in_progress";
  /** The response as it is now. */
  response: OpenAiResponse;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The input of a response. */
export interface ResponseInputItems {
  /** The type of the object. */
  object: "list";
  /** The user's message, or the results of the client's tools. */
  data: (ResponseInputMessage | ResponseResult)[];
  /** The id of the first item; null if there is none. */
  first_id: string | null;
  /** The id of the last item; null if there is none. */
  last_id: string | null;
  /** Always false. */
  has_more: false;
}

/** The user's message that a response answers. */
export type ResponseInputMessage = {
  /** `msg_` and the id of the message. */
  id: string;
  /** The type of the item. */
  type: "message";
  /** Always `user`. */
  role: "user";
  /** Always `completed`. */
  status: "completed";
  /** The text, and the files. */
  content: ({
    /** The type of the part. */
    type: "input_text";
    /** The text. */
    text: string;
  } | {
    /** The type of the part. */
    type: "input_file";
    /** The name of the file. */
    filename: string;
    /** The file, as a `data:` URL. */
    file_data: string;
  })[];
};

/** The answer begins, or a call. */
export interface ResponseItemAdded {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.output_item.added";
  /** The place of the item in the output, from 0. */
  output_index: number;
  /** The answer or the call, which is empty. */
  item: ResponseMessage | ResponseCall;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The answer has ended, or a call. */
export interface ResponseItemDone {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.output_item.done";
  /** The place of the item in the output, from 0. */
  output_index: number;
  /** The answer, or the call. */
  item: ResponseMessage | ResponseCall;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The answer of a response. */
export interface ResponseMessage {
  /** `msg_` and the id of the message. */
  id: string;
  /** The type of the item. */
  type: "message";
  /** Always `assistant`. */
  role: "assistant";
  /** Whether the answer is whole. */
  status: "in_progress" | "completed" | "incomplete";
  /** The text, in one part. */
  content: ResponseText[];
}

/** The text of the answer begins. */
export interface ResponsePartAdded {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.content_part.added";
  /** Always 0: the answer comes before calls. */
  output_index: 0;
  /** The id of the answer. */
  item_id: string;
  /** Always 0. */
  content_index: 0;
  /** The text, which is empty. */
  part: ResponseText;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The text of the answer has ended. */
export interface ResponsePartDone {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.content_part.done";
  /** Always 0: the answer comes before calls. */
  output_index: 0;
  /** The id of the answer. */
  item_id: string;
  /** Always 0. */
  content_index: 0;
  /** All of it. */
  part: ResponseText;
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The result of a tool of the client. */
export interface ResponseResult {
  /** `fco_` and the id of the call. */
  id: string;
  /** The type of the item. */
  type: "function_call_output";
  /** The id of the call. */
  call_id: string;
  /** The result, cut to 2,000 bytes. */
  output: string;
  /** Always `completed`. */
  status: "completed";
}

/** The text of an answer. */
export interface ResponseText {
  /** The type of the part. */
  type: "output_text";
  /** The text. */
  text: string;
  /** Always empty. */
  annotations: Record<string, unknown>[];
  /** Always empty. */
  logprobs: Record<string, unknown>[];
}

/** A piece of the answer. */
export interface ResponseTextDelta {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.output_text.delta";
  /** Always 0: the answer comes before calls. */
  output_index: 0;
  /** The id of the answer. */
  item_id: string;
  /** Always 0. */
  content_index: 0;
  /** The piece. */
  delta: string;
  /** Always empty. */
  logprobs: Record<string, unknown>[];
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** The text of the answer has ended. */
export interface ResponseTextDone {
  /** The type of the event, which is also the `event` of its frame. */
  type: "response.output_text.done";
  /** Always 0: the answer comes before calls. */
  output_index: 0;
  /** The id of the answer. */
  item_id: string;
  /** Always 0. */
  content_index: 0;
  /** All of it. */
  text: string;
  /** Always empty. */
  logprobs: Record<string, unknown>[];
  /** The number of the event, from 0. */
  sequence_number: number;
}

/** A tool of the client, as the request has sent it. */
export interface ResponseTool {
  /** The type of the tool. */
  type: "function";
  /** The tool's name. */
  name: string;
  /** What it does; null if the request does not say so. */
  description: string | null;
  /** The JSON Schema of its arguments; null if there is none. */
  parameters: Record<string, unknown> | null;
  /** The `strict` of the request; null if it has none. */
  strict: boolean | null;
}

/** Tokens as the provider counted them. */
export interface ResponseUsage {
  /** Tokens that the model read, in all its responses of the turn. */
  input_tokens: number;
  /** More about `input_tokens`. */
  input_tokens_details: {
    /** The part of them that came from the provider's cache. */
    cached_tokens: number;
  };
  /** Tokens that the model wrote. */
  output_tokens: number;
  /** More about `output_tokens`. */
  output_tokens_details: {
    /** The part of them spent on reasoning; 0 if the provider does not report it. */
    reasoning_tokens: number;
  };
  /** Both. */
  total_tokens: number;
}

/** What became of each block and archival memory that the run changed. */
export interface RevertedMemoryChanges {
  /** One item per block and per archival memory. */
  items: ({
    /** The block; null for an archival memory. */
    block_name: string | null;
    /** The archival memory; null for a block. */
    memory_id: string | null;
    /** `reverted`: it is as before the run. `conflict`: it has been changed since, and stays as it is. */
    outcome: "reverted" | "conflict";
  })[];
}

/** A run: one message and everything that happened until its answer. */
export interface Run {
  /** The run's id. */
  run_id: string;
  /** The conversation's id. */
  conversation_id: string;
  /** The agent's id. */
  agent_id: string;
  /** `waiting` means that calls wait for a decision; `interrupted`, that its server died. All states but `running` and `waiting` are final. */
  state: "running" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
  /** When it began (UTC). */
  started_at: string;
  /** When it ended (UTC); null while it has not. */
  ended_at: string | null;
  /** The id of the message that began the run. */
  user_message_id: string;
  /** The id of the answer; null while there is none, and if it was not kept. An answer that was written again since is no longer among the messages. */
  message_id: string | null;
  /** Tokens as the provider counted them; null if it did not. */
  usage: TokenUsage | null;
  /** The code of the problem by which it failed; null if it did not. */
  error_code: string | null;
}

/** A run, and the calls that it waits for. */
export interface RunDetails {
  /** The run's id. */
  run_id: string;
  /** The conversation's id. */
  conversation_id: string;
  /** The agent's id. */
  agent_id: string;
  /** `waiting` means that calls wait for a decision; `interrupted`, that its server died. All states but `running` and `waiting` are final. */
  state: "running" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
  /** When it began (UTC). */
  started_at: string;
  /** When it ended (UTC); null while it has not. */
  ended_at: string | null;
  /** The id of the message that began the run. */
  user_message_id: string;
  /** The id of the answer; null while there is none, and if it was not kept. An answer that was written again since is no longer among the messages. */
  message_id: string | null;
  /** Tokens as the provider counted them; null if it did not. */
  usage: TokenUsage | null;
  /** The code of the problem by which it failed; null if it did not. */
  error_code: string | null;
  /** The calls that it waits for, decided ones included. Empty if it does not wait. */
  pending_calls: PendingCall[];
}

/** What one `data:` line holds. Lines that begin with `:` keep the connection alive; ignore them, and ignore types that you do not know. Exactly one `STREAM_COMPLETE` or `ERROR` ends a run. A stream ends with it, or with `RUN_WAITING`. */
export type RunEvent = LifecycleEvent | MessageSavedEvent | UserMessageSavedEvent | ToolCallStartEvent | ToolCallResultEvent | ApprovalRequestedEvent | ApprovalDecidedEvent | ToolResultRequestedEvent | ToolResultReceivedEvent | RunWaitingEvent | MemoryUpdatedEvent | ContextCompactedEvent | ReasoningEvent | TextEvent | UsageEvent | AssistantMessageSavedEvent | StreamCompleteEvent | ErrorEvent;

/** A change of the memory in a run: of a block, or a new archival memory. */
export interface RunMemoryChange {
  /** The block that was changed; null for an archival memory. */
  block_name: string | null;
  /** The version of the block that was created; null for an archival memory. */
  version: number | null;
  /** The archival memory that was stored; null for a block. */
  memory_id: string | null;
  /** When it was created (UTC). */
  created_at: string;
}

/** A run, for callers that may not read it. */
export interface RunReference {
  /** The run's id. */
  run_id: string;
  /** The conversation's id. */
  conversation_id: string;
  /** The agent's id. */
  agent_id: string;
  /** `waiting` means that calls wait for a decision; `interrupted`, that its server died. All states but `running` and `waiting` are final. */
  state: "running" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
  /** When it began (UTC). */
  started_at: string;
  /** When it ended (UTC); null while it has not. */
  ended_at: string | null;
  /** The id of the message that began the run. */
  user_message_id: string;
  /** The id of the answer; null while there is none, and if it was not kept. An answer that was written again since is no longer among the messages. */
  message_id: string | null;
}

/** The run waits until its calls are decided, and this stream ends. A replay has it only if the run still waits there. */
export interface RunWaitingEvent {
  /** The type of the event. */
  event_type: "RUN_WAITING";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** When the run is given up, if nobody has decided by then. */
  expires_at: string;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** The words that some text has, those that none has, and how much was searched. */
export interface SearchEvidence {
  /** Words of the question that some text has. */
  matched_terms: string[];
  /** Words of the question that no text has. */
  missing_terms: string[];
  /** How many texts were searched. */
  considered: number;
  /** When the newest of them was written (UTC); null if there are none. */
  newest_at: string | null;
}

/** How the secret is replaced. */
export interface SecretRotation {
  /** For how many hours the previous secret also signs, 0 to 168; 24 by default. */
  overlap_hours?: number | undefined;
}

/** An access token, and whose it is. */
export interface Session {
  /** The token. Send it as `Authorization: Bearer …`. */
  token: string;
  /** The e-mail address. */
  email: string;
  /** The name. */
  name: string;
}

/** A new API key, with its secret. */
export interface ShownApiKey {
  /** The API key's id. */
  key_id: string;
  /** What the key is for, at most 100 characters. */
  name: string;
  /** The beginning and the end of the secret. */
  hint: string;
  /** What the key may do. */
  scopes: string[];
  /** The only agents that the key may use; null for all of them. */
  agent_ids: string[] | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it stops being valid (UTC); null if it does not. */
  expires_at: string | null;
  /** When it was last used (UTC), to the hour; null if never. */
  last_used_at: string | null;
  /** When it was revoked (UTC); null if it is valid. */
  revoked_at: string | null;
  /** Shown only in this answer. */
  secret: string;
}

/** An endpoint with its new secret. */
export interface ShownWebhook {
  /** The webhook endpoint's id. */
  webhook_id: string;
  /** The address. It has to begin with https:// and to name a public host. */
  url: string;
  /** A description; null if there is none. */
  description: string | null;
  /** The types of events that are delivered to it. */
  events: string[];
  /** Whether events are delivered to it. */
  enabled: boolean;
  /** Why the service has disabled it: `gone` because it answered with 410, `failing` because nothing was delivered for five days. Null otherwise. */
  disabled_reason: "gone" | "failing" | null;
  /** When it was disabled (UTC); null if it is enabled. */
  disabled_at: string | null;
  /** The beginning and the end of the current secret. */
  secret_hint: string;
  /** Until when a previous secret also signs (UTC); null if none does. */
  previous_secret_expires_at: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
  /** The secret for checking signatures. It is shown only in this answer. */
  secret: string;
}

/** How people can sign in. */
export type SignInMethods = {
  /** Whether a name and a password are enough. Only true in development. */
  local: boolean;
  /** Where people sign in otherwise, or null if nothing is set up. */
  issuer: {
    /** The issuer's name for people: `Google`, or the host of another one. */
    name: string;
    /** The path on this service that leads the browser to the issuer. */
    url: string;
  } | null;
};

/** What became of the memories, in the order of the request. */
export interface StoredMemories {
  /** One item per memory of the request. */
  items: {
    /** The memory's id. */
    memory_id: string;
    /** Whether it is new. False if a memory with this content existed already. */
    created: boolean;
  }[];
}

/** The turn has ended, and this stream with it. */
export interface StreamCompleteEvent {
  /** The type of the event. */
  event_type: "STREAM_COMPLETE";
  /** `Response complete`, `Response complete (tools only)` without text, or `Cancelled`. */
  content: string;
  /** The id of the answer; null if it has no text. */
  message_id: string | null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** Present if the answer was cut off at a limit on its length. */
  stop_reason?: "length" | undefined;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** Subscriptions whose end was set or revoked. */
export interface SubscriptionEnding {
  /** Always true. */
  success: true;
  /** A sentence for people. */
  message: string;
  /** When the period of the best one ends, in seconds since 1970 as text. */
  current_period_end: string | null;
  /** The subscriptions that were changed, the best one first. */
  subscriptions: OwnSubscription[];
}

/** The subscription that decides the account's plan. */
export interface SubscriptionStatus {
  /** The key of the plan; `free` without a subscription. */
  tier: string;
  /** The status at Stripe, such as `active` or `past_due`; null without a subscription. */
  status: string | null;
  /** When the period began, in seconds since 1970 as text. */
  current_period_start: string | null;
  /** When the period ends, in seconds since 1970 as text. */
  current_period_end: string | null;
  /** Whether the account has a subscription that counts. */
  is_active: boolean;
  /** Whether it is set to end. */
  cancel_at_period_end: boolean | null;
  /** When it ends, in seconds since 1970 as text, if it is set to end at a date. Otherwise it ends with its period. */
  cancel_at: string | null;
  /** `monthly` or `annual`; null without a subscription. */
  billing_cycle: string | null;
  /** Whether a plan was bought for this address without signing in and has not been claimed. It counts only if the account has no plan of its own. */
  unclaimed: boolean;
}

/** A piece of the answer. */
export interface TextEvent {
  /** The type of the event. */
  event_type: "AGENT_RESPONSE_TO_USER";
  /** The piece. Joined, the pieces are the answer. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A request to the token endpoint (RFC 6749). */
export interface TokenRequest {
  /** What is exchanged. */
  grant_type: "authorization_code" | "refresh_token";
  /** The id of the client. */
  client_id: string;
  /** With `authorization_code`: the code. */
  code?: string | undefined;
  /** With `authorization_code`: the redirect address of the authorization request. */
  redirect_uri?: string | undefined;
  /** With `authorization_code`: the text whose hash was the `code_challenge`. */
  code_verifier?: string | undefined;
  /** With `refresh_token`: the latest refresh token. */
  refresh_token?: string | undefined;
  /** The MCP address of the agent. If it is sent, it has to be the one of the authorization request. */
  resource?: string | undefined;
}

/** A request to revoke a token (RFC 7009). */
export interface TokenRevocation {
  /** An access or refresh token. */
  token: string;
  /** The id of the client. If it is sent, tokens of other clients are left alone. */
  client_id?: string | undefined;
}

/** Tokens as the provider counted them. */
export interface TokenUsage {
  /** Tokens that the model read. */
  input_tokens: number;
  /** Tokens that the model wrote. */
  output_tokens: number;
  /** The part of `input_tokens` that came from the provider's cache. */
  cached_tokens: number;
  /** The part of `output_tokens` spent on reasoning. Absent if the provider does not report it. */
  reasoning_tokens?: number | undefined;
}

/** Token usage of a number of days. */
export interface TokenUsageReport {
  /** What the report has one item for. */
  group_by: "agent" | "model" | "day";
  /** The first day (UTC). */
  from: string;
  /** The last day (UTC). */
  to: string;
  /** One item per agent, model or day. */
  items: {
    /** The id of the agent or model, or the day. */
    key: string;
    /** How many runs were counted. */
    runs: number;
    /** The tokens of these runs. */
    usage: TokenUsage;
  }[];
}

/** A tool has returned. */
export interface ToolCallResultEvent {
  /** The type of the event. */
  event_type: "TOOL_CALL_RESULT";
  /** The result, cut to 200 characters and `...`. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** Null in events of this type. */
  tool_args: null;
  /** Whether the tool succeeded. */
  success: boolean;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** The passages of knowledge bases that the result shows. Absent if it shows none. */
  citations?: Citation[] | undefined;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** The agent calls a tool. */
export interface ToolCallStartEvent {
  /** The type of the event. */
  event_type: "TOOL_CALL_START";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** The tool's arguments. */
  tool_args: Record<string, unknown>;
  /** Null in events of this type. */
  success: null;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** The client has sent the result of a call. */
export interface ToolResultReceivedEvent {
  /** The type of the event. */
  event_type: "TOOL_RESULT_RECEIVED";
  /** Always `Result received`. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A call of a tool that the client runs waits for its result. */
export interface ToolResultRequestedEvent {
  /** The type of the event. */
  event_type: "TOOL_RESULT_REQUESTED";
  /** A status line for people. */
  content: string;
  /** Null in events of this type. */
  message_id: null;
  /** The tool's name. */
  tool_name: string;
  /** The tool's arguments. */
  tool_args: Record<string, unknown>;
  /** Null in events of this type. */
  success: null;
  /** The id that the call and its result have in common. */
  tool_call_id: string;
  /** When the run is given up; null if it has ended with the call. */
  expires_at: string | null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** The run was cancelled. */
export interface UiAbort {
  /** The type of the part. */
  type: "abort";
}

/** A call waits, or has been decided about, for releases before 6. Decide with `decideCall`. */
export interface UiApproval {
  /** The type of the part. */
  type: "data-approval";
  /** The id that the call and its result have in common. */
  id: string;
  /** The call. */
  data: {
    /** The id that the call and its result have in common. */
    tool_call_id: string;
    /** The tool's name. */
    tool_name: string;
    /** What has been decided; `requested` until then. */
    state: "requested" | "approved" | "rejected";
    /** When the run is given up; null once it is decided. */
    expires_at: string | null;
  };
}

/** A call waits for an approval. Only with `?ai_sdk=6` and later. */
export interface UiApprovalRequest {
  /** The type of the part. */
  type: "tool-approval-request";
  /** The id that the call and its result have in common. */
  approvalId: string;
  /** The id that the call and its result have in common. */
  toolCallId: string;
}

/** The passages of knowledge bases that a result shows. */
export interface UiCitations {
  /** The type of the part. */
  type: "data-citations";
  /** The passages and their call. */
  data: {
    /** The call that found them. */
    tool_call_id: string;
    /** The passages. */
    citations: Citation[];
  };
}

/** A memory block that was nearly full has been shortened. */
export interface UiCompaction {
  /** The type of the part. */
  type: "data-compaction";
  /** The block. */
  data: {
    /** The name of the memory block. */
    block: string;
    /** The number of the version that was created. */
    version: number;
    /** How many words the block had. */
    words_before: number;
    /** How many words it has now. */
    words_after: number;
  };
}

/** The turn has failed. */
export interface UiError {
  /** The type of the part. */
  type: "error";
  /** A sentence for the user. */
  errorText: string;
}

/** The code of the error that follows. */
export interface UiErrorCode {
  /** The type of the part. */
  type: "data-error";
  /** The error. */
  data: {
    /** The code of the problem, as in problem documents. */
    code: string;
    /** Whether sending the message again may help. */
    retryable: boolean;
  };
  /** The part is not kept in the message. */
  transient: true;
}

/** The answer has ended, and this stream with it. */
export interface UiFinish {
  /** The type of the part. */
  type: "finish";
  /** Why the answer ended. Only with `?ai_sdk=6` and later. */
  finishReason?: "stop" | "length" | "tool-calls" | "error" | undefined;
}

/** A response of the model has ended, and its tools have run. */
export interface UiFinishStep {
  /** The type of the part. */
  type: "finish-step";
}

/** The agent has changed a block of its core memory. */
export interface UiMemory {
  /** The type of the part. */
  type: "data-memory";
  /** The block. */
  data: {
    /** The name of the memory block. */
    block: string;
    /** The number of the version that was created. */
    version: number;
  };
}

/** What one `data:` line of the AI SDK's UI message stream (version 1) holds. The last line is `data: [DONE]`. Types that begin with `data-` are this service's own. */
export type UiMessagePart = UiStart | UiRun | UiStatus | UiCompaction | UiStartStep | UiFinishStep | UiReasoningStart | UiReasoningDelta | UiReasoningEnd | UiTextStart | UiTextDelta | UiTextEnd | UiToolInputStart | UiToolInputAvailable | UiToolInputError | UiToolOutputAvailable | UiToolOutputError | UiApprovalRequest | UiOutputDenied | UiApproval | UiCitations | UiSourceUrl | UiSourceDocument | UiMemory | UiUsage | UiStop | UiAbort | UiErrorCode | UiError | UiFinish;

/** A call was rejected. Only with `?ai_sdk=6` and later. */
export interface UiOutputDenied {
  /** The type of the part. */
  type: "tool-output-denied";
  /** The id that the call and its result have in common. */
  toolCallId: string;
}

/** A piece of what the model thinks. */
export interface UiReasoningDelta {
  /** The type of the part. */
  type: "reasoning-delta";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
  /** The piece. */
  delta: string;
}

/** The model has thought. */
export interface UiReasoningEnd {
  /** The type of the part. */
  type: "reasoning-end";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
}

/** The model begins to think. Only with `?reasoning=1`. */
export interface UiReasoningStart {
  /** The type of the part. */
  type: "reasoning-start";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
}

/** The run that writes the answer. With these ids it can be cancelled. */
export interface UiRun {
  /** The type of the part. */
  type: "data-run";
  /** The run's id: an answer that goes on after a pause has the part once. */
  id: string;
  /** The ids. */
  data: {
    /** The run's id. */
    run_id: string;
    /** The conversation's id. */
    conversation_id: string;
    /** The id under which the user's message is stored. */
    user_message_id: string;
  };
}

/** A file that the answer may refer to. Each is sent once. */
export interface UiSourceDocument {
  /** The type of the part. */
  type: "source-document";
  /** The file's id. */
  sourceId: string;
  /** Always `text/plain`: agents read files as text. */
  mediaType: string;
  /** The file's title, or `Document`. */
  title: string;
}

/** A page that the answer may refer to. Each is sent once. */
export interface UiSourceUrl {
  /** The type of the part. */
  type: "source-url";
  /** The page's id. */
  sourceId: string;
  /** The page's address. */
  url: string;
  /** The page's title, if it has one. */
  title?: string | undefined;
}

/** The answer begins. */
export interface UiStart {
  /** The type of the part. */
  type: "start";
  /** The id under which the answer is stored. */
  messageId: string;
}

/** A response of the model begins. */
export interface UiStartStep {
  /** The type of the part. */
  type: "start-step";
}

/** What the turn does at the moment. */
export interface UiStatus {
  /** The type of the part. */
  type: "data-status";
  /** The status. */
  data: {
    /** A status line for people. */
    text: string;
  };
  /** The part is not kept in the message. */
  transient: true;
}

/** The answer was cut off. */
export interface UiStop {
  /** The type of the part. */
  type: "data-stop";
  /** Why. */
  data: {
    /** A limit on its length. */
    reason: "length";
  };
}

/** A piece of the text. */
export interface UiTextDelta {
  /** The type of the part. */
  type: "text-delta";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
  /** The piece. */
  delta: string;
}

/** The text has ended. */
export interface UiTextEnd {
  /** The type of the part. */
  type: "text-end";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
}

/** A text begins. */
export interface UiTextStart {
  /** The type of the part. */
  type: "text-start";
  /** The block's id, the same in its start, its pieces and its end. */
  id: string;
}

/** The arguments of the call are complete. */
export interface UiToolInputAvailable {
  /** The type of the part. */
  type: "tool-input-available";
  /** The id that the call and its result have in common. */
  toolCallId: string;
  /** The tool's name. */
  toolName: string;
  /** The arguments. */
  input: Record<string, unknown>;
  /** The tool runs on the server. Absent for the client's tools, and for calls that ask first. */
  providerExecuted?: true | undefined;
  /** The application need not know the tool. Absent for the client's tools. */
  dynamic?: true | undefined;
}

/** The model has called a tool of the client wrongly. */
export interface UiToolInputError {
  /** The type of the part. */
  type: "tool-input-error";
  /** The id that the call and its result have in common. */
  toolCallId: string;
  /** The tool's name. */
  toolName: string;
  /** What the model has written as the arguments. */
  input: string;
  /** Why it is none. Send it back as the result. */
  errorText: string;
}

/** The agent calls a tool. */
export interface UiToolInputStart {
  /** The type of the part. */
  type: "tool-input-start";
  /** The id that the call and its result have in common. */
  toolCallId: string;
  /** The tool's name. */
  toolName: string;
  /** The tool runs on the server. Absent for the client's tools, and for calls that ask first. */
  providerExecuted?: true | undefined;
  /** The application need not know the tool. Absent for the client's tools. */
  dynamic?: true | undefined;
}

/** A tool has returned. */
export interface UiToolOutputAvailable {
  /** The type of the part. */
  type: "tool-output-available";
  /** The id that the call and its result have in common. */
  toolCallId: string;
  /** The result, cut to 200 characters and `...`; that of the client's tools as it was sent. */
  output: unknown;
  /** The tool runs on the server. Absent for the client's tools, and for calls that ask first. */
  providerExecuted?: true | undefined;
  /** The application need not know the tool. Absent for the client's tools. */
  dynamic?: true | undefined;
}

/** A tool has failed. */
export interface UiToolOutputError {
  /** The type of the part. */
  type: "tool-output-error";
  /** The id that the call and its result have in common. */
  toolCallId: string;
  /** Why, cut to 200 characters and `...`; that of the client's tools as it was sent. */
  errorText: string;
  /** The tool runs on the server. Absent for the client's tools, and for calls that ask first. */
  providerExecuted?: true | undefined;
  /** The application need not know the tool. Absent for the client's tools. */
  dynamic?: true | undefined;
}

/** Tokens as the provider counted them. */
export interface UiUsage {
  /** The type of the part. */
  type: "data-usage";
  /** The tokens of the whole turn. */
  data: TokenUsage;
}

/** The answer to a deletion that continues after it. */
export interface Unfinished {
  /** Always `deleting`. */
  status: "deleting";
  /** A sentence for people that says more. */
  detail: string;
}

/** What became of the files, in the order of the request. */
export type Uploads = {
  /** One item per file. */
  files: ({
    /** The file's name. */
    file_name: string;
    /** What became of the file. */
    status: "stored" | "replaced" | "unchanged" | "failed";
    /** The page that has the text; null if the file was not stored. */
    page_id: string | null;
    /** The title that was found; null if there is none. */
    title: string | null;
    /** The number of words. */
    word_count: number;
    /** What to know about the file although it was stored. */
    warning: string | null;
    /** Why the file was not stored; null if it was. */
    error: {
      /** The code of the problem. */
      code: string;
      /** A sentence for people. */
      detail: string;
    } | null;
  })[];
};

/** What became of the files, for callers that may not read them. */
export interface UploadsReference {
  /** One item per file. */
  files: ({
    /** What became of the file. */
    status: "stored" | "replaced" | "unchanged" | "failed";
    /** The page that has the text; null if the file was not stored. */
    page_id: string | null;
  })[];
}

/** Limits and usage of the account. */
export type Usage = {
  /** The key of the account's plan, such as `free` or `pro`. */
  tier: string;
  /** A calendar month (UTC), such as `2026-06`. */
  period: string;
  /** The limits of the plan; null where it sets none. */
  limits: {
    /** Agents of the account. */
    agents: number | null;
    /** Messages in a month (UTC), those of end users included. */
    messages: number | null;
    /** Pages and files stored in knowledge bases in a month (UTC), with what running crawls have reserved. */
    kb_pages: number | null;
    /** Memory blocks of one person's memory with one agent, without the default ones. */
    memory_blocks: number | null;
    /** Archival memories of one person's memory with one agent. */
    archival_memories: number | null;
    /** Bytes of archival memories of one person's memory with one agent. */
    memory_bytes: number | null;
    /** Answers that are being written at the same time. */
    concurrent_runs: number | null;
    /** Messages of one end user in a month (UTC). */
    end_user_messages: number | null;
  };
  /** What is used. */
  usage: {
    /** Agents of the account. */
    agents: number;
    /** Messages in a month (UTC), those of end users included. */
    messages: number;
    /** Pages and files stored in knowledge bases in a month (UTC), with what running crawls have reserved. */
    kb_pages: number;
    /** Null if unlimited, because then it is not counted. */
    concurrent_runs: number | null;
  };
  /** What is left; null where there is no limit. */
  remaining: {
    /** Agents of the account. */
    agents: number | null;
    /** Messages in a month (UTC), those of end users included. */
    messages: number | null;
    /** Pages and files stored in knowledge bases in a month (UTC), with what running crawls have reserved. */
    kb_pages: number | null;
    /** Answers that are being written at the same time. */
    concurrent_runs: number | null;
  };
  /** When the counts of the month begin again (UTC). */
  resets_at: string;
  /** The usage of one agent's memory for one person. Present if the request has `agent_id`. */
  agent?: {
    /** The agent's id. */
    agent_id: string;
    /** The end user whose usage it is; null for your own. */
    end_user_id: string | null;
    /** How many archival memories there are. */
    archival_memories: number;
    /** How many bytes they have. */
    memory_bytes: number;
    /** How many messages the end user has sent this month; null for your own usage. */
    end_user_messages: number | null;
  } | undefined;
};

/** Tokens as the provider counted them. */
export interface UsageEvent {
  /** The type of the event. */
  event_type: "USAGE";
  /** Null in events of this type. */
  content: null;
  /** Null in events of this type. */
  message_id: null;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The tokens of the whole turn. */
  usage: TokenUsage;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** Repeats `MESSAGE_SAVED`, with the same `seq`. */
export interface UserMessageSavedEvent {
  /** The type of the event. */
  event_type: "USER_MESSAGE_SAVED";
  /** Always `User message saved`. */
  content: string;
  /** The id of the stored message. */
  message_id: string;
  /** Null in events of this type. */
  tool_name: null;
  /** Null in events of this type. */
  tool_args: null;
  /** Null in events of this type. */
  success: null;
  /** The run's id, the same in all events of a stream. */
  run_id: string;
  /** 1, 2, 3 … within the run. Send the last one as `after` to resume behind it. */
  seq: number;
}

/** A token for a visitor. Send it as `Authorization: Bearer …`, beside the publishable key. */
export interface VisitorToken {
  /** The token. */
  access_token: string;
  /** Always `bearer`. */
  token_type: "bearer";
  /** How long the token is valid, in seconds. */
  expires_in: number;
  /** The visitor. */
  visitor: {
    /** The visitor's id, which is that of an end user of the agent. */
    visitor_id: string;
    /** The e-mail address; null if the visitor has not signed in. */
    email: string | null;
    /** The name; null if the visitor has not signed in. */
    name: string | null;
    /** The address of a portrait; null if there is none. */
    picture: string | null;
  };
}

/** An address to which events of the account are delivered. */
export interface Webhook {
  /** The webhook endpoint's id. */
  webhook_id: string;
  /** The address. It has to begin with https:// and to name a public host. */
  url: string;
  /** A description; null if there is none. */
  description: string | null;
  /** The types of events that are delivered to it. */
  events: string[];
  /** Whether events are delivered to it. */
  enabled: boolean;
  /** Why the service has disabled it: `gone` because it answered with 410, `failing` because nothing was delivered for five days. Null otherwise. */
  disabled_reason: "gone" | "failing" | null;
  /** When it was disabled (UTC); null if it is enabled. */
  disabled_at: string | null;
  /** The beginning and the end of the current secret. */
  secret_hint: string;
  /** Until when a previous secret also signs (UTC); null if none does. */
  previous_secret_expires_at: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
}

/** Changes of an endpoint. Absent members stay as they are. */
export interface WebhookChanges {
  /** The address. It has to begin with https:// and to name a public host. */
  url?: string | undefined;
  /** The types of events that are delivered to it. */
  events?: readonly ("run.completed" | "run.failed" | "run.cancelled" | "approval.requested" | "memory.changed" | "usage.threshold_reached" | "end_user.deleted")[] | undefined;
  /** What it is for, at most 200 characters; null for nothing. */
  description?: string | null | undefined;
  /** Whether events are delivered to it. */
  enabled?: boolean | undefined;
}

/** An event on its way to an endpoint. */
export interface WebhookDelivery {
  /** The event's id, which receivers get as `webhook-id`. */
  event_id: string;
  /** The type of the event. */
  type: string;
  /** `pending` while it is tried, `delivered` after an answer with 2xx, and `failed` after the last attempt. */
  status: "pending" | "delivered" | "failed";
  /** How many attempts were made. */
  attempts: number;
  /** When the next attempt is made (UTC); null if none is planned. */
  next_attempt_at: string | null;
  /** Why the last attempt has failed; null if it has not. */
  error: string | null;
  /** When it was created (UTC). */
  created_at: string;
}

/** A delivery with its body and its attempts. */
export interface WebhookDeliveryDetails {
  /** The event's id, which receivers get as `webhook-id`. */
  event_id: string;
  /** The type of the event. */
  type: string;
  /** `pending` while it is tried, `delivered` after an answer with 2xx, and `failed` after the last attempt. */
  status: "pending" | "delivered" | "failed";
  /** How many attempts were made. */
  attempts: number;
  /** When the next attempt is made (UTC); null if none is planned. */
  next_attempt_at: string | null;
  /** Why the last attempt has failed; null if it has not. */
  error: string | null;
  /** When it was created (UTC). */
  created_at: string;
  /** The body, as it is sent and signed. */
  body: string;
  /** The attempts, oldest first; the last 50 of them. */
  attempt_log: ({
    /** The number of the attempt, from 1 on. */
    number: number;
    /** When it was made (UTC). */
    started_at: string;
    /** The status of the answer; null if there was none. */
    http_status: number | null;
    /** How long it took, in milliseconds. */
    duration_ms: number;
    /** Why it has failed; null if it has not. */
    error: string | null;
  })[];
}

/** The test event that was queued. */
export interface WebhookTest {
  /** The event's id, which receivers get as `webhook-id`. */
  event_id: string;
}

/** The name of the service. */
export interface Welcome {
  /** The name of the service. */
  message: string;
}

/** The answer to a message that was not streamed. */
export interface WholeAnswer {
  /** The stored answer; null if the turn ended without text. */
  message: Message | null;
  /** The calls of tools in this turn, in order. */
  tool_calls: {
    /** The id of the call. */
    id: string;
    /** The name of the tool. */
    name: string;
    /** The arguments as the model wrote them: JSON as text. */
    arguments: string;
    /** What the tool returned to the model. */
    output: string;
    /** Whether the tool succeeded. */
    success: boolean;
  }[];
  /** Tokens as the provider counted them; null if it did not. */
  usage: TokenUsage | null;
  /** The run's id. */
  run_id: string;
  /** `length` if the answer was cut off at a limit on its length, `waiting` if the run waits for `pending_calls`; otherwise null. */
  stop_reason: "length" | "waiting" | null;
  /** The calls that have to be decided before the run goes on. Absent if it does not wait. */
  pending_calls?: PendingCall[] | undefined;
}

/** What a chat on a web page shows before the first message. */
export interface WidgetConfig {
  /** The name of the publishable key. */
  agent_name: string;
  /** The agent's id. */
  agent_id: string;
  /** What the chat says first. */
  welcome_message: string;
  /** Always empty. The page chooses its colours. */
  theme: Record<string, unknown>;
  /** Whether visitors have to sign in before they can chat. */
  requires_sign_in: boolean;
  /** Where visitors sign in; null if they can't, or if the key lists no origins. */
  sign_in_url: string | null;
}

/** A conversation of a visitor. */
export interface WidgetConversation {
  /** The conversation's id. */
  conversation_id: string;
  /** The agent's id. */
  agent_id: string;
  /** The visitor's id, which is that of an end user of the agent. */
  visitor_id: string;
  /** The visitor's name; null if the visitor has not signed in. */
  visitor_name: string | null;
  /** The title, at most 200 characters. */
  title: string;
  /** When it was created (UTC). */
  created_at: string;
  /** When it was last changed (UTC); null if never. */
  updated_at: string | null;
  /** How many messages of the visitor have been answered. */
  message_count: number;
}

/** A message of a visitor's conversation. */
export interface WidgetMessage {
  /** The message's id. */
  message_id: string;
  /** Who wrote it: `user` or `assistant`. */
  role: string;
  /** The text. */
  content: string;
  /** When it was created (UTC). */
  created_at: string;
}

/** The `code` of a problem. New ones may be added. */
export type ProblemCode =
  | "400"
  | "401"
  | "403"
  | "404"
  | "409"
  | "410"
  | "413"
  | "422"
  | "429"
  | "500"
  | "502"
  | "503"
  | "504"
  | "conflict"
  | "conversation-busy"
  | "forbidden"
  | "gone"
  | "idempotency-mismatch"
  | "internal"
  | "limit-exceeded"
  | "malformed-request"
  | "not-configured"
  | "not-found"
  | "payload-too-large"
  | "persist-failed"
  | "precondition-failed"
  | "provider-auth"
  | "provider-content"
  | "provider-not-configured"
  | "provider-overflow"
  | "provider-quota"
  | "provider-rate"
  | "provider-stalled"
  | "provider-truncated"
  | "provider-unavailable"
  | "unauthenticated"
  | "unavailable"
  | "validation-failed"
  | (string & {});

/** All operations of the API, by method and path: what they take and what they answer. */
export interface Operations {
  GET: {
    /**
     * Get the name of the service. (`getRoot`)
     *
     * Answers with a fixed sentence. A browser, which prefers `text/html`, gets the playground instead. Use `getHealth` for checks.
     */
    "/": {
      options: {};
      answer: Welcome;
    };
    /**
     * Check whether the service is running. (`getHealth`)
     *
     * For load balancers and monitors. It does not ask the database or any provider.
     */
    "/health": {
      options: {};
      answer: Health;
    };
    /**
     * Get this description. (`getOpenApi`)
     *
     * Returns the OpenAPI 3.1 document of the API. It changes only with a deployment; cache it for 5 minutes.
     */
    "/openapi.json": {
      options: {};
      answer: Record<string, unknown>;
    };
    /**
     * Find out how people can sign in. (`getSignInMethods`)
     *
     * For sign-in pages. `local` is sign-in by name and password, in development only. `issuer` is Google or another OpenID issuer; send the browser to its `url`.
     */
    "/auth/methods": {
      options: {};
      answer: SignInMethods;
    };
    /**
     * Get the signed-in account. (`getMe`)
     *
     * Returns the name, the e-mail address and the portrait of the account that the token is for.
     */
    "/auth/me": {
      options: {};
      answer: Me;
    };
    /**
     * Sign in with Google or another issuer. (`signIn`)
     *
     * Open it in the browser, not with `fetch`: it redirects to the issuer's sign-in page. Afterwards the browser returns to the application with a refresh cookie, and the page gets its access token from `refreshSession`. If sign-in is not possible, the browser is redirected to the application's login page with an error code.
     */
    "/auth/google": {
      options: {};
    };
    /**
     * Finish signing in. (`finishSignIn`)
     *
     * The issuer redirects the browser here. On success, it goes on to the application with a refresh cookie; otherwise to the login page with an error code. No URL ever contains a token.
     */
    "/auth/callback": {
      options: {};
    };
    /**
     * Finish signing in (earlier path). (`finishSignInGoogle`)
     *
     * The same as `finishSignIn`, for redirect addresses that are registered with the earlier path.
     */
    "/auth/callback/google": {
      options: {};
    };
    /**
     * List your sessions, latest sign-in first. (`listSessions`)
     *
     * Lists the devices on which you are signed in. `current` marks the session of this browser.
     */
    "/auth/sessions": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: AuthSession[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * List API keys, newest first. (`listApiKeys`)
     *
     * Lists all keys, revoked ones included, without their secrets.
     */
    "/api-keys": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: ApiKey[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Export everything the account owns. (`exportAccount`)
     *
     * Streams one JSON object per line: the account, its agents, conversations, messages, memories, knowledge bases and everything of its end users, without secrets. The export is complete only if its last line has the type `end`; otherwise repeat it.
     */
    "/users/me/export": {
      options: {};
      events: ExportLine;
    };
    /**
     * Get the progress of the account's deletion. (`getAccountDeletion`)
     *
     * Says whether the account's data has been removed. It accepts a token of the deleted account until the token expires.
     */
    "/users/me/deletion": {
      options: {};
      answer: AccountDeletion;
    };
    /**
     * List the MCP clients that you have connected. (`listMcpConnections`)
     *
     * Lists what you have let MCP clients do, latest first. API keys that clients use are among the API keys.
     */
    "/users/me/mcp-connections": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: McpConnection[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Find out who issues tokens for an agent's MCP server. (`getMcpResourceMetadata`)
     *
     * The protected resource metadata (RFC 9728) of an agent's MCP address, to which the `WWW-Authenticate` header of its 401 points. The answer does not depend on whether there is such an agent. MCP clients read it by themselves.
     */
    "/.well-known/oauth-protected-resource/mcp/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: Record<string, unknown>;
    };
    /**
     * Find out where MCP clients get tokens. (`getAuthorizationServerMetadata`)
     *
     * The metadata of the authorization server (RFC 8414). `authorization_endpoint` is a page on which the person signs in and decides. Codes need PKCE with S256 and a `resource`, the MCP address of an agent (RFC 8707). MCP clients read it by themselves.
     */
    "/.well-known/oauth-authorization-server": {
      options: {};
      answer: Record<string, unknown>;
    };
    /**
     * List webhook endpoints, oldest first. (`listWebhooks`)
     *
     * Lists all endpoints of the account, without their secrets. There is one page.
     */
    "/webhooks": {
      options: {};
      answer: {
        /** The items of this page. */
        items: Webhook[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a webhook endpoint. (`getWebhook`)
     *
     * Shows an endpoint without its secret. `disabled_reason` says why the service has disabled it.
     */
    "/webhooks/{webhookId}": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
      };
      answer: Webhook;
    };
    /**
     * List deliveries to an endpoint, newest first. (`listWebhookDeliveries`)
     *
     * Lists what was delivered, what has failed and what is still tried. Deliveries that have ended are kept for 14 days, at most 10,000 of an account.
     */
    "/webhooks/{webhookId}/deliveries": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: WebhookDelivery[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a delivery with its attempts. (`getWebhookDelivery`)
     *
     * Shows the body as it is sent, and each attempt with its status, duration and error. What the receiver answers is not stored.
     */
    "/webhooks/{webhookId}/deliveries/{eventId}": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
          /** The event's id, which receivers get as `webhook-id`. */
          eventId: string;
        };
      };
      answer: WebhookDeliveryDetails;
    };
    /**
     * Get the form that creates an agent. (`getCreateAgentForm`)
     *
     * Describes the inputs of `createAgent` for a front end that renders them without knowing them: types, labels, choices, rules and dependencies. Only providers whose credentials are stored are offered.
     */
    "/agents/supported-models": {
      options: {};
      answer: Form;
    };
    /**
     * Get the form that changes an agent. (`getUpdateAgentForm`)
     *
     * Describes the inputs of `updateAgent`. It does not contain the agent's values: read those with `getAgent`.
     */
    "/agents/update-schema/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: Form;
    };
    /**
     * List all agents. (`listAgents`)
     *
     * Returns all agents of the account as an array without pages, because existing clients expect it. An API key that is limited to certain agents sees only those.
     */
    "/agents": {
      options: {};
      answer: Agent[];
    };
    /**
     * Get an agent. (`getAgent`)
     *
     * Returns the settings of an agent.
     */
    "/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: Agent;
    };
    /**
     * List the core memory blocks of an agent. (`listMemoryBlocks`)
     *
     * Returns all blocks with their limits and how full they are, without their lines. The first read creates the default blocks. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: MemoryBlock[];
    };
    /**
     * Get the lines of a core memory block. (`getMemoryBlockContent`)
     *
     * Returns the lines with an `ETag`. Send it in `If-None-Match` to get a 304 while nothing has changed, and in `If-Match` when you replace the lines. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}/content": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** The `ETag` that you have. If it is still current, the answer is a 304 without a body. */
          "If-None-Match"?: string | undefined;
        } | undefined;
      };
      answer: MemoryBlockContent | undefined;
    };
    /**
     * List the versions of a memory block, newest first. (`listMemoryBlockVersions`)
     *
     * Returns who changed the block, when, and its lines afterwards. The newest 200 versions are kept; of older ones, the first and the last of each day. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}/versions": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: MemoryBlockVersion[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * List archival memories, newest first. (`listMemories`)
     *
     * Returns what the agent has archived about the person, page by page. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Memory[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Search archival memory, best matches first. (`searchMemories`)
     *
     * Searches by words and, if embeddings are set up, by meaning; without a query, it lists the newest. `as_of` searches the memories as they stood at an earlier time. `evidence` on the first page says which words no memory has. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/search": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
          /** What to look for: a question, or words. */
          query?: string | undefined;
          /** Up to 4 further questions. Repeat the parameter for several ones. */
          queries?: string | readonly string[] | undefined;
          /** Only what is of this date or time (ISO 8601) or later. */
          after?: string | undefined;
          /** Only what is from before this date or time (ISO 8601). */
          before?: string | undefined;
          /** Searches the memories as they stood at this date (its end, UTC) or time (ISO 8601). Deleted memories are not found. */
          as_of?: string | undefined;
        } | undefined;
      };
      answer: FoundMemories;
    };
    /**
     * Count the memories that searches find. (`getMemoryStatus`)
     *
     * Says how many memories there are, how many are found by their words and by their meaning, and why the embeddings server failed last. The request starts indexing what is missing. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/status": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: ArchivalMemoryStatus;
    };
    /**
     * Get an archival memory. (`getMemory`)
     *
     * Returns one memory with the time of what it is about and the pages that the agent had read before it wrote it. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/{memoryId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The memory's id, `memory_id`. */
          memoryId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: Memory;
    };
    /**
     * List what a run wrote to the memory. (`listMemoryChanges`)
     *
     * Returns each change that the agent made to its memory in a run: the version of a block that it created, or the memory that it stored. Changes are listed for 90 days, in the order in which they were made. The list of an unknown run is empty. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/runs/{runId}/memory-changes": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: RunMemoryChange[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * List the HTTP tools of an agent. (`listHttpTools`)
     *
     * Returns all tools as an array without pages, oldest first: an agent has at most 20.
     */
    "/agents/{agentId}/http-tools": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: HttpTool[];
    };
    /**
     * Get an HTTP tool. (`getHttpTool`)
     *
     * Returns a tool with the names of its secrets, without their values.
     */
    "/agents/{agentId}/http-tools/{toolId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The HTTP tool's id, `tool_id`. */
          toolId: string;
        };
      };
      answer: HttpTool;
    };
    /**
     * List the publishable keys of an agent, newest first. (`listPublishableKeys`)
     *
     * Returns the keys as an array; if there are more, the header `Next-Cursor` says where to go on. Keys of the legacy Python service can be used once they have been listed.
     */
    "/agents/{agentId}/api-keys": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The header `Next-Cursor` of the answer before. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: PublishableKey[];
    };
    /**
     * Get a publishable key. (`getPublishableKey`)
     *
     * Returns a key with its settings and the number of requests that have used it.
     */
    "/agents/{agentId}/api-keys/{keyId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The API key's id, `key_id`. */
          keyId: string;
        };
      };
      answer: PublishableKey;
    };
    /**
     * List the MCP servers of an agent. (`listMcpServers`)
     *
     * Returns all servers with the tools that they have listed, as an array without pages, oldest first: an agent has at most 6.
     */
    "/agents/{agentId}/mcp-servers": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: McpServer[];
    };
    /**
     * Get an MCP server. (`getMcpServer`)
     *
     * Returns a server with the tools that it has listed.
     */
    "/agents/{agentId}/mcp-servers/{serverId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The MCP server's id, `server_id`. */
          serverId: string;
        };
      };
      answer: McpServer;
    };
    /**
     * List the end users of an agent. (`listEndUsers`)
     *
     * Lists everyone for whom a token was created, in the order of their ids.
     */
    "/agents/{agentId}/end-users": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: EndUser[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get an end user. (`getEndUser`)
     *
     * Returns when the end user was created, or 404 if no token was ever created for them.
     */
    "/agents/{agentId}/end-users/{endUserId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
        };
      };
      answer: EndUser;
    };
    /**
     * List the conversations of an end user. (`listEndUserConversations`)
     *
     * Lists an end user's conversations with the agent, newest first.
     */
    "/agents/{agentId}/end-users/{endUserId}/conversations": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Conversation[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * List the messages of an end user's conversation. (`listEndUserMessages`)
     *
     * Lists what an end user and the agent have said in a conversation, newest first.
     */
    "/agents/{agentId}/end-users/{endUserId}/conversations/{conversationId}/messages": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Message[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Export everything about an end user. (`exportEndUser`)
     *
     * Streams one JSON object per line: the end user's conversations, messages and memories with the agent. The export is complete only if its last line has the type `end`; otherwise repeat it.
     */
    "/agents/{agentId}/end-users/{endUserId}/export": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
        };
      };
      events: ExportLine;
    };
    /**
     * Get a run of an end user. (`getEndUserRun`)
     *
     * Shows the owner of an agent the state of a run in an end user's conversation, as `getRun` does in one's own, with the calls that it waits for.
     */
    "/agents/{agentId}/end-users/{endUserId}/conversations/{conversationId}/runs/{runId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
      };
      answer: RunDetails;
    };
    /**
     * Search all conversations with an agent. (`recall`)
     *
     * Searches the messages and attached files of all conversations with the agent, best matches first; without a query, newest first. Results come by words and, if embeddings are set up, by meaning. `evidence` says which words no message has. With `end_user_id`, it searches an end user's conversations.
     */
    "/agents/{agentId}/recall": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
          /** What to look for: a question, or words. */
          query?: string | undefined;
          /** Up to 4 further questions. Repeat the parameter for several ones. */
          queries?: string | readonly string[] | undefined;
          /** Only what is of this date or time (ISO 8601) or later. */
          after?: string | undefined;
          /** Only what is from before this date or time (ISO 8601). */
          before?: string | undefined;
        } | undefined;
      };
      answer: FoundMessages;
    };
    /**
     * Resume a chat of the AI SDK. (`resumeChat`)
     *
     * What `useChat({ resume: true })` asks for when a page is opened: the answer that is being written, from its beginning. 204 if none is, or if the chat has no messages yet.
     */
    "/agents/{agentId}/chat/{chatId}/stream": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id of the chat, which the client has chosen. */
          chatId: string;
        };
        query?: {
          /** The major version of the AI SDK that reads the stream. */
          ai_sdk?: "5" | "6" | "7" | undefined;
        } | undefined;
        headers?: {
          /** The same as `ai_sdk`. If both are given, `ai_sdk` wins. */
          "X-AI-SDK"?: string | undefined;
        } | undefined;
      };
      events: UiMessagePart;
    };
    /**
     * List the agents as OpenAI's models. (`listAgentsAsModels`)
     *
     * Lists the agents that the caller may use, for clients that offer a choice of models.
     */
    "/v1/models": {
      options: {};
      answer: AgentsAsModels;
    };
    /**
     * Get an agent as one of OpenAI's models. (`getAgentAsModel`)
     *
     * Returns one agent, by its id or its name.
     */
    "/v1/models/{agentOrName}": {
      options: {
        path: {
          /** The id or the name of the agent. */
          agentOrName: string;
        };
      };
      answer: AgentAsModel;
    };
    /**
     * Retrieve a response, or resume its stream. (`getResponse`)
     *
     * Returns a response as it is now, for 90 days. With `stream=true`, streams its events: first those that have happened, behind `starting_after` if it is sent, and then new ones until the run ends. The events are kept for a day. An API key needs `end-users:read` for the responses of end users. An end user does not see the instructions, the metadata, the schema and the `safety_identifier` that an application has sent.
     */
    "/v1/responses/{responseId}": {
      options: {
        path: {
          /** The response's id, `id`. */
          responseId: string;
        };
        query?: {
          /** Ignored: there is nothing to include. */
          include?: string | readonly string[] | undefined;
          /** Ignored: there is nothing to include. */
          "include[]"?: string | readonly string[] | undefined;
          /** Ignored: events have no padding. */
          include_obfuscation?: string | undefined;
          /** `true` streams the events of the response. */
          stream?: "true" | "false" | undefined;
          /** Only the events after this `sequence_number` are streamed. */
          starting_after?: number | undefined;
        } | undefined;
      };
      answer: OpenAiResponse;
      events: ResponseEvent;
    };
    /**
     * List the input of a response. (`listResponseInput`)
     *
     * Returns the user's message that a response answers, with its files, or the results of the client's tools that it follows, cut to 2,000 bytes each. Instructions, and a history that the client keeps, are not stored.
     */
    "/v1/responses/{responseId}/input_items": {
      options: {
        path: {
          /** The response's id, `id`. */
          responseId: string;
        };
        query?: {
          /** Ignored: there is nothing to include. */
          include?: string | readonly string[] | undefined;
          /** Ignored: there is nothing to include. */
          "include[]"?: string | readonly string[] | undefined;
          /** Ignored: the list is whole. */
          limit?: string | undefined;
          /** Ignored: the list is whole. */
          order?: string | undefined;
          /** The id of an item: the list begins behind it. Ignored if there is no such item. */
          after?: string | undefined;
        } | undefined;
      };
      answer: ResponseInputItems;
    };
    /**
     * List the knowledge bases of an agent. (`listLinkedKnowledgeBases`)
     *
     * Returns what the agent is linked to, as an array without pages.
     */
    "/agents/{agentId}/knowledge-bases": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: KnowledgeBase[];
    };
    /**
     * Get what a chat on a web page shows. (`getWidgetConfig`)
     *
     * Returns what a page needs to know before its visitor says something.
     */
    "/widget/config": {
      options: {};
      answer: WidgetConfig;
    };
    /**
     * List a visitor's conversations, newest first. (`listWidgetConversations`)
     *
     * Returns the conversations as an array; if there are more, the header `Next-Cursor` says where to go on.
     */
    "/widget/conversations": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The header `Next-Cursor` of the answer before. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: WidgetConversation[];
    };
    /**
     * Get a visitor's conversation. (`getWidgetConversation`)
     *
     * Returns the conversation without its messages. Those of other visitors are a 404.
     */
    "/widget/conversations/{conversationId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
      };
      answer: WidgetConversation;
    };
    /**
     * List the messages of a visitor's conversation, oldest first. (`listWidgetMessages`)
     *
     * Returns the newest messages as an array, 100 by default; if there are older ones, the header `Next-Cursor` says where to go on.
     */
    "/widget/conversations/{conversationId}/messages": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The header `Next-Cursor` of the answer before. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: WidgetMessage[];
    };
    /**
     * Follow or resume a visitor's run. (`followWidgetRun`)
     *
     * Replays the events after the number `after` and then follows the run until it ends, like `followRun`. The run `active` is the one in progress, if there is one; a page that is loaded again asks for it. 204 means that nothing is left to send.
     */
    "/widget/conversations/{conversationId}/runs/{runId}/events": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
        query?: {
          /** The `seq` of the last event that you have received; 0 by default. */
          after?: string | undefined;
        } | undefined;
        headers?: {
          /** The same as `after`. If both are given, `after` wins. */
          "Last-Event-ID"?: string | undefined;
        } | undefined;
      };
      events: RunEvent;
    };
    /**
     * Sign a visitor in at the issuer. (`signInVisitor`)
     *
     * Open this address in a window of its own. It leads to Google, or to another OpenID issuer, and back to a page that posts `{type: "innomight-oauth-callback", token, visitor}` to the page that has opened the window, or `{type: "innomight-oauth-error", error, message}`, and closes the window. Only pages whose origin the key allows receive it, so the key must list its origins.
     */
    "/widget/auth/google": {
      options: {
        query: {
          /** The publishable key. */
          api_key: string;
          /** `/widget/auth/callback-page` of this service, and nothing else. Without it, the answer in the window is the token as JSON. */
          redirect_uri?: string | undefined;
          /** The origin of the page. Without it, every allowed origin may receive the token. */
          origin?: string | undefined;
        };
      };
      answer: undefined;
    };
    /**
     * Return from the issuer. (`finishVisitorSignIn`)
     *
     * Where the issuer sends the browser back to. The answer is a page that hands the token to its opener, or the token as JSON if the sign-in was begun without a `redirect_uri`. It works once, and only in the browser that has begun the sign-in.
     */
    "/widget/auth/callback": {
      options: {};
      answer: VisitorToken;
    };
    /**
     * Get the form that creates a knowledge base. (`getCreateKnowledgeBaseForm`)
     *
     * Describes the inputs of `createKnowledgeBase` for a front end that renders them without knowing them.
     */
    "/knowledge-bases/create-schema": {
      options: {};
      answer: Form;
    };
    /**
     * List all knowledge bases. (`listKnowledgeBases`)
     *
     * Returns all knowledge bases as an array without pages. An API key that is limited to certain agents gets an empty array: list those of an agent instead.
     */
    "/knowledge-bases": {
      options: {};
      answer: KnowledgeBase[];
    };
    /**
     * Get a knowledge base. (`getKnowledgeBase`)
     *
     * Returns a knowledge base with its counts. A deleted one can be read for 30 days, without pages.
     */
    "/knowledge-bases/{kbId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: KnowledgeBase;
    };
    /**
     * List the pages and files of a knowledge base. (`listKnowledgePages`)
     *
     * Lists what is stored, without the texts.
     */
    "/knowledge-bases/{kbId}/pages": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: KnowledgePage[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a page with its text. (`getKnowledgePage`)
     *
     * Returns the text as Markdown, part by part: `next_from` is where the next part begins, and null at the end.
     */
    "/knowledge-bases/{kbId}/pages/{pageId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The page's id, `page_id`. */
          pageId: string;
        };
        query?: {
          /** The position in the text where the answer begins; `next_from` of the previous answer. */
          from?: number | undefined;
          /** The most characters of the text in the answer, 1,000 to 200,000. */
          max_chars?: number | undefined;
        } | undefined;
      };
      answer: KnowledgePageText;
    };
    /**
     * List chunks of the legacy service. (`listLegacyChunks`)
     *
     * Lists what the legacy service has stored in a knowledge base. It is not searched: crawl the pages again.
     */
    "/knowledge-bases/{kbId}/chunks": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: LegacyChunk[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a passage that an answer cites. (`getPassage`)
     *
     * Returns a passage with its surroundings, and an address with which browsers scroll to it. If the page has changed since the search, the answer is a 404.
     */
    "/knowledge-bases/{kbId}/passages/{passageId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The passage's id, `passage_id`. */
          passageId: string;
        };
      };
      answer: Passage;
    };
    /**
     * Get the form that creates a crawl job. (`getCrawlForm`)
     *
     * Describes the inputs of `createCrawlJob` for a front end that renders them without knowing them.
     */
    "/knowledge-bases/{kbId}/crawl-config-schema": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: Form;
    };
    /**
     * List crawl jobs, newest first. (`listCrawlJobs`)
     *
     * Returns the newest jobs of a knowledge base as an array without pages: 5 by default, at most 50.
     */
    "/knowledge-bases/{kbId}/crawl-jobs": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
        } | undefined;
      };
      answer: CrawlJob[];
    };
    /**
     * Get a crawl job. (`getCrawlJob`)
     *
     * Returns the status and the progress of a job, and of an ended one what it left out and why.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
      };
      answer: CrawlJob;
    };
    /**
     * Stream the events of a crawl job. (`followCrawlJob`)
     *
     * Streams server-sent events until the job ends. After a lost connection, send the `cursor` of the last step to go on behind it. Tokens belong into the `Authorization` header, which `EventSource` can't send; use `fetch`.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/stream": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
        query?: {
          /** The `cursor` of the last step that you have received; only steps after it are sent. */
          cursor?: string | undefined;
        } | undefined;
      };
      events: CrawlEvent;
    };
    /**
     * List the steps of a crawl job, oldest first. (`listCrawlSteps`)
     *
     * Returns the job's log as an array; if there is more, the header `Next-Cursor` says where to go on. Steps are kept for 90 days.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/steps": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The header `Next-Cursor` of the answer before. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: CrawlStep[];
    };
    /**
     * List what a crawl job did with each address. (`listCrawledPages`)
     *
     * Returns addresses with their status and the reason as an array; if there is more, the header `Next-Cursor` says where to go on. They are kept for 90 days.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/pages": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The header `Next-Cursor` of the answer before. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: CrawledPage[];
    };
    /**
     * Get the crawl schedule of a knowledge base. (`getCrawlSchedule`)
     *
     * Returns how often the knowledge base is crawled again, and when next. 404 also means that there is none.
     */
    "/knowledge-bases/{kbId}/crawl-schedule": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: CrawlSchedule;
    };
    /**
     * List conversations, newest first. (`listConversations`)
     *
     * Lists your own conversations with all agents; an end user sees theirs, and an API key those with its agents. Conversations of end users are listed under the agent's end users.
     */
    "/conversations": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Conversation[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a conversation. (`getConversation`)
     *
     * Returns the title, the description and the agent of a conversation, without its messages.
     */
    "/conversations/{conversationId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
      };
      answer: Conversation;
    };
    /**
     * List the messages of a conversation, newest first. (`listMessages`)
     *
     * Returns messages with the calls of tools, token counts and citations of answers. Text files that were attached are named, without their contents.
     */
    "/conversations/{conversationId}/messages": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Message[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * List the runs of a conversation, newest first. (`listRuns`)
     *
     * Shows how each message of the conversation was answered: its state, its tokens, and the code of its error if it failed.
     */
    "/conversations/{conversationId}/runs": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: Run[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get a run. (`getRun`)
     *
     * Shows the state of a run. Use it after a lost connection to find out whether the answer is still being written. A run whose server died becomes `interrupted` when it is next accessed, or by itself within half a minute. A run in the state `waiting` names the calls that it waits for in `pending_calls`.
     */
    "/conversations/{conversationId}/runs/{runId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
      };
      answer: RunDetails;
    };
    /**
     * Follow or resume the events of a run. (`followRun`)
     *
     * Replays the events after the number `after` (0 by default, which is all of them) and then follows the run until it ends. Use it to resume after a lost connection, or with the run `active` to follow the conversation's active run in a second tab. Replayed events are byte for byte those that were sent before, and any number of clients may follow.
     *
     * The stream of a run that waits ends with `RUN_WAITING`; follow the run again behind it when its calls are decided. 204 means that nothing is left to send because the run is over or waits, or that no run is active. Events are kept for a day; then the answer is 410, and the conversation's messages have what was said.
     */
    "/conversations/{conversationId}/runs/{runId}/events": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
        query?: {
          /** The `seq` of the last event that you have received; 0 by default. */
          after?: string | undefined;
        } | undefined;
        headers?: {
          /** The same as `after`. If both are given, `after` wins. */
          "Last-Event-ID"?: string | undefined;
        } | undefined;
      };
      events: RunEvent;
    };
    /**
     * Get the plan's limits and this month's usage. (`getUsage`)
     *
     * Returns limits, usage and what is left. With `agent_id`, it adds the usage of that agent's memory; with `end_user_id` as well, that of an end user. A limit that is null is unlimited.
     */
    "/usage": {
      options: {
        query?: {
          /** Adds the usage of this agent's memory to the answer, and applies the agent's own limits. */
          agent_id?: string | undefined;
          /** An end user of that agent, whose usage is returned instead of your own. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: Usage;
    };
    /**
     * List usage by month, newest first. (`listUsage`)
     *
     * Returns how many messages and pages of knowledge bases were counted in each month (UTC).
     */
    "/usage/history": {
      options: {
        query?: {
          /** The most items in the answer. */
          limit?: number | undefined;
          /** The `next_cursor` of the previous page. Absent or empty for the first page. */
          cursor?: string | undefined;
        } | undefined;
      };
      answer: {
        /** The items of this page. */
        items: MonthlyUsage[];
        /** Send it as `cursor` to get the next page; null on the last page. */
        next_cursor: string | null;
        /** Whether there is a next page. */
        has_more: boolean;
      };
    };
    /**
     * Get token usage by agent, model or day. (`getTokenUsage`)
     *
     * Sums the tokens that providers have counted from the day `from` to the day `to`, both included: the last 30 days by default, at most 93.
     */
    "/usage/tokens": {
      options: {
        query?: {
          /** What the report has one item for. */
          group_by?: "agent" | "model" | "day" | undefined;
          /** The first day (UTC); by default 29 days before `to`. */
          from?: string | undefined;
          /** The last day (UTC), today by default. */
          to?: string | undefined;
        } | undefined;
      };
      answer: TokenUsageReport;
    };
    /**
     * List the plans and their prices. (`getPricing`)
     *
     * Returns what a page with prices shows: plans, prices, features, and questions with answers.
     */
    "/payments/stripe/pricing": {
      options: {};
      answer: Pricing;
    };
    /**
     * Get the state of a checkout. (`getCheckout`)
     *
     * Says whether a checkout is paid, for the page after the payment. It does not say whose checkout it is.
     */
    "/payments/stripe/session/{sessionId}": {
      options: {
        path: {
          /** The session's id. */
          sessionId: string;
        };
      };
      answer: CheckoutState;
    };
    /**
     * Preview what the next turn sends to the model. (`getContext`)
     *
     * Shows the system prompt section by section, the tools, the history that fits, and what is left out, each with its estimated tokens. Use it to find out why an agent does not know something. Nothing is sent to the model, and nothing counts.
     */
    "/conversations/{conversationId}/context": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        headers?: {
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
      };
      answer: ConversationContext;
    };
    /**
     * Get the summary of older messages. (`getSummary`)
     *
     * Returns the summary of the messages that no longer fit into the context window. 404 also means that there is no summary yet.
     */
    "/conversations/{conversationId}/summary": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
      };
      answer: ConversationSummary;
    };
    /**
     * List model providers and their forms. (`listProviders`)
     *
     * Lists all providers as an array without pages, with the form that asks for their credentials and whether credentials are stored. Stored secrets are never returned.
     */
    "/settings/providers": {
      options: {};
      answer: ProviderListing[];
    };
    /**
     * Get whether a provider is configured. (`getProvider`)
     *
     * Says whether usable credentials are stored, since when, and the end of the first secret.
     */
    "/settings/providers/{providerName}": {
      options: {
        path: {
          /** The provider's name, matched without case. */
          providerName: string;
        };
      };
      answer: Provider;
    };
    /**
     * List the models of a provider. (`listModels`)
     *
     * Lists what the provider offers for the stored credentials or, if it does not answer, a built-in list (`is_live` is false). Use the ids as `agent_model`.
     */
    "/llm/models/{provider}": {
      options: {
        path: {
          /** The provider's name, matched without case. */
          provider: string;
        };
      };
      answer: Model[];
    };
    /**
     * Get the account's subscription. (`getSubscription`)
     *
     * Returns the subscription that decides the account's plan, or the free plan if there is none.
     */
    "/payments/stripe/subscription/status": {
      options: {};
      answer: SubscriptionStatus;
    };
  };
  POST: {
    /**
     * Get a new access token for the session. (`refreshSession`)
     *
     * Returns a short-lived access token for the session of the refresh cookie, and replaces the cookie. Call it when the page loads and before the token expires, with `credentials: "include"`. A 401 means that the session has ended: sign in again. Only the application's own origins may call it.
     */
    "/auth/refresh": {
      options: {};
      answer: RefreshedToken;
    };
    /**
     * Sign out. (`logOut`)
     *
     * Ends the session of the refresh cookie and clears the cookie. Without a session, it is a 204 as well. Access tokens that were issued stay valid until they expire.
     */
    "/auth/logout": {
      options: {};
      answer: undefined;
    };
    /**
     * Sign up locally (development only). (`localSignup`)
     *
     * Creates an account with a name and a password, for development without Google. A page of this service also gets a refresh cookie. A deployment refuses it with 403. A name that is taken is a 409.
     */
    "/auth/local/signup": {
      options: {
        body: LocalCredentials;
      };
      answer: Session;
    };
    /**
     * Sign in locally (development only). (`localLogin`)
     *
     * Returns an access token for an account that `localSignup` has created, and a refresh cookie to a page of this service. A deployment refuses it with 403; a wrong name or password is a 401.
     */
    "/auth/local/login": {
      options: {
        body: LocalCredentials;
      };
      answer: Session;
    };
    /**
     * Create an API key for a program. (`createApiKey`)
     *
     * Creates a key with the scopes that a program needs. The answer has the `secret`, which is shown only once: store it, and send it as `Authorization: Bearer dab_…`. `write` does not include `read`. No scope opens the account itself or its keys. A repeat with the same `Idempotency-Key` is a 409 that names the `key_id`, because the secret is not stored.
     */
    "/api-keys": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewApiKey;
      };
      answer: ShownApiKey;
    };
    /**
     * Register an MCP client. (`registerOAuthClient`)
     *
     * Dynamic client registration (RFC 7591) for public clients. The `client_id` is the signed metadata itself: nothing is stored, and the same metadata gets the same id. Redirect addresses are https, http on the person's own machine (its port may differ later), or a scheme of the program's own. Other metadata is ignored.
     */
    "/oauth/register": {
      options: {
        body: NewOAuthClient;
      };
      answer: OAuthClient;
    };
    /**
     * Get tokens for a code or a refresh token. (`issueOAuthToken`)
     *
     * Redeems a code, once, within a minute, or replaces a refresh token. The access token is valid for an hour, and only at the MCP address of its agent. A client that did not get the answer to a replacement may repeat it; once the new tokens are in use, the replaced refresh token ends the connection. A connection also ends after 60 days without a replacement.
     */
    "/oauth/token": {
      options: {
        body: TokenRequest;
      };
      answer: OAuthTokens;
    };
    /**
     * Revoke the tokens of an MCP client. (`revokeOAuthToken`)
     *
     * Ends the connection that an access or a refresh token belongs to (RFC 7009). The answer is the same for a token that is not valid.
     */
    "/oauth/revoke": {
      options: {
        body: TokenRevocation;
      };
      answer: undefined;
    };
    /**
     * Find out what an MCP client asks for. (`getConsentQuestion`)
     *
     * For pages that ask a person whether an MCP client may use an agent, such as the one at `/oauth/authorize`. `request` is the query of the client's authorization request. A request of a client that is not known, or with a redirect address that is not the client's, is refused: nobody may be sent there.
     */
    "/oauth/consent/question": {
      options: {
        body: ConsentRequest;
      };
      answer: ConsentQuestion;
    };
    /**
     * Let an MCP client use an agent. (`giveConsent`)
     *
     * Grants an authorization request with some or all of its scopes, and returns the address that brings the client its code. Send the browser there. An account can have 100 connected clients; another one is a 409.
     */
    "/oauth/consent": {
      options: {
        body: Consent;
      };
      answer: Consented;
    };
    /**
     * Create a webhook endpoint. (`createWebhook`)
     *
     * Has events of the account delivered to an address of yours by POST, signed as Standard Webhooks defines it. The answer has the `secret` for checking the signatures, which is shown only once. An account can have ten endpoints; one more is a 409. A repeat with the same `Idempotency-Key` is a 409 that names the `webhook_id`.
     */
    "/webhooks": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewWebhook;
      };
      answer: ShownWebhook;
    };
    /**
     * Replace the secret of a webhook endpoint. (`rotateWebhookSecret`)
     *
     * Returns a new secret, which is shown only once. For `overlap_hours`, deliveries have signatures of the new and the previous secret, so that receivers can be changed one after the other. Send 0 if the previous secret has leaked. At most three secrets sign at the same time; one more is a 409. A repeat with the same `Idempotency-Key` returns the same secret, so that a lost answer costs nothing.
     */
    "/webhooks/{webhookId}/rotate-secret": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body?: SecretRotation;
      };
      answer: ShownWebhook;
    };
    /**
     * Send a test event to a webhook endpoint. (`testWebhook`)
     *
     * Queues an event of the type `webhook.test`. What has come of it is in the log of deliveries under the `event_id`.
     */
    "/webhooks/{webhookId}/test": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
      };
      answer: WebhookTest;
    };
    /**
     * Deliver an event again. (`redeliverWebhook`)
     *
     * Sends the same event with the same `webhook-id` again, at once and with all retries. The endpoint has to be enabled.
     */
    "/webhooks/{webhookId}/deliveries/{eventId}/redeliver": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
          /** The event's id, which receivers get as `webhook-id`. */
          eventId: string;
        };
      };
      answer: WebhookDeliveryDetails;
    };
    /**
     * Create an agent. (`createAgent`)
     *
     * Creates an agent. If an agent of this name exists and agrees with the body, it is returned with 200, so a repeated request creates one agent only; if it differs, the answer is a 409 that names the fields. The plan limits how many agents there may be. A model that the provider does not list is a 422; if the list is not known at the moment, the agent is created with an `X-Warning`. An API key that is limited to certain agents can't create others.
     */
    "/agents": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewAgent;
      };
      answer: Agent | AgentReference;
    };
    /**
     * Create a core memory block. (`createMemoryBlock`)
     *
     * Adds a block to the part of the memory that the agent reads in every turn. The description tells the agent what belongs into it. A name that is taken or reserved is a 409; the plan limits how many blocks there may be. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewMemoryBlock;
      };
      answer: MemoryBlock | MemoryBlockReference;
    };
    /**
     * Restore a version of a memory block. (`restoreMemoryBlock`)
     *
     * Stores the lines of an earlier version as a new version, so that restoring can be undone as well. `If-Match` prevents lost updates as in a replacement. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}/restore": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** The `ETag` that you read. If the state has changed since, the request is refused with 412. */
          "If-Match"?: string | undefined;
        } | undefined;
        body: MemoryBlockRestoration;
      };
      answer: MemoryBlockContent | MemoryBlockContentReference;
    };
    /**
     * Store an archival memory. (`createMemory`)
     *
     * Stores a text that the agent can find by searching. The same content is stored once: a repeat is answered with 200 and the memory that has it. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewMemory;
      };
      answer: Memory | MemoryReference;
    };
    /**
     * Store up to 100 archival memories. (`createMemories`)
     *
     * Stores several texts with one request, for example when you import a history. Each content is stored once; `created` says which ones are new. Either all fit into the plan, or none is stored. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/batch": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewMemories;
      };
      answer: StoredMemories;
    };
    /**
     * Take back what a run wrote to the memory. (`revertMemoryChanges`)
     *
     * Restores the lines that each block had before the run, as a new version, and removes the memories that the run stored. What has been changed since, by you or in another run, stays as it is and is reported as a `conflict`; so does a block whose former lines are no longer kept. Repeating the request is safe. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/runs/{runId}/memory-changes/revert": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: RevertedMemoryChanges;
    };
    /**
     * Add an HTTP tool to an agent. (`createHttpTool`)
     *
     * Adds a tool that the agent's model may call: a JSON Schema of arguments, and the request that is sent with them. Placeholders in the URL, the headers and the body are filled for each call: `{{name}}` with an argument, `{{secrets.name}}` with a secret. Each value is encoded for its place. Secrets are encrypted and never returned. Only public addresses with https are requested, and no redirect is followed. The name must be unique in the agent, and must not begin like the service's own tools; otherwise the answer is a 409 or a 422.
     */
    "/agents/{agentId}/http-tools": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewHttpTool;
      };
      answer: HttpTool | HttpToolReference;
    };
    /**
     * Try an HTTP tool. (`testHttpTool`)
     *
     * Sends the request of a tool once, with the arguments of the body, and returns what was sent and what was answered. Secrets are shown as `***`, also where the server repeats them. Failures are part of the answer, as `error`. This is a real request: it may change something at the other server. An API key also needs the scope `agents:read`.
     */
    "/agents/{agentId}/http-tools/{toolId}/test": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The HTTP tool's id, `tool_id`. */
          toolId: string;
        };
        body: HttpToolTrialInput;
      };
      answer: HttpToolTrial;
    };
    /**
     * Create a publishable key for web pages. (`createPublishableKey`)
     *
     * Creates a key that stands in the source of your web pages, for the chat that is embedded there. It opens chats of visitors with this agent and nothing else, so it is no secret; its allowed origins keep pages of others from using it. Send an `Idempotency-Key` to create only one key however often the request is repeated.
     */
    "/agents/{agentId}/api-keys": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewPublishableKey;
      };
      answer: PublishableKey | PublishableKeyReference;
    };
    /**
     * Add an MCP server to an agent. (`createMcpServer`)
     *
     * Adds a server whose tools the agent's model may call, and asks it for them. If the server does not answer, it is added nevertheless; `state` and `error` say what is wrong. Only public addresses with https are requested, and no redirect is followed. The token is encrypted and never returned. For a server with OAuth, go on with `authorizeMcpServer`. The name must be unique in the agent, otherwise the answer is a 409.
     */
    "/agents/{agentId}/mcp-servers": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewMcpServer;
      };
      answer: McpServer | McpServerReference;
    };
    /**
     * List the tools of an MCP server again. (`refreshMcpServer`)
     *
     * Asks the server for its tools and stores them. If it does not answer, the tools that were listed before stay, and `state` and `error` say what is wrong. The service does this by itself after a turn whose tools are more than an hour old.
     */
    "/agents/{agentId}/mcp-servers/{serverId}/refresh": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The MCP server's id, `server_id`. */
          serverId: string;
        };
      };
      answer: McpServer | McpServerReference;
    };
    /**
     * Authorize the use of an MCP server. (`authorizeMcpServer`)
     *
     * Begins an authorization with OAuth 2.1: finds the server's authorization server, registers this service there, and returns the address of the page on which the owner agrees. Open it in a browser within ten minutes. The browser comes back to a page of this service, which asks for a confirmation; then `state` of the server is `ready`. An API key also needs the scope `agents:read`.
     */
    "/agents/{agentId}/mcp-servers/{serverId}/authorization": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The MCP server's id, `server_id`. */
          serverId: string;
        };
      };
      answer: McpAuthorization;
    };
    /**
     * Create a token for an end user. (`createClientToken`)
     *
     * Creates a token with which a person can talk to the agent from your own pages without an account. Call it from your back end for the person who is signed in there, and pass the token to the browser: it opens only that person's conversations with this agent. The end user is created with their first token. Usage counts on your account. A token with origins works on their pages only; one without works outside of browsers only.
     */
    "/agents/{agentId}/client-tokens": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        body: NewClientToken;
      };
      answer: ClientToken | ClientTokenReference;
    };
    /**
     * Approve or reject a call in an end user's conversation. (`decideEndUserCall`)
     *
     * Decides like `decideCall`, for the owner of the agent: also where the end user is a visitor of a web page, who can't decide. The webhook event `approval.requested` has all ids of this path.
     */
    "/agents/{agentId}/end-users/{endUserId}/conversations/{conversationId}/runs/{runId}/approvals/{callId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
          /** The call's id, `tool_call_id`, percent-encoded. */
          callId: string;
        };
        body: NewDecision;
      };
      answer: RunDetails | RunReference;
    };
    /**
     * Send a message and stream the answer. (`sendMessage`)
     *
     * Begins a run: the message is stored, the agent reads its memory, may call tools, and answers. By default the answer is a stream of server-sent events; with `Accept: application/json` (and neither `text/event-stream` nor `*\/*`) the request waits for the end and is answered as a whole.
     *
     * The run goes on if the client disconnects; follow it with `followRun`. A conversation has one run at a time: a second message is refused with 409 `conversation-busy`, which names the `run_id`. With an `Idempotency-Key`, a repeat returns the stream of the same run from its beginning. Every message counts against the plan's messages of the month, unless the run fails before it has said anything.
     *
     * The body may have 1 MB; up to 5 text files may be attached.
     */
    "/agents/{agentId}/{conversationId}/send-message": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        query?: {
          /** `1` also streams what the model thinks, as `REASONING` events. */
          reasoning?: "0" | "1" | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
        body: NewMessage;
      };
      answer: WholeAnswer;
      events: RunEvent;
    };
    /**
     * Chat with an agent through the AI SDK. (`chat`)
     *
     * The `api` of `useChat` and of `DefaultChatTransport` (AI SDK 5 and later): `new DefaultChatTransport({ api: "…/agents/{agentId}/chat", headers: { Authorization: "Bearer …" } })`. The chat's `id` leads to a conversation, which the first message creates; the id of an existing conversation with the agent works, too. The conversation is kept by the service, so only the last message is read, and the agent remembers the others without them. To send less, use `prepareSendMessagesRequest`.
     *
     * A repeat of a message, recognised by its `id` for 24 hours, returns the stream of the same run. The run goes on if the client disconnects: `stop()` of `useChat` only stops reading, so cancel the run with `cancelRun` and the ids of the part `data-run`. Text files are taken as attachments from `data:` URLs. The agent's tools run on the server and appear as dynamic tools. Tools of the page are sent as `tools`: the run waits for their results, which are those of the last message's last step (`addToolOutput` and `sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls`), and goes on in the same message. All calls of a step are answered at once, each with one result: the same again returns the same stream, another one is a 409. A tool that asks first appears as a call in the state `approval-requested` (AI SDK 6 and later, with `?ai_sdk=6`); send the chat again after `addToolApprovalResponse`, and the same run goes on. Earlier releases get `data-approval`.
     *
     * `regenerate()` of `useChat` has the last answer written again, as `regenerateAnswer` does. With the id of the answer, `regenerate({ messageId })`, two tabs and a repeat get the same new answer, and a tab that does not show the last answer gets 409 `conflict`. Without an id, and if the message was refused before, the message is sent like a new one.
     *
     * Errors before the stream are problem documents; the AI SDK shows them as the text of its error.
     */
    "/agents/{agentId}/chat": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The major version of the AI SDK that reads the stream. */
          ai_sdk?: "5" | "6" | "7" | undefined;
          /** `1` also streams what the model thinks, as `reasoning-…` parts. */
          reasoning?: "0" | "1" | undefined;
        } | undefined;
        headers?: {
          /** The same as `ai_sdk`. If both are given, `ai_sdk` wins. */
          "X-AI-SDK"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
        body: ChatRequest;
      };
      events: UiMessagePart;
    };
    /**
     * Chat with an agent through OpenAI's client. (`createChatCompletion`)
     *
     * OpenAI's chat completions, with an agent as the model: `new OpenAI({ baseURL: "…/v1", apiKey: "dab_…" })`. The agent answers with its own memory, tools and instructions; tools stay hidden.
     *
     * **History.** With `X-Conversation-Id` or `metadata.conversation_id`, the service keeps the conversation, and only the last message of the request is read. Without them, the messages of the request are the history, nothing of it is kept for longer than a day, and only the agent's memory is lasting. Then system messages reach the model as words of the user, because the agent has instructions of its own.
     *
     * **End users.** `user` chooses the end user whose conversations and memory are used, and creates the end user if necessary; an API key needs the scope `end-users:write`. It never says who the caller is.
     *
     * **Client tools.** `tools` are offered to the model beside the agent's own. When it calls one, the answer ends with `finish_reason: "tool_calls"`. Send the results as messages of the role `tool`, behind the answer with the calls: in a conversation, the same run goes on; without one, the messages of the request are the history. A run waits for 24 hours. Another message ends it.
     *
     * `n` above 1 and audio are refused; so is a JSON `response_format` if the provider of the agent has no such answers (Anthropic, Bedrock). Settings that belong to the agent, such as `temperature`, and unknown members are ignored. A run goes on if the client disconnects; cancel it with `cancelRun`. With an `Idempotency-Key`, a repeat returns the answer of the same run.
     */
    "/v1/chat/completions": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
          /** The id of a conversation with the agent, or any name of up to 255 characters for one, which the first message creates. */
          "X-Conversation-Id"?: string | undefined;
        } | undefined;
        body: CompletionRequest;
      };
      answer: Completion;
      events: CompletionEvent;
    };
    /**
     * Create one of OpenAI's responses. (`createResponse`)
     *
     * OpenAI's Responses API, with an agent as the model. A response is a run, or a part of one: the agent answers with its own memory, tools and instructions; these tools stay hidden.
     *
     * **Conversations.** `previous_response_id` continues from the newest response of a conversation; an older one is refused with 409. Responses that have failed or were cancelled do not count, so the request can be tried again with the same `previous_response_id`; what was said in them stays in the history. `conversation` is the id of a conversation with the agent, or any name of yours. Without either, a conversation begins, which later responses can continue. With `store: false`, or if the input has messages or calls of the assistant, the input is the history and nothing of it is kept for longer than a day; then nothing can follow. What the input says behind the last message of the assistant is new: several messages of the user become one.
     *
     * **Instructions.** `instructions` and messages of the system or the developer reach the model as words of the user, in this turn only, because the agent has instructions of its own.
     *
     * **Background.** With `background: true`, the request returns as soon as the run has begun; retrieve the response until its `status` is no longer `in_progress`. Without it, a run goes on as well if the client disconnects.
     *
     * **End users.** `user` or else `safety_identifier` chooses the end user whose conversations and memory are used, and creates the end user if necessary; an API key needs the scope `end-users:write`. A response that continues another one is about the same person.
     *
     * **Client tools.** `tools` (functions) are offered to the model beside the agent's own. When it calls one, the response is completed with items of the type `function_call`, and the run waits for 24 hours. Send the results of all calls as `function_call_output`, with `previous_response_id` or `conversation`: the same run goes on, as the next response, with the tools and the instructions of that request. A repeat returns the same response. Messages of the user behind the results end the run with these, and another run answers; messages without the results end it, too. Without a conversation, send the calls and the results in the input. Items of the type `reasoning` are ignored.
     *
     * Hosted tools, `item_reference`, `prompt`, images and files by id are refused; so is a JSON `text.format` if the provider of the agent has no such answers (Anthropic, Bedrock). Settings that belong to the agent, such as `temperature`, and unknown members are ignored. With an `Idempotency-Key`, a repeat returns the response of the same run.
     */
    "/v1/responses": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
        body: NewResponse;
      };
      answer: OpenAiResponse;
      events: ResponseEvent;
    };
    /**
     * Cancel a response. (`cancelResponse`)
     *
     * Stops the run of a response, in the background or not, and returns the response. The answer so far is kept. A response that has ended is returned as it is, also if the run waits for the results of its calls.
     */
    "/v1/responses/{responseId}/cancel": {
      options: {
        path: {
          /** The response's id, `id`. */
          responseId: string;
        };
      };
      answer: OpenAiResponse | OpenAiResponseReference;
    };
    /**
     * Let an agent search a knowledge base. (`linkKnowledgeBase`)
     *
     * Links an agent to a knowledge base of the same account. From its next turn on, an agent of the architecture `krishna-memgpt` searches it and cites what it finds. Linking again changes nothing. An agent may have 20 links; one more is a 409.
     */
    "/agents/{agentId}/knowledge-bases": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query: {
          /** The id of the knowledge base. */
          kb_id: string;
        };
      };
      answer: KnowledgeBaseLink;
    };
    /**
     * Search all knowledge bases of an agent. (`searchAgentKnowledge`)
     *
     * Returns the passages that match best, of all knowledge bases that the agent is linked to. Send the question in the body or in the query; the body counts more. Results are found by words and, if embeddings are set up, by meaning; at most 100 in all. While pages are still being indexed, a search answers from those that are: `notes` contain `index-building`, and `indexing` says how far it is. `base-unavailable` and `base-gone` mean that one of them was left out.
     */
    "/agents/{agentId}/knowledge-search": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        query?: {
          /** The question. Required, here or in the other place. */
          query?: string | undefined;
          /** How many results; 5 by default. */
          top_k?: number | undefined;
          /** The `next_cursor` of the previous page. */
          cursor?: string | undefined;
          /** Up to 4 further questions. Repeat the parameter for several ones. */
          queries?: string | readonly string[] | undefined;
        } | undefined;
        body?: KnowledgeSearch;
      };
      answer: FoundPassages;
    };
    /**
     * Use an agent from an MCP client. (`callMcp`)
     *
     * The agent as a server of the Model Context Protocol (streamable HTTP, without sessions that have state). Give an MCP client this address: it signs you in by OAuth, or takes an API key as a header. It finds the tools `chat`, `memory_search`, `memory_read`, `memory_blocks`, `memory_add` and `memory_edit`, and the blocks of core memory as resources. A caller sees only the tools that its scopes allow. The body is a JSON-RPC message. The answer is JSON or, if the client takes it, a stream of server-sent events with progress; a notification is answered with 202. Errors are those of JSON-RPC, not problem documents. GET and DELETE are answered with 405, as the protocol says.
     */
    "/mcp/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        body: McpMessage;
      };
      answer: Record<string, unknown>;
    };
    /**
     * Create a visitor, or renew a visitor's token. (`createVisitor`)
     *
     * Returns the token that identifies somebody who has not signed in for 30 days. Nothing is stored: the visitor becomes an end user of the agent with their first conversation. With the token of such a visitor as `Authorization`, it returns a new token for the same visitor, so that people who come back keep their conversations. A key that requires visitors to sign in refuses both.
     */
    "/widget/visitors": {
      options: {};
      answer: VisitorToken;
    };
    /**
     * Start a visitor's conversation. (`createWidgetConversation`)
     *
     * Creates an empty conversation of the visitor with the agent. The first one also makes somebody who has not signed in an end user of the agent. A visitor may have 1,000 conversations. Send an `Idempotency-Key` to create only one however often the request is repeated.
     */
    "/widget/conversations": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewWidgetConversation;
      };
      answer: WidgetConversation;
    };
    /**
     * Send a visitor's message and stream the answer. (`sendWidgetMessage`)
     *
     * Like `sendMessage`, with what concerns the agent's owner left out of the stream: the arguments and results of tools, changes of the memory, and token counts. Numbers of events that are left out are missing in `seq`. The first event is `Connecting to agent...`. The run goes on if the page is closed; follow it with `followWidgetRun`. Every message counts against the plan of the agent's owner.
     */
    "/widget/conversations/{conversationId}/messages": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
        body: NewWidgetMessage;
      };
      events: RunEvent;
    };
    /**
     * Stop a visitor's run. (`cancelWidgetRun`)
     *
     * Stops the answer, like `cancelRun`. Cancelling again, or cancelling a run that has ended, changes nothing.
     */
    "/widget/conversations/{conversationId}/runs/{runId}/cancel": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
      };
      answer: RunReference;
    };
    /**
     * Create a knowledge base. (`createKnowledgeBase`)
     *
     * Creates an empty knowledge base. Fill it with `uploadFiles` or `createCrawlJob`, and let an agent search it with `linkKnowledgeBase`. An account may have 100; one more is a 409. Knowledge bases belong to the whole account, so an API key that is limited to certain agents can't create them.
     */
    "/knowledge-bases": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewKnowledgeBase;
      };
      answer: KnowledgeBase | KnowledgeBaseReference;
    };
    /**
     * Search a knowledge base. (`searchKnowledgeBase`)
     *
     * Returns the passages that match best. Send the question in the body or in the query; the body counts more. Results are found by words and, if embeddings are set up, by meaning; at most 100 in all. While pages are still being indexed, a search answers from those that are: `notes` contain `index-building`, and `indexing` says how far it is.
     */
    "/knowledge-bases/{kbId}/search": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        query?: {
          /** The question. Required, here or in the other place. */
          query?: string | undefined;
          /** How many results; 5 by default. */
          top_k?: number | undefined;
          /** The `next_cursor` of the previous page. */
          cursor?: string | undefined;
          /** Up to 4 further questions. Repeat the parameter for several ones. */
          queries?: string | readonly string[] | undefined;
        } | undefined;
        body?: KnowledgeSearch;
      };
      answer: FoundPassages;
    };
    /**
     * Upload files to a knowledge base. (`uploadFiles`)
     *
     * Reads up to 20 files, 10 MB together, as Markdown: HTML, Markdown, text, CSV, DOCX and PDF. A file of the same name replaces the earlier one; the same file again is `unchanged` and costs nothing. 201 means that all files are stored, 207 that some are; if none is, the answer is the problem of the first file. Every stored or replaced file counts as a page of the month.
     */
    "/knowledge-bases/{kbId}/uploads": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        body: FormData;
      };
      answer: Uploads | UploadsReference;
    };
    /**
     * Crawl a site into a knowledge base. (`createCrawlJob`)
     *
     * Creates a job that reads a site and stores its pages, and starts it unless `auto_start` is `false`. The crawler obeys robots.txt, reaches public addresses only and stays on the host of the source. Jobs of one knowledge base run one after the other; ten may be unfinished, one more is a 409. The job reserves `max_pages` of the plan's pages of the month and gives back what it does not use; if none are left, the answer is a 429. Follow it with `followCrawlJob`.
     */
    "/knowledge-bases/{kbId}/crawl-jobs": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        query?: {
          /** `false` creates the job without starting it. */
          auto_start?: "true" | "false" | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewCrawlJob;
      };
      answer: CrawlJob | CrawlJobReference;
    };
    /**
     * Start a crawl job. (`runCrawlJob`)
     *
     * Starts a job that was created with `auto_start=false`. A job that runs already or has ended is a 409.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/run": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
      };
      answer: CrawlJob | CrawlJobReference;
    };
    /**
     * Start a crawl job and stream its events. (`runAndFollowCrawlJob`)
     *
     * Starts a job like `runCrawlJob` and streams its events like `followCrawlJob`. An API key needs `knowledge:read` as well. The job goes on if the client disconnects.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}/run-stream": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
      };
      events: CrawlEvent;
    };
    /**
     * Start a conversation with an agent. (`createConversation`)
     *
     * Creates an empty conversation; send messages to it with `sendMessage`. The agent's memory is shared by all conversations of the same person with it. An end user may have 1,000 conversations. Send an `Idempotency-Key` to create only one conversation however often the request is repeated.
     */
    "/conversations": {
      options: {
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
        } | undefined;
        body: NewConversation;
      };
      answer: Conversation | ConversationReference;
    };
    /**
     * Stop a run. (`cancelRun`)
     *
     * Stops the answer. The text so far is kept and marked `interrupted`; the stream ends with `STREAM_COMPLETE` and the content `Cancelled`. Cancelling again, or cancelling a run that has ended, changes nothing.
     */
    "/conversations/{conversationId}/runs/{runId}/cancel": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
        };
      };
      answer: Run | RunReference;
    };
    /**
     * Write the last answer again. (`regenerateAnswer`)
     *
     * Answers the last message of the conversation once more, with the same text and files. `messageId` names the answer to replace, or the message itself if it has no answer because its run failed. Only the last answer can be written again: 409 `conflict` if others have followed, also in another tab.
     *
     * The new run does not see the former answer. When the new answer is complete, it takes the place of the former one, in the same write. If the run fails, is cancelled or dies, the former answer stays and what was written of the new one is dropped; `message_id` of the run is then null. Without a former answer, what was said is kept as `sendMessage` keeps it.
     *
     * Everything else is as with `sendMessage`: the stream, JSON on request, 409 `conversation-busy`, `Idempotency-Key`, and the count against the plan's messages. What the former run wrote to the agent's memory stays. List it with `listMemoryChanges`, and take it back with `revertMemoryChanges` before you regenerate.
     */
    "/conversations/{conversationId}/messages/{messageId}/regenerate": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The message's id, `message_id`. */
          messageId: string;
        };
        query?: {
          /** `1` also streams what the model thinks, as `REASONING` events. */
          reasoning?: "0" | "1" | undefined;
        } | undefined;
        headers?: {
          /** 1 to 255 visible ASCII characters of your choice. For 24 hours, a repeat with the same key and body has no further effect and gets the same answer. */
          "Idempotency-Key"?: string | undefined;
          /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows. UTC by default; unknown names are ignored. */
          "X-Time-Zone"?: string | undefined;
        } | undefined;
      };
      answer: WholeAnswer;
      events: RunEvent;
    };
    /**
     * Approve or reject a call of a tool. (`decideCall`)
     *
     * Decides about a call for which a run waits (`APPROVAL_REQUESTED`). When all its calls are decided, the run goes on: an approved call is run, and the model is told about a rejected one, with the `reason`. Follow the run with `followRun` behind the last event that you have. A call is decided once: repeating the same decision changes nothing, and another one is a 409, as is a decision about a run that does not wait any more. Whoever may write in the conversation may decide, so an end user decides in theirs. A run waits for 24 hours; then, or when another message is sent, it ends as cancelled.
     */
    "/conversations/{conversationId}/runs/{runId}/approvals/{callId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
          /** The run's id, `run_id`. The events of a run are also found under `active`. */
          runId: string;
          /** The call's id, `tool_call_id`, percent-encoded. */
          callId: string;
        };
        body: NewDecision;
      };
      answer: RunDetails | RunReference;
    };
    /**
     * Write to the people who run the service. (`submitContact`)
     *
     * Delivers a message to the operators, once in five minutes per network address. If the delivery fails, the answer is a 503, and you may try again at once.
     */
    "/contact/submit": {
      options: {
        body: ContactSubmission;
      };
      answer: ContactAnswer;
    };
    /**
     * Receive an event from Stripe. (`stripeWebhook`)
     *
     * Stripe calls it with the header `Stripe-Signature`. The contents of the event are not believed: the service fetches the subscription from Stripe. Events may arrive in any order, twice or not at all.
     */
    "/payments/stripe/webhook": {
      options: {};
      answer: Acknowledged;
    };
    /**
     * Buy a plan, or change to a better one. (`checkout`)
     *
     * Returns the address of a checkout page at Stripe; send the browser there. For an account that pays for a plan already, it upgrades the running subscription at once and pro rata, and returns the settings page. Without a token, the plan counts for the e-mail address that pays. What Stripe refuses, such as a declined card, is a 409 with a `reason`.
     */
    "/payments/stripe/checkout": {
      options: {
        body: CheckoutOrder;
      };
      answer: Address;
    };
    /**
     * Store credentials for a provider. (`configureProvider`)
     *
     * Stores the values of the provider's form, encrypted, and replaces earlier ones. The credentials are not tried: use `testProvider`. Agents of this provider use them from their next turn on.
     */
    "/settings/providers/{providerName}": {
      options: {
        path: {
          /** The provider's name, matched without case. */
          providerName: string;
        };
        body: ProviderCredentials;
      };
      answer: Provider;
    };
    /**
     * Test the stored credentials of a provider. (`testProvider`)
     *
     * Sends a short message to a model with the stored credentials, or lists the models. A refusal by the provider is a 200 with `ok: false`, a sentence and a code. The provider may charge a few tokens.
     */
    "/settings/providers/{providerName}/test": {
      options: {
        path: {
          /** The provider's name, matched without case. */
          providerName: string;
        };
        query?: {
          /** The model that is asked. By default, a known small one of the provider. */
          model?: string | undefined;
        } | undefined;
      };
      answer: ProviderTrial;
    };
    /**
     * Claim a purchase that was made without signing in. (`claimPurchase`)
     *
     * Moves a plan that was bought without signing in to the account, by the id of its checkout. A purchase of another account, an unpaid one, or one beside a plan that the account pays for is a 409.
     */
    "/payments/stripe/claim": {
      options: {
        body: Claim;
      };
      answer: SubscriptionStatus;
    };
    /**
     * Cancel the account's subscriptions. (`cancelSubscription`)
     *
     * Ends all of the account's own subscriptions with their periods; the plan lasts until then. Subscriptions that are set to end already are a 409. `resumeSubscription` revokes it.
     */
    "/payments/stripe/subscription/cancel": {
      options: {};
      answer: SubscriptionEnding;
    };
    /**
     * Revoke the cancellation of the subscription. (`resumeSubscription`)
     *
     * Continues the best subscription that is set to end. It is refused with 409 if none is, or while another subscription continues.
     */
    "/payments/stripe/subscription/resume": {
      options: {};
      answer: SubscriptionEnding;
    };
    /**
     * Get the address of Stripe's billing portal. (`openPortal`)
     *
     * Returns an address at which the person manages cards, invoices and plans. Send the browser there at once, because the address expires. For a plan that has not been claimed, it is Stripe's login page.
     */
    "/payments/stripe/portal": {
      options: {};
      answer: Portal;
    };
  };
  DELETE: {
    /**
     * End one of your sessions. (`endSession`)
     *
     * Signs out a device: its session gets no further access tokens. Ending a session that does not exist is a 204 as well.
     */
    "/auth/sessions/{sessionId}": {
      options: {
        path: {
          /** The session's id. */
          sessionId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Revoke an API key. (`revokeApiKey`)
     *
     * Makes a key invalid at once. It stays in the list. Revoking a key again, or one that does not exist, is a 204 as well.
     */
    "/api-keys/{keyId}": {
      options: {
        path: {
          /** The API key's id, `key_id`. */
          keyId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete the account and everything it owns. (`deleteAccount`)
     *
     * Closes the account at once: its tokens and API keys become invalid. Its data is then removed in the background, usually within a minute, and within two hours if an agent is still answering. This can't be undone. Follow the progress with `getAccountDeletion`; repeating the request changes nothing.
     */
    "/users/me": {
      options: {};
      answer: DeletionRequested;
    };
    /**
     * Disconnect an MCP client. (`endMcpConnection`)
     *
     * Ends a connection: its tokens are invalid at once. Ending a connection that does not exist is a 204 as well.
     */
    "/users/me/mcp-connections/{connectionId}": {
      options: {
        path: {
          /** The connection's id, `connection_id`. */
          connectionId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete a webhook endpoint and its log. (`deleteWebhook`)
     *
     * Deliveries that wait are dropped. Deleting an endpoint that does not exist is a 204 as well.
     */
    "/webhooks/{webhookId}": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete an agent with everything it remembers. (`deleteAgent`)
     *
     * Deletes the agent, its conversations, memories and end users. Knowledge bases stay. The agent is gone for everyone at once; if there is much to remove, the answer is a 202, and the rest is removed soon after. Deleting an agent that does not exist is a 204 as well.
     */
    "/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
      };
      answer: Unfinished | undefined;
    };
    /**
     * Delete a custom memory block. (`deleteMemoryBlock`)
     *
     * Deletes a block and its lines; its versions are kept. Default blocks can't be deleted (409). With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: undefined;
    };
    /**
     * Delete a version of a memory block. (`deleteMemoryBlockVersion`)
     *
     * Removes what an earlier version said for good, such as a secret. The current version can't be deleted (409): change the block first. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}/versions/{version}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
          /** The number of the version. */
          version: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: undefined;
    };
    /**
     * Delete an archival memory. (`deleteMemory`)
     *
     * Deletes a memory and all its former texts for good. No search finds it afterwards, with or without `as_of`. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/{memoryId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The memory's id, `memory_id`. */
          memoryId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
      };
      answer: undefined;
    };
    /**
     * Delete an HTTP tool. (`deleteHttpTool`)
     *
     * Deletes a tool with its secrets. A tool that does not exist is a 204 as well.
     */
    "/agents/{agentId}/http-tools/{toolId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The HTTP tool's id, `tool_id`. */
          toolId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete a publishable key. (`deletePublishableKey`)
     *
     * Makes a key invalid at once. Conversations of visitors stay. Deleting a key again, or one that does not exist, is a 204 as well.
     */
    "/agents/{agentId}/api-keys/{keyId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The API key's id, `key_id`. */
          keyId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete an MCP server. (`deleteMcpServer`)
     *
     * Deletes a server with its secrets, and revokes its OAuth tokens if its authorization server offers that. A server that does not exist is a 204 as well.
     */
    "/agents/{agentId}/mcp-servers/{serverId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The MCP server's id, `server_id`. */
          serverId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete an end user with everything of theirs. (`deleteEndUser`)
     *
     * Deletes their conversations and memories; all their tokens become invalid at once. If there is much to remove, the answer is a 202, and the rest is removed soon after: a repeated request is a 204 when nothing is left. Deleting an end user who does not exist is a 204 as well.
     */
    "/agents/{agentId}/end-users/{endUserId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The id under which your own application knows the end user. */
          endUserId: string;
        };
      };
      answer: Unfinished | undefined;
    };
    /**
     * Keep an agent from searching a knowledge base. (`unlinkKnowledgeBase`)
     *
     * Removes a link; the knowledge base stays. Removing a link that does not exist is a 204 as well.
     */
    "/agents/{agentId}/knowledge-bases/{kbId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete a knowledge base. (`deleteKnowledgeBase`)
     *
     * Closes the knowledge base at once and removes its pages, crawl jobs and links. If it has many pages, the answer is a 202, and the rest is removed soon after. A repeated request is a 404 when nothing is left. Pages of this month still count.
     */
    "/knowledge-bases/{kbId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: Unfinished | undefined;
    };
    /**
     * Delete a page or file. (`deleteKnowledgePage`)
     *
     * Removes a page from searches at once. The next crawl that finds the page stores it again. The count of the month does not become lower.
     */
    "/knowledge-bases/{kbId}/pages/{pageId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The page's id, `page_id`. */
          pageId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete a chunk of the legacy service. (`deleteLegacyChunk`)
     *
     * Deletes what the legacy service has stored, once the pages have been crawled again.
     */
    "/knowledge-bases/{kbId}/chunks/{chunkId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The id of the chunk, `chunk_id`. */
          chunkId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Cancel a crawl job. (`cancelCrawlJob`)
     *
     * Stops a job within one page. What it has stored stays, and what it has reserved is given back. Cancelling a job that has ended changes nothing.
     */
    "/knowledge-bases/{kbId}/crawl-jobs/{jobId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
          /** The crawl job's id, `job_id`. */
          jobId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Stop crawling a knowledge base by a schedule. (`removeCrawlSchedule`)
     *
     * Removes the schedule. A job that it has begun goes on. Without a schedule, it is a 204 as well.
     */
    "/knowledge-bases/{kbId}/crawl-schedule": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete a conversation with its messages. (`deleteConversation`)
     *
     * Deletes the conversation, its messages and its runs. What the agent has written to its memory stays. The conversation is gone for everyone at once; if it has many messages, the answer is a 202, and the rest is removed soon after. A repeated request is a 404 when nothing is left.
     */
    "/conversations/{conversationId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
      };
      answer: Unfinished | undefined;
    };
    /**
     * Delete the summary of older messages. (`deleteSummary`)
     *
     * Makes the agent forget what it has summarised. A new summary covers only messages that leave the context window from now on. The messages themselves are kept.
     */
    "/conversations/{conversationId}/summary": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
      };
      answer: undefined;
    };
    /**
     * Delete the credentials for a provider. (`removeProvider`)
     *
     * Deletes what is stored. Agents of this provider answer messages with 409 `provider-not-configured` until new credentials are stored. Without stored credentials, it is a 204 as well.
     */
    "/settings/providers/{providerName}": {
      options: {
        path: {
          /** The provider's name, matched without case. */
          providerName: string;
        };
      };
      answer: undefined;
    };
  };
  PATCH: {
    /**
     * Change, enable or disable a webhook endpoint. (`updateWebhook`)
     *
     * Changes the members that are sent. Deliveries that wait end when the endpoint is disabled; enabling it does not repeat them. Events that happen meanwhile are not delivered to it.
     */
    "/webhooks/{webhookId}": {
      options: {
        path: {
          /** The endpoint's id, `webhook_id`. */
          webhookId: string;
        };
        body: WebhookChanges;
      };
      answer: Webhook;
    };
    /**
     * Update an agent (the same as PUT). (`patchAgent`)
     *
     * Changes an agent; absent and blank members keep their values, and `none` removes a value that may be absent, such as `temperature`. Running turns finish with the earlier settings. A name that another agent has is a 409. A model that the provider does not list is a 422, which names similar ones; if the list is not known at the moment, the change is accepted with an `X-Warning`.
     */
    "/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        body: AgentChanges;
      };
      answer: Agent | AgentReference;
    };
    /**
     * Change a block's description or word limit. (`updateMemoryBlock`)
     *
     * Changes what a block is for and how many words it can hold; absent members keep their values. A limit below the words that the block has is a 409. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        body: MemoryBlockChanges;
      };
      answer: MemoryBlock | MemoryBlockReference;
    };
    /**
     * Change an archival memory. (`updateMemory`)
     *
     * Replaces the content or the time; absent members keep their values. Up to 20 former texts are kept for searches with `as_of`. A content that another memory has is a 409. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/archival-memory/{memoryId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The memory's id, `memory_id`. */
          memoryId: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        body: MemoryChanges;
      };
      answer: Memory | MemoryReference;
    };
    /**
     * Update an HTTP tool. (`updateHttpTool`)
     *
     * Changes a tool; absent members keep their values. In `secrets`, a text sets a secret, null removes it, and absent ones stay; all have to be named if the URL changes to another host. The next turn uses the changed tool.
     */
    "/agents/{agentId}/http-tools/{toolId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The HTTP tool's id, `tool_id`. */
          toolId: string;
        };
        body: HttpToolChanges;
      };
      answer: HttpTool | HttpToolReference;
    };
    /**
     * Update a publishable key. (`updatePublishableKey`)
     *
     * Changes the name or the allowed origins, or disables the key; absent members keep their values. The change applies to the next request.
     */
    "/agents/{agentId}/api-keys/{keyId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The API key's id, `key_id`. */
          keyId: string;
        };
        body: PublishableKeyChanges;
      };
      answer: PublishableKey | PublishableKeyReference;
    };
    /**
     * Update an MCP server. (`updateMcpServer`)
     *
     * Changes a server; absent members keep their values. The token has to be entered again if the URL changes to another host, and a server with OAuth to be authorized again if its URL changes at all. The server is asked for its tools if its address, its authorization or `allowed_tools` change. The next turn uses the changed server.
     */
    "/agents/{agentId}/mcp-servers/{serverId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The MCP server's id, `server_id`. */
          serverId: string;
        };
        body: McpServerChanges;
      };
      answer: McpServer | McpServerReference;
    };
    /**
     * Update a knowledge base (the same as PUT). (`patchKnowledgeBase`)
     *
     * Changes the name or the description; absent members keep their values. Send `If-Match` with the `ETag` that you read, and a change in between is refused with 412 instead of being lost.
     */
    "/knowledge-bases/{kbId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        headers?: {
          /** The `ETag` that you read. If the state has changed since, the request is refused with 412. */
          "If-Match"?: string | undefined;
        } | undefined;
        body: KnowledgeBaseChanges;
      };
      answer: KnowledgeBase | KnowledgeBaseReference;
    };
    /**
     * Update a conversation (the same as PUT). (`patchConversation`)
     *
     * Changes the title, the description or the agent; absent members keep their values. Moving a conversation to another agent keeps its messages, and the new agent reads them with its own memory.
     */
    "/conversations/{conversationId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        body: ConversationChanges;
      };
      answer: Conversation | ConversationReference;
    };
  };
  PUT: {
    /**
     * Update an agent. (`updateAgent`)
     *
     * Changes an agent; absent and blank members keep their values, and `none` removes a value that may be absent, such as `temperature`. Running turns finish with the earlier settings. A name that another agent has is a 409. A model that the provider does not list is a 422, which names similar ones; if the list is not known at the moment, the change is accepted with an `X-Warning`.
     */
    "/agents/{agentId}": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
        };
        body: AgentChanges;
      };
      answer: Agent | AgentReference;
    };
    /**
     * Replace the lines of a core memory block. (`replaceMemoryBlockContent`)
     *
     * Stores the lines as a new version. The agent may change the block at the same time: send `If-Match` with the `ETag` that you read, and a change in between is refused with 412 instead of being lost. More words than the block's limit are a 422. With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.
     */
    "/agents/{agentId}/memory-blocks/{blockName}/content": {
      options: {
        path: {
          /** The agent's id, `agent_id`. */
          agentId: string;
          /** The name of the memory block, `block_name`. */
          blockName: string;
        };
        query?: {
          /** The id of an end user, to use their memory instead of your own. An API key also needs a scope for end users. */
          end_user_id?: string | undefined;
          /**
           * Earlier name of `end_user_id`.
           *
           * @deprecated
           */
          end_user?: string | undefined;
        } | undefined;
        headers?: {
          /** The `ETag` that you read. If the state has changed since, the request is refused with 412. */
          "If-Match"?: string | undefined;
        } | undefined;
        body: NewMemoryBlockContent;
      };
      answer: MemoryBlockContent | MemoryBlockContentReference;
    };
    /**
     * Update a knowledge base. (`updateKnowledgeBase`)
     *
     * Changes the name or the description; absent members keep their values. Send `If-Match` with the `ETag` that you read, and a change in between is refused with 412 instead of being lost.
     */
    "/knowledge-bases/{kbId}": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        headers?: {
          /** The `ETag` that you read. If the state has changed since, the request is refused with 412. */
          "If-Match"?: string | undefined;
        } | undefined;
        body: KnowledgeBaseChanges;
      };
      answer: KnowledgeBase | KnowledgeBaseReference;
    };
    /**
     * Crawl a knowledge base daily or weekly. (`setCrawlSchedule`)
     *
     * Sets the schedule, and replaces an earlier one. Pages that have not changed cost nothing. If the plan's pages are used up, the schedule waits for the next time; `problem` says so.
     */
    "/knowledge-bases/{kbId}/crawl-schedule": {
      options: {
        path: {
          /** The knowledge base's id, `kb_id`. */
          kbId: string;
        };
        body: NewCrawlSchedule;
      };
      answer: CrawlSchedule | CrawlScheduleReference;
    };
    /**
     * Update a conversation. (`updateConversation`)
     *
     * Changes the title, the description or the agent; absent members keep their values. Moving a conversation to another agent keeps its messages, and the new agent reads them with its own memory.
     */
    "/conversations/{conversationId}": {
      options: {
        path: {
          /** The conversation's id, `conversation_id`. */
          conversationId: string;
        };
        body: ConversationChanges;
      };
      answer: Conversation | ConversationReference;
    };
  };
}

/** The operations that take an `Idempotency-Key`, and so may be repeated. */
export const IDEMPOTENT_OPERATIONS: ReadonlySet<string> = new Set([
  "POST /api-keys",
  "POST /webhooks",
  "POST /webhooks/{webhookId}/rotate-secret",
  "POST /agents",
  "POST /agents/{agentId}/memory-blocks",
  "POST /agents/{agentId}/archival-memory",
  "POST /agents/{agentId}/archival-memory/batch",
  "POST /agents/{agentId}/http-tools",
  "POST /agents/{agentId}/api-keys",
  "POST /agents/{agentId}/mcp-servers",
  "POST /agents/{agentId}/{conversationId}/send-message",
  "POST /v1/chat/completions",
  "POST /v1/responses",
  "POST /widget/conversations",
  "POST /widget/conversations/{conversationId}/messages",
  "POST /knowledge-bases",
  "POST /knowledge-bases/{kbId}/crawl-jobs",
  "POST /conversations",
  "POST /conversations/{conversationId}/messages/{messageId}/regenerate",
]);
