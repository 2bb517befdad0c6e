import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls, type UIMessage } from "ai";
import { useState } from "react";

/** Where the agent is, and for whom. The chat's id may be any text; the same id is the same conversation. */
interface ChatProps {
  readonly api: string;
  readonly agentId: string;
  readonly chatId: string;
  readonly token: string;
}

/** The ids of the part `data-run`, with which a run is cancelled. */
interface RunIds {
  readonly run_id: string;
  readonly conversation_id: string;
}

/** What the agent can ask the page for, besides its own tools. The page runs it, and the agent reads the result. */
const TOOLS = {
  read_page_title: {
    description: "Returns the title of the page that the user sees.",
    parameters: { type: "object", properties: {} },
  },
};

/** A chat with an agent that remembers. */
export function Chat({ api, agentId, chatId, token }: ChatProps) {
  const headers = { Authorization: `Bearer ${token}` };
  const [draft, setDraft] = useState("");
  const { messages, sendMessage, regenerate, addToolOutput, status, error } = useChat({
    id: chatId,
    resume: true,
    transport: new DefaultChatTransport({
      api: `${api}/agents/${agentId}/chat`,
      headers,
      // The service keeps the history.
      prepareSendMessagesRequest: ({ id, messages: all, trigger, messageId }) => ({
        body: { id, trigger, messageId, messages: all.slice(-1), tools: TOOLS },
      }),
    }),
    // The agent's own tools are dynamic. The call must not be awaited here.
    onToolCall: ({ toolCall: { toolName, toolCallId, dynamic } }) => {
      if (dynamic || toolName !== "read_page_title") return;
      void addToolOutput({ tool: "read_page_title", toolCallId, output: document.title });
    },
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
  });

  const isAnswering = status === "streaming" || status === "submitted";
  const last = messages.at(-1);

  /** `stop()` would only stop reading. */
  async function cancel(): Promise<void> {
    const run = runOf(last);
    if (!run) return;
    const path = `/conversations/${run.conversation_id}/runs/${run.run_id}/cancel`;
    await fetch(api + path, { method: "POST", headers });
  }

  return (
    <main>
      {messages.map((message) => (
        <article key={message.id}>
          <strong>{message.role}</strong>
          {message.parts.map((part, index) => (
            <Part key={index} part={part} />
          ))}
        </article>
      ))}
      {error && <p role="alert">{sentenceOf(error)}</p>}
      {last && !isAnswering && (
        // With the answer's id, two tabs get the same new answer. A message without an answer is tried again.
        <button type="button" onClick={() => void regenerate({ messageId: last.id })}>
          Write the answer again
        </button>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void sendMessage({ text: draft });
          setDraft("");
        }}
      >
        <input value={draft} onChange={(event) => setDraft(event.target.value)} aria-label="Message" />
        {isAnswering ? (
          <button type="button" onClick={() => void cancel()}>
            Stop
          </button>
        ) : (
          <button disabled={draft.trim() === ""}>Send</button>
        )}
      </form>
    </main>
  );
}

function Part({ part }: { readonly part: UIMessage["parts"][number] }) {
  if (part.type === "text") return <p>{part.text}</p>;
  if (part.type === "dynamic-tool") return <small>{part.toolName}</small>;
  if (part.type === "tool-read_page_title") return <small>The agent has read the title of the page.</small>;
  if (part.type === "source-url") return <a href={part.url}>{part.title ?? part.url}</a>;
  if (part.type === "data-memory") return <small>The agent has remembered something.</small>;
  return null;
}

function runOf(message?: UIMessage): RunIds | undefined {
  const about = message?.parts.find((part) => part.type === "data-run");
  return about && "data" in about ? (about.data as RunIds) : undefined;
}

/** A refused request is a problem document, whose `detail` is for people. */
function sentenceOf({ message }: Error): string {
  try {
    return (JSON.parse(message) as { detail?: string }).detail ?? message;
  } catch {
    return message;
  }
}
