import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const CALL = {
  id: "call_1",
  name: "core_memory_append",
  arguments: '{"block":"human","content":"Name: Alice. Works at the library."}',
  output: 'Appended to [human] at line 1: "Name: Alice. Works at the library." (7/5000 words)',
  success: true,
};

/** An agent's answer in examples. */
export const ANSWER_EXAMPLE = {
  message_id: EXAMPLE.answerId,
  conversation_id: EXAMPLE.conversationId,
  role: "assistant",
  content: "Nice to meet you, Alice! What do you do at the library?",
  attachments: [],
  created_at: EXAMPLE.later,
  status: "complete",
  tool_calls: [CALL],
  usage: { input_tokens: 542, output_tokens: 31, cached_tokens: 0 },
  run_id: EXAMPLE.runId,
};

/** The texts and examples of messages and of the search in them. */
export const messageDocs: FeatureDocs = {
  operations: {
    recall: {
      tag: "Memory",
      summary: "Search all conversations with an agent",
      description:
        "Searches the messages and attached files of all conversations with the agent, best matches first; without a query, newest first. Results come by words and, if embeddings are set up, by meaning. `evidence` says which words no message has. With `end_user_id`, it searches an end user's conversations.",
      answers: {
        200: {
          items: [
            {
              message_id: EXAMPLE.messageId,
              conversation_id: EXAMPLE.conversationId,
              conversation_title: "Hello",
              role: "user",
              content: "Hi, I'm Alice. I work at the library.",
              file_passage: null,
              created_at: EXAMPLE.at,
              score: 1,
            },
          ],
          total: 1,
          next_cursor: null,
          has_more: false,
          notes: [],
          evidence: {
            matched_terms: ["alice", "work"],
            missing_terms: [],
            considered: 48,
            newest_at: EXAMPLE.later,
          },
        },
      },
      problems: ["not-found"],
    },
  },
  schemas: {
    Message: {
      description: "A message. The contents of its files are left out.",
      fields: {
        content: "The text of the message.",
        status:
          "`interrupted`: its run was stopped or failed. `truncated`: it was cut off at a limit on its length.",
        tool_calls: "The tools that the agent called before it answered, in order.",
        citations: "The passages of knowledge bases that `content` refers to. Absent if there are none.",
        run_id: "The run that the message belongs to; null for messages of the legacy service.",
      },
    },
    FoundMessages: {
      description: "A page of results of a search in messages.",
      fields: {
        items: "The results, best first.",
        "items.conversation_title": "The conversation's title.",
        "items.file_passage":
          "The part of an attachment that matches, if it matches better than the message itself.",
        "items.file_passage.filename": "The file's name.",
        "items.file_passage.text": "The part that matches.",
        notes: "Remarks on the results, such as `nothing-stored` or `index-building`.",
      },
    },
    SearchEvidence: {
      description: "The words that some text has, those that none has, and how much was searched.",
      fields: {
        matched_terms: "Words of the question that some text has.",
        missing_terms: "Words of the question that no text has.",
        considered: "How many texts were searched.",
        newest_at: {
          description: "When the newest of them was written (UTC); null if there are none.",
          format: "date-time",
        },
      },
    },
  },
};
