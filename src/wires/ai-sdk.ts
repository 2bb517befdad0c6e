import { type AgentEvent, type Decision, isTerminal } from "../architectures/events.ts";
import { type Citation, toCitationView } from "../knowledge/citation-model.ts";
import { toTokenUsageView } from "../plans/token-usage.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { objectFrom, valueFrom } from "../shared/json.ts";
import { preview } from "../shared/text.ts";
import { type AiSdkVersion, dataFrame, DONE, type FramedRun, type FrameWriter, missingText } from "./wire.ts";
import { RESULT_PREVIEW } from "./native.ts";

/**
 * A part of the UI message stream, version 1. Releases before 5.0.217, 6.0.231 and 7.0.32 refuse a part with a member that they do
 * not know, and every release refuses a type that it does not know. So the members are exactly those of release 5.0.7, newer ones
 * are sent only to clients that ask for them, and everything of ours is a `data-…` part.
 */
type UiPart = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Where a stream stands: what has been opened and not closed yet. */
interface UiState {
  readonly isStarted: boolean;
  /**
   * Whether a step is open, and whether results of its tool calls have been sent: then what follows is another step. After a pause, the
   * step with the calls is `over`: it was ended before the stream.
   */
  readonly step: "none" | "open" | "has-results" | "over";
  readonly block: { readonly kind: "text" | "reasoning"; readonly id: string } | null;
  /** The ids of the sources that have been sent. */
  readonly sources: readonly string[];
  /** The ids of the calls of tools that the client runs. */
  readonly clientCalls: readonly string[];
  /** The ids of the calls that were denied, or whose result the client has sent: they have no other result. */
  readonly settled: readonly string[];
}

const UI_START: UiState = {
  isStarted: false,
  step: "none",
  block: null,
  sources: [],
  clientCalls: [],
  settled: [],
};

/** The parts of an event, and where the stream stands behind them. */
interface UiStep {
  readonly state: UiState;
  readonly parts: readonly UiPart[];
}

/** Returns a function that writes the events of a run as a UI message stream. */
export function aiSdkWriter(version: AiSdkVersion, run: FramedRun): FrameWriter {
  let state = UI_START;
  return (event, seq, answerBefore) => {
    const next = toUiParts(state, event, { version, run, seq, answerBefore });
    state = next.state;
    const frames = next.parts.map(dataFrame).join("");
    return isEnd(event) ? frames + DONE : frames;
  };
}

interface UiContext {
  readonly version: AiSdkVersion;
  readonly run: FramedRun;
  /** The number of the event. */
  readonly seq: number;
  readonly answerBefore: () => string;
}

/** Returns the parts that an event of a run becomes, after the events that have led to `state`. */
function toUiParts(state: UiState, event: AgentEvent, context: UiContext): UiStep {
  const stream = new UiStream({ state, run: context.run, seq: context.seq });
  stream.start();
  write(stream, event, context);
  return stream.result;
}

function write(stream: UiStream, event: AgentEvent, { version, answerBefore }: UiContext): void {
  switch (event.type) {
    case "message-saved":
      return undefined;
    case "status":
      return stream.add({ type: "data-status", data: { text: event.text }, transient: true });
    case "block-compacted": {
      const { block, version: blockVersion, wordsBefore, wordsAfter } = event.compaction;
      const data = { block, version: blockVersion, words_before: wordsBefore, words_after: wordsAfter };
      return stream.add({ type: "data-compaction", data });
    }
    case "text":
    case "reasoning":
      return stream.addPiece(event.type, event.text);
    case "tool-started":
      return stream.addCall(event);
    case "tool-finished":
      return stream.addResult(event);
    case "call-waiting":
      return stream.addWaiting(event, version);
    case "call-decided":
      return stream.addDecision(event, version);
    case "waiting":
      stream.endStep();
      return stream.finish(version >= 6 ? { finishReason: "tool-calls" } : {});
    case "memory-updated": {
      const { block, version: blockVersion } = event.update;
      return stream.add({ type: "data-memory", data: { block, version: blockVersion } });
    }
    case "usage":
      return stream.add({ type: "data-usage", data: toTokenUsageView(event.usage) });
    case "completed": {
      const rest = missingText(event, answerBefore);
      if (rest !== "") stream.addPiece("text", rest);
      stream.endLastStep();
      const reason = event.isCut ? "length" : "stop";
      if (event.isCut) stream.add({ type: "data-stop", data: { reason } });
      return stream.finish(version >= 6 ? { finishReason: reason } : {});
    }
    case "cancelled":
      stream.endLastStep();
      stream.add({ type: "abort" });
      return stream.finish({});
    case "failed": {
      const { code, message, retryable } = event;
      stream.endLastStep();
      stream.add({ type: "data-error", data: { code, retryable }, transient: true });
      stream.add({ type: "error", errorText: message });
      return stream.finish(version >= 6 ? { finishReason: "error" } : {});
    }
  }
}

