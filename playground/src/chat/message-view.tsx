import type { Citation, Message } from "../types.ts";
import { bus } from "../bus.ts";
import { formatBytes } from "../format.ts";
import { Button, CopyButton, Icon, IconButton, Problem, Spinner, Time } from "../ui/index.ts";
import { type LiveTurn, type Part, type Question, textOf } from "./live-turn.ts";
import { Markdown } from "./markdown.tsx";
import { argumentsIn, toolLabel } from "./tool-labels.ts";

const openCitation = (citation: Citation): void => bus.emit({ type: "open-passage", citation });

/** A stored message. */
export function MessageView({
  message,
  agentName,
  onRegenerate,
}: {
  readonly message: Message;
  readonly agentName: string;
  /** Has the answer written again. Absent if it can't be. */
  readonly onRegenerate?: (() => void) | undefined;
}) {
  if (message.role === "user") return <QuestionView question={message} at={message.created_at} />;
  return (
    <article class="answer" aria-label={`${agentName} says`}>
      <AgentMark name={agentName} />
      <div class="answer-body">
        {message.tool_calls.map((call) => (
          <ToolView
            key={call.id}
            part={{
              type: "tool",
              id: call.id,
              name: call.name,
              args: argumentsIn(call.arguments),
              result: call.output,
              success: call.success,
            }}
          />
        ))}
        <Markdown text={message.content} citations={message.citations} onCitation={openCitation} />
        <footer class="answer-foot">
          {message.status === "interrupted" && <span class="badge">stopped</span>}
          {message.status === "truncated" && <span class="badge">cut off by the limit</span>}
          <Time at={message.created_at} />
          {message.usage && (
            <span>
              {message.usage.input_tokens} → {message.usage.output_tokens} tokens
            </span>
          )}
          <CopyButton text={message.content} label="Copy the answer" />
          {onRegenerate && <RegenerateButton onClick={onRegenerate} />}
        </footer>
      </div>
    </article>
  );
}

/** What somebody has sent. */
function QuestionView({ question, at }: { readonly question: Question; readonly at?: string }) {
  return (
    <article class="question" aria-label="You say">
      {question.content !== "" && <p class="question-text">{question.content}</p>}
      {question.attachments.length > 0 && (
        <ul class="question-files">
          {question.attachments.map(({ filename, size }) => (
            <li key={filename} class="file">
              <Icon name="file" size={14} />
              {filename} <span class="muted">{formatBytes(size)}</span>
            </li>
          ))}
        </ul>
      )}
      {at !== undefined && (
        <span class="visually-hidden">
          <Time at={at} />
        </span>
      )}
    </article>
  );
}

export interface LiveViewProps {
  readonly turn: LiveTurn;
  readonly agentName: string;
  readonly isLost: boolean;
  readonly onResume: () => void;
  /** Has the message answered again. Absent while the messages are not loaded. */
  readonly onRegenerate: (() => void) | undefined;
  readonly onDecide: (callId: string, decision: "approve" | "reject") => void;
}

