import { RUN_PROBLEMS } from "./run-problems.ts";
import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";
import { ANSWER_EXAMPLE } from "../messages/docs.ts";
import { RUN_EVENTS } from "./event-docs.ts";

const RUN = {
  run_id: EXAMPLE.runId,
  conversation_id: EXAMPLE.conversationId,
  agent_id: EXAMPLE.agentId,
  state: "completed",
  started_at: EXAMPLE.at,
  ended_at: EXAMPLE.later,
  user_message_id: EXAMPLE.messageId,
  message_id: EXAMPLE.answerId,
  usage: ANSWER_EXAMPLE.usage,
  error_code: null,
};

const WHOLE_ANSWER = {
  message: ANSWER_EXAMPLE,
  tool_calls: ANSWER_EXAMPLE.tool_calls,
  usage: ANSWER_EXAMPLE.usage,
  run_id: EXAMPLE.runId,
  stop_reason: null,
};

/** A run whose calls have been decided. */
const GOING_ON = {
  ...RUN,
  state: "running",
  ended_at: null,
  message_id: null,
  usage: null,
  pending_calls: [],
};

/** The problems of requests that begin a run and return its answer. */
const SEND_PROBLEMS = [
  "malformed-request",
  "not-found",
  "conversation-busy",
  "conflict",
  "gone",
  "provider-not-configured",
  "idempotency-mismatch",
  "limit-exceeded",
  ...RUN_PROBLEMS,
] as const;

const SEND_PARAMETERS = {
  reasoning: {
    description: "`1` also streams what the model thinks, as `REASONING` events.",
    example: "1",
  },
};