const isEnd = (event: AgentEvent): boolean => event.type === "waiting" || isTerminal(event);

/** Collects the parts of one event. */
class UiStream {
  readonly #run: FramedRun;
  readonly #seq: number;
  readonly #parts: UiPart[] = [];
  #state: UiState;

  constructor({ state, run, seq }: Pick<UiContext, "run" | "seq"> & { readonly state: UiState }) {
    this.#state = state;
    this.#run = run;
    this.#seq = seq;
  }

  get result(): UiStep {
    return { state: this.#state, parts: this.#parts };
  }

  /**
   * Begins the message, unless an earlier event has. The run's ids are data, because clients may check metadata; their part has an id,
   * so that a message which goes on after a pause has it once.
   */
  start(): void {
    if (this.#state.isStarted) return;
    const { runId, conversationId, userMessageId, answerId } = this.#run;
    this.#change({ isStarted: true });
    this.add({ type: "start", messageId: answerId });
    const data = { run_id: runId, conversation_id: conversationId, user_message_id: userMessageId };
    this.add({ type: "data-run", id: runId, data });
  }

  add(part: UiPart): void {
    this.#parts.push(part);
  }

  /** Adds a piece of the answer or of reasoning, in a block of its kind. */
  addPiece(kind: "text" | "reasoning", delta: string): void {
    this.#beginStep();
    if (this.#state.block?.kind !== kind) this.#openBlock(kind);
    const { id = "" } = this.#state.block ?? {};
    this.add({ type: `${kind}-delta`, id, delta });
  }

  /** Adds a call. The part of a call that waits has to say that its result is still to come. */
  addCall({
    callId,
    name: toolName,
    arguments: text,
    input,
    waitsFor,
  }: AgentEvent & { type: "tool-started" }) {
    this.#beginStep();
    this.#closeBlock();
    const isClients = waitsFor === "result";
    if (isClients) this.#change({ clientCalls: [...this.#state.clientCalls, callId] });
    const about = { toolCallId: callId, toolName };
    const kind = waitsFor === "approval" ? ASKING_TOOL : this.#kindOf(callId);
    this.add({ type: "tool-input-start", ...about, ...kind });
    // Clients send this part back as the result. So the model reads the sentence, and can call the tool again.
    if (isClients && !isArguments(text))
      return this.add({ type: "tool-input-error", ...about, input: text, errorText: NO_ARGUMENTS });
    return this.add({ type: "tool-input-available", ...about, input, ...kind });
  }

  addResult({
    callId: toolCallId,
    ok,
    output,
    citations = [],
  }: AgentEvent & { type: "tool-finished" }): void {
    const text = preview(output, RESULT_PREVIEW);
    const isOver = this.#state.step === "none" || this.#state.step === "over";
    this.#change({ step: isOver ? "over" : "has-results" });
    if (this.#state.settled.includes(toolCallId)) return;
    const kind = this.#kindOf(toolCallId);
    this.add(
      ok
        ? { type: "tool-output-available", toolCallId, output: text, ...kind }
        : { type: "tool-output-error", toolCallId, errorText: text, ...kind },
    );
    if (citations.length > 0) this.#addCitations(toolCallId, citations);
  }

  /** Adds that a call waits for an approval. Releases before 6 do not know approvals. */
  addWaiting(event: AgentEvent & { type: "call-waiting" }, version: AiSdkVersion): void {
    const { callId: toolCallId, waitsFor } = event;
    // The client knows it from the call itself.
    if (waitsFor === "result") return;
    if (version >= 6) return this.add({ type: "tool-approval-request", approvalId: toolCallId, toolCallId });
    this.#addApproval(event, "requested");
  }

  addDecision(event: AgentEvent & { type: "call-decided" }, version: AiSdkVersion): void {
    const { callId: toolCallId, decision } = event;
    if (decision.kind === "answered") return this.#addAnswer(toolCallId, decision);
    if (version < 6) return this.#addApproval({ ...event, expiresAt: null }, decision.kind);
    if (decision.kind === "approved") return;
    this.#change({ settled: [...this.#state.settled, toolCallId] });
    this.add({ type: "tool-output-denied", toolCallId });
  }

  /** Adds a result as the client has sent it, whole: other tabs show it, and the message that goes on is sent back with it. */
  #addAnswer(toolCallId: string, { form, output }: Decision & { kind: "answered" }): void {
    this.#change({ settled: [...this.#state.settled, toolCallId] });
    if (form === "error") return this.add({ type: "tool-output-error", toolCallId, errorText: output });
    const value = form === "json" ? valueFrom(output) : output;
    this.add({ type: "tool-output-available", toolCallId, output: value });
  }

  /** Clients look the part of a result up by its kind. */
  #kindOf(callId: string): typeof CLIENT_TOOL | typeof SERVER_TOOL {
    return this.#state.clientCalls.includes(callId) ? CLIENT_TOOL : SERVER_TOOL;
  }

  /** A part with the same id replaces the earlier one. */
  #addApproval(
    {
      callId,
      name,
      expiresAt,
    }: { readonly callId: string; readonly name: string; readonly expiresAt: number | null },
    state: "requested" | "approved" | "rejected",
  ): void {
    const expires_at = expiresAt === null ? null : formatTimestamp(expiresAt);
    const data = { tool_call_id: callId, tool_name: name, state, expires_at };
    this.add({ type: "data-approval", id: callId, data });
  }

  endStep(): void {
    this.#closeBlock();
    if (this.#state.step === "open" || this.#state.step === "has-results") this.add({ type: "finish-step" });
    this.#change({ step: "none" });
  }

  /**
   * Ends the step of a run that has ended. If its calls have results, another one follows, although the model has said nothing in it:
   * clients send a message whose last step has all its results.
   */
  endLastStep(): void {
    if (this.#state.step === "has-results" || this.#state.step === "over") this.#beginStep();
    this.endStep();
  }

  finish(more: Readonly<Record<string, unknown>>): void {
    this.add({ type: "finish", ...more });
  }

  #beginStep(): void {
    if (this.#state.step === "open") return;
    this.endStep();
    this.add({ type: "start-step" });
    this.#change({ step: "open" });
  }

  #openBlock(kind: "text" | "reasoning"): void {
    this.#closeBlock();
    // No event opens two blocks, and none has a number twice: ids differ also behind a pause.
    const id = String(this.#seq);
    this.#change({ block: { kind, id } });
    this.add({ type: `${kind}-start`, id });
  }

  #closeBlock(): void {
    const { block } = this.#state;
    if (!block) return;
    this.add({ type: `${block.kind}-end`, id: block.id });
    this.#change({ block: null });
  }

  /** Adds the passages that a result shows, and each page as a source of the message once. */
  #addCitations(toolCallId: string, citations: readonly Citation[]): void {
    const data = { tool_call_id: toolCallId, citations: citations.map(toCitationView) };
    this.add({ type: "data-citations", data });

    for (const { page_id: sourceId, url, title } of data.citations) {
      if (this.#state.sources.includes(sourceId)) continue;
      this.#change({ sources: [...this.#state.sources, sourceId] });
      this.add(
        url === null
          ? { type: "source-document", sourceId, mediaType: "text/plain", title: title ?? "Document" }
          : { type: "source-url", sourceId, url, ...(title !== null && { title }) },
      );
    }
  }

  #change(changes: Partial<UiState>): void {
    this.#state = { ...this.#state, ...changes };
  }
}

/** The client runs the tool, and waits for its own result. */
const CLIENT_TOOL = {} as const;

/**
 * `dynamic` keeps clients from looking the tool up among their types. Without `providerExecuted`, a client that sends the message when
 * all its own calls have results waits for this one, too.
 */
const ASKING_TOOL = { dynamic: true } as const;

/** `providerExecuted` keeps clients from waiting for a result of their own. */
const SERVER_TOOL = { providerExecuted: true, dynamic: true } as const;

/** Whether the text of a call's arguments is what a tool can be run with. Some models send nothing to a tool without parameters. */
const isArguments = (text: string): boolean => text.trim() === "" || objectFrom(text) !== undefined;

const NO_ARGUMENTS = "The arguments are not a JSON object.";