/** A turn as it takes place. */
export function LiveView({ turn, agentName, isLost, onResume, onRegenerate, onDecide }: LiveViewProps) {
  const { end, parts } = turn;
  const isRunning = end === undefined;
  const last = parts.at(-1);
  const isWaiting = isRunning && last?.type !== "text" && !isLost;
  return (
    <>
      {turn.question && <QuestionView question={turn.question} />}
      <article class="answer" aria-label={`${agentName} says`} aria-busy={isRunning}>
        <AgentMark name={agentName} />
        <div class="answer-body" data-running={(isRunning && last?.type === "text") || undefined}>
          {turn.reasoning !== "" && (
            <details class="reasoning">
              <summary>Thoughts</summary>
              <p>{turn.reasoning}</p>
            </details>
          )}
          {parts.map((part, index) => (
            <PartView
              key={part.type === "tool" ? part.id : index}
              part={part}
              turn={turn}
              onDecide={onDecide}
            />
          ))}
          {isWaiting && (
            <p class="answer-status">
              <Spinner label="Working" /> {turn.status || "Thinking…"}
            </p>
          )}
          {isLost && (
            <p class="answer-status" role="status">
              <Spinner label="Reconnecting" /> The connection is lost. The answer goes on; this page is
              reconnecting…
            </p>
          )}
          {end?.kind === "error" && (
            <Problem error={new Error(end.sentence)} retry={end.isRetryable ? onRegenerate : undefined} />
          )}
          {end?.kind === "lost" && (
            <div class="problem" role="alert">
              <Icon name="alert" />
              <p class="problem-text">The connection is lost. The agent goes on with its answer.</p>
              <Button small icon="refresh" onClick={onResume}>
                Reconnect
              </Button>
            </div>
          )}
          {!isRunning && end.kind !== "waiting" && (
            <footer class="answer-foot">
              {end.kind === "cancelled" && <span class="badge">stopped</span>}
              {end.kind === "complete" && end.isCutOff && <span class="badge">cut off by the limit</span>}
              {turn.usage && (
                <span>
                  {turn.usage.input} → {turn.usage.output} tokens
                </span>
              )}
              {textOf(turn) !== "" && <CopyButton text={textOf(turn)} label="Copy the answer" />}
              {end.kind !== "lost" && onRegenerate && <RegenerateButton onClick={onRegenerate} />}
            </footer>
          )}
        </div>
      </article>
    </>
  );
}

const RegenerateButton = ({ onClick }: { readonly onClick: () => void }) => (
  <IconButton icon="refresh" label="Write the answer again" onClick={onClick} />
);

function AgentMark({ name }: { readonly name: string }) {
  return (
    <span class="avatar answer-avatar" aria-hidden="true">
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}

function PartView({
  part,
  turn,
  onDecide,
}: { readonly part: Part; readonly turn: LiveTurn } & Pick<LiveViewProps, "onDecide">) {
  switch (part.type) {
    case "text":
      return <Markdown text={part.text} citations={turn.citations} onCitation={openCitation} />;
    case "tool":
      return part.approval === "requested" && part.success === undefined && turn.end?.kind === "waiting" ? (
        <>
          <ToolView part={part} />
          <div class="tool-decision" role="group" aria-label={`Allow ${part.name}?`}>
            <span>Allow this call of {part.name}?</span>
            <Button small onClick={() => onDecide(part.id, "approve")}>
              Approve
            </Button>
            <Button small onClick={() => onDecide(part.id, "reject")}>
              Reject
            </Button>
          </div>
        </>
      ) : (
        <ToolView part={part} />
      );
    case "memory":
      return (
        <button
          type="button"
          class="memory-note"
          onClick={() => bus.emit({ type: "open-panel", id: "memory" })}
        >
          <Icon name="memory" size={15} />
          {part.text}
        </button>
      );
  }
}

function ToolView({ part }: { readonly part: Extract<Part, { type: "tool" }> }) {
  const state = part.success === undefined ? "running" : part.success ? "done" : "failed";
  return (
    <details class="tool" data-state={state}>
      <summary class="tool-head">
        {state === "running" ? (
          <Spinner label="Running" />
        ) : (
          <Icon name={state === "done" ? "check" : "alert"} size={15} />
        )}
        <span class="tool-label">{toolLabel(part.name, state)}</span>
        <code class="tool-name">{part.name}</code>
        <Icon name="down" size={14} />
      </summary>
      <dl class="tool-body">
        {Object.entries(part.args).map(([name, value]) => (
          <div key={name} class="tool-argument">
            <dt>{name}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
        {part.result !== undefined && (
          <div class="tool-argument">
            <dt>result</dt>
            <dd>{part.result}</dd>
          </div>
        )}
      </dl>
    </details>
  );
}