/** The texts and examples of runs, and of what a conversation shows the model. */
export const runDocs: FeatureDocs = {
  operations: {
    sendMessage: {
      tag: "Chat",
      summary: "Send a message and stream the answer",
      description:
        "Begins a run: the message is stored, the agent reads its memory, may call tools, and answers. By default the answer is a stream of server-sent events; with `Accept: application/json` (and neither `text/event-stream` nor `*/*`) the request waits for the end and is answered as a whole.\n\nThe run goes on if the client disconnects; follow it with `followRun`. A conversation has one run at a time: a second message is refused with 409 `conversation-busy`, which names the `run_id`. With an `Idempotency-Key`, a repeat returns the stream of the same run from its beginning. Every message counts against the plan's messages of the month, unless the run fails before it has said anything.\n\nThe body may have 1 MB; up to 5 text files may be attached.",
      request: { content: "Hi, I'm Alice. I work at the library.", attachments: [] },
      parameters: SEND_PARAMETERS,
      answers: { 200: WHOLE_ANSWER },
      stream: RUN_EVENTS,
      headers: ["RateLimit", "RateLimit-Policy"],
      problems: SEND_PROBLEMS,
    },
    regenerateAnswer: {
      tag: "Chat",
      summary: "Write the last answer again",
      description:
        "Answers the last message of the conversation once more, with the same text and files. `messageId` names the answer to replace, or the message itself if it has no answer because its run failed. Only the last answer can be written again: 409 `conflict` if others have followed, also in another tab.\n\nThe new run does not see the former answer. When the new answer is complete, it takes the place of the former one, in the same write. If the run fails, is cancelled or dies, the former answer stays and what was written of the new one is dropped; `message_id` of the run is then null. Without a former answer, what was said is kept as `sendMessage` keeps it.\n\nEverything else is as with `sendMessage`: the stream, JSON on request, 409 `conversation-busy`, `Idempotency-Key`, and the count against the plan's messages. What the former run wrote to the agent's memory stays. List it with `listMemoryChanges`, and take it back with `revertMemoryChanges` before you regenerate.",
      parameters: SEND_PARAMETERS,
      answers: { 200: WHOLE_ANSWER },
      stream: RUN_EVENTS,
      headers: ["RateLimit", "RateLimit-Policy"],
      problems: SEND_PROBLEMS,
    },
    listRuns: {
      tag: "Chat",
      summary: "List the runs of a conversation, newest first",
      description:
        "Shows how each message of the conversation was answered: its state, its tokens, and the code of its error if it failed.",
      answers: { 200: examplePage(RUN) },
      problems: ["not-found"],
    },
    getRun: {
      tag: "Chat",
      summary: "Get a run",
      description:
        "Shows the state of a run. Use it after a lost connection to find out whether the answer is still being written. A run whose server died becomes `interrupted` when it is next accessed, or by itself within half a minute. A run in the state `waiting` names the calls that it waits for in `pending_calls`.",
      answers: { 200: { ...RUN, pending_calls: [] } },
      problems: ["not-found"],
    },
    followRun: {
      tag: "Chat",
      summary: "Follow or resume the events of a run",
      description:
        "Replays the events after the number `after` (0 by default, which is all of them) and then follows the run until it ends. Use it to resume after a lost connection, or with the run `active` to follow the conversation's active run in a second tab. Replayed events are byte for byte those that were sent before, and any number of clients may follow.\n\nThe stream of a run that waits ends with `RUN_WAITING`; follow the run again behind it when its calls are decided. 204 means that nothing is left to send because the run is over or waits, or that no run is active. Events are kept for a day; then the answer is 410, and the conversation's messages have what was said.",
      parameters: {
        after: {
          description: "The `seq` of the last event that you have received; 0 by default.",
          example: "12",
        },
      },
      stream: RUN_EVENTS,
      problems: ["malformed-request", "not-found", "gone"],
    },
    cancelRun: {
      tag: "Chat",
      summary: "Stop a run",
      description:
        "Stops the answer. The text so far is kept and marked `interrupted`; the stream ends with `STREAM_COMPLETE` and the content `Cancelled`. Cancelling again, or cancelling a run that has ended, changes nothing.",
      answers: { 200: { ...RUN, state: "cancelled" } },
      problems: ["not-found"],
    },
    decideCall: {
      tag: "Chat",
      summary: "Approve or reject a call of a tool",
      description:
        "Decides about a call for which a run waits (`APPROVAL_REQUESTED`). When all its calls are decided, the run goes on: an approved call is run, and the model is told about a rejected one, with the `reason`. Follow the run with `followRun` behind the last event that you have. A call is decided once: repeating the same decision changes nothing, and another one is a 409, as is a decision about a run that does not wait any more. Whoever may write in the conversation may decide, so an end user decides in theirs. A run waits for 24 hours; then, or when another message is sent, it ends as cancelled.",
      request: { decision: "approve" },
      answers: { 200: GOING_ON },
      problems: ["not-found", "conflict", "gone"],
    },
    getEndUserRun: {
      tag: "Chat",
      summary: "Get a run of an end user",
      description:
        "Shows the owner of an agent the state of a run in an end user's conversation, as `getRun` does in one's own, with the calls that it waits for.",
      answers: { 200: { ...RUN, pending_calls: [] } },
      problems: ["not-found"],
    },
    decideEndUserCall: {
      tag: "Chat",
      summary: "Approve or reject a call in an end user's conversation",
      description:
        "Decides like `decideCall`, for the owner of the agent: also where the end user is a visitor of a web page, who can't decide. The webhook event `approval.requested` has all ids of this path.",
      request: { decision: "approve" },
      answers: { 200: GOING_ON },
      problems: ["not-found", "conflict", "gone"],
    },
    getContext: {
      tag: "Conversations",
      summary: "Preview what the next turn sends to the model",
      description:
        "Shows the system prompt section by section, the tools, the history that fits, and what is left out, each with its estimated tokens. Use it to find out why an agent does not know something. Nothing is sent to the model, and nothing counts.",
      answers: {
        200: {
          conversation_id: EXAMPLE.conversationId,
          agent_id: EXAMPLE.agentId,
          architecture: "krishna-memgpt",
          model: { id: "gpt-4o-mini", window_tokens: 128_000 },
          estimate:
            "Estimated from the scripts of the texts, with an error of 7 % on average. Providers count differently.",
          sections: [{ name: "persona", text: "You are Ada, a friendly assistant.", tokens: 9 }],
          tools: [{ name: "core_memory_append", tokens: 84 }],
          history: {
            stored: [
              {
                message_id: EXAMPLE.messageId,
                role: "user",
                created_at: EXAMPLE.at,
                tokens: 11,
                shortened: false,
              },
            ],
            sent: [
              {
                role: "user",
                content: "Hi, I'm Alice. I work at the library.",
                tool_calls: [],
                tool_call_id: null,
                tokens: 11,
              },
            ],
            tokens: 11,
            max_tokens: 96_000,
          },
          volatile: { name: "clock", text: "It is Monday, 1 June 2026, 09:30.", tokens: 12 },
          left_out: {
            session_timed_out: false,
            messages: 0,
            has_older_messages: false,
            messages_summarized: 0,
            memory_blocks: [],
          },
          totals: { system_tokens: 9, tool_tokens: 84, history_tokens: 11, tokens: 116 },
        },
      },
      problems: ["not-found", "conflict"],
    },
    getSummary: {
      tag: "Conversations",
      summary: "Get the summary of older messages",
      description:
        "Returns the summary of the messages that no longer fit into the context window. 404 also means that there is no summary yet.",
      answers: {
        200: {
          conversation_id: EXAMPLE.conversationId,
          content: "Alice introduced herself. She works at the library and asked about opening hours.",
          covers_until: EXAMPLE.at,
          last_message_id: EXAMPLE.messageId,
          messages_covered: 24,
          by: "model",
          model: "gpt-4o-mini",
          run_id: EXAMPLE.runId,
          created_at: EXAMPLE.at,
          updated_at: EXAMPLE.later,
        },
      },
      problems: ["not-found"],
    },
    deleteSummary: {
      tag: "Conversations",
      summary: "Delete the summary of older messages",
      description:
        "Makes the agent forget what it has summarised. A new summary covers only messages that leave the context window from now on. The messages themselves are kept.",
      problems: ["not-found"],
    },
  },
  schemas: {
    NewMessage: {
      description: "A message to an agent. The content must not be blank unless files are attached.",
      fields: {
        content: "The text of the message.",
        attachments: "Up to 5 text files, together at most 250 KB, which the agent reads with the message.",
        "attachments.content": "The file's text.",
        "attachments.size": "Ignored. The size of the content is measured.",
      },
    },
    WholeAnswer: {
      description: "The answer to a message that was not streamed.",
      fields: {
        message: "The stored answer; null if the turn ended without text.",
        tool_calls: "The calls of tools in this turn, in order.",
        stop_reason:
          "`length` if the answer was cut off at a limit on its length, `waiting` if the run waits for `pending_calls`; otherwise null.",
        pending_calls:
          "The calls that have to be decided before the run goes on. Absent if it does not wait.",
      },
    },
    Run: {
      description: "A run: one message and everything that happened until its answer.",
      fields: {
        state:
          "`waiting` means that calls wait for a decision; `interrupted`, that its server died. All states but `running` and `waiting` are final.",
        user_message_id: "The id of the message that began the run.",
        message_id:
          "The id of the answer; null while there is none, and if it was not kept. An answer that was written again since is no longer among the messages.",
        error_code: "The code of the problem by which it failed; null if it did not.",
      },
    },
    RunDetails: {
      description: "A run, and the calls that it waits for.",
      like: "Run",
      fields: {
        pending_calls: "The calls that it waits for, decided ones included. Empty if it does not wait.",
      },
    },
    PendingCall: {
      description: "A call of a tool that a run waits for.",
      fields: {
        tool_call_id: "The call's id.",
        tool_name: "The tool's name.",
        tool_args: "The tool's arguments.",
        waits_for: "`approval`, or `result` if the client runs the tool.",
        decision: "What has been decided; null until then.",
        expires_at: "When the run is given up; null if it has ended with the call.",
      },
    },
    NewDecision: {
      description: "A decision about a call.",
      fields: {
        decision: "`approve` has the tool run; `reject` does not.",
        reason: "Why, for the model. Only for a rejection.",
      },
    },
    RunReference: { description: "A run, for callers that may not read it.", like: "Run" },
    ConversationContext: {
      description: "What the next turn would send to the model.",
      fields: {
        sections: "The sections of the system prompt. They are joined by blank lines.",
        "history.stored.shortened": "Whether the model reads only the beginning and the end.",
        "history.sent":
          "The stored messages as the model reads them. Consecutive messages of one role are joined.",
        volatile: "Added after the new message. It changes with every turn.",
        "left_out.messages": "How many of the messages that a turn reads are left out.",
        "left_out.has_older_messages": "Whether there are older messages, which a turn does not read.",
        "left_out.memory_blocks": "Blocks that are named, but too long to be included.",
        architecture: "The agent's architecture.",
        model: "The model that would answer.",
        "model.id": "The model's id.",
        "model.window_tokens": "How many tokens the model reads at once.",
        estimate: "How tokens are estimated, in a sentence for people.",
        "sections.name": "The name of the section.",
        "sections.text": "The text of the section.",
        "sections.tokens": "Its estimated tokens.",
        tools: "The tools that the model may call.",
        "tools.name": "The tool's name.",
        "tools.tokens": "The estimated tokens of its description.",
        history: "The messages of the conversation.",
        "history.stored": "The stored messages that the turn reads.",
        "history.stored.tokens": "Its estimated tokens.",
        "history.sent.role": "Who says it.",
        "history.sent.tool_calls": "The calls of tools that the message contains.",
        "history.sent.tool_calls.id": "The id of the call.",
        "history.sent.tool_calls.name": "The name of the tool.",
        "history.sent.tool_calls.arguments": "The arguments: JSON as text.",
        "history.sent.tool_call_id": "The call that the message is the result of; null in other messages.",
        "history.sent.tokens": "Its estimated tokens.",
        "history.tokens": "The estimated tokens of all messages.",
        "history.max_tokens": "The most tokens that messages may take.",
        "volatile.name": "The name of the section.",
        "volatile.text": "The text of the section.",
        "volatile.tokens": "Its estimated tokens.",
        left_out: "What the model would not read.",
        "left_out.session_timed_out":
          "Whether the pause since the last message exceeded the session timeout.",
        "left_out.messages_summarized": "How many messages the summary stands for.",
        totals: "Estimated tokens.",
        "totals.system_tokens": "Those of the system prompt.",
        "totals.tool_tokens": "Those of the tools.",
        "totals.history_tokens": "Those of the messages.",
        "totals.tokens": "All of them.",
      },
    },
    ConversationSummary: {
      description: "The summary of the messages that the agent no longer reads in full.",
      fields: {
        content: "The summary.",
        covers_until: {
          description: "The time of the last message that the summary covers.",
          format: "date-time",
        },
        last_message_id: "The id of the last message that it covers.",
        messages_covered: "How many messages it covers.",
        by: "`model` if a model wrote it, `fallback` if it was cut together because no model answered.",
        model: "The model that wrote it; null if none did.",
        run_id: "The run in which it was written; null if unknown.",
      },
    },
    TokenUsage: {
      description: "Tokens as the provider counted them.",
      fields: {
        input_tokens: "Tokens that the model read.",
        output_tokens: "Tokens that the model wrote.",
        cached_tokens: "The part of `input_tokens` that came from the provider's cache.",
        reasoning_tokens:
          "The part of `output_tokens` spent on reasoning. Absent if the provider does not report it.",
      },
    },
    Citation: {
      description: "A passage of a knowledge base that an answer refers to.",
      fields: {
        n: "The number by which the answer refers to it: `[1]`.",
        url: "The address of the page. Null for an uploaded file.",
        title: "The title of the page, at most 200 characters; null if it has none.",
        heading: "The nearest heading above the passage, at most 200 characters; null if there is none.",
      },
    },
  },
};
