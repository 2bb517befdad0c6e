import { type AgentEvent, isTerminal } from "../architectures/events.ts";
import { type Citation, toCitationView } from "../knowledge/citation-model.ts";
import { toTokenUsageView } from "../plans/token-usage.ts";
import { formatTimestamp } from "../shared/clock.ts";
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
  /** Whether a step is open, and whether results of its tool calls have been sent: then what follows is another step. */
  readonly step: "none" | "open" | "has-results";
  readonly block: { readonly kind: "text" | "reasoning"; readonly id: string } | null;
  /** How many blocks have been opened. Their ids are numbers from 1. */
  readonly blocks: number;
  /** The ids of the sources that have been sent. */
  readonly sources: readonly string[];
  /** The ids of the calls that were denied, which have no other result. */
  readonly denied: readonly string[];
}

const UI_START: UiState = {
  isStarted: false,
  step: "none",
  block: null,
  blocks: 0,
  sources: [],
  denied: [],
};

/** The parts of an event, and where the stream stands behind them. */
interface UiStep {
  readonly state: UiState;
  readonly parts: readonly UiPart[];
}

/** Returns a function that writes the events of a run as a UI message stream. */
export function aiSdkWriter(version: AiSdkVersion, run: FramedRun): FrameWriter {
  let state = UI_START;
  return (event, _seq, answerBefore) => {
    const next = toUiParts(state, event, { version, run, answerBefore });
    state = next.state;
    const frames = next.parts.map(dataFrame).join("");
    return isEnd(event) ? frames + DONE : frames;
  };
}

interface UiContext {
  readonly version: AiSdkVersion;
  readonly run: FramedRun;
  readonly answerBefore: () => string;
}

/** Returns the parts that an event of a run becomes, after the events that have led to `state`. */
function toUiParts(state: UiState, event: AgentEvent, context: UiContext): UiStep {
  const stream = new UiStream({ state, run: context.run });
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
      return stream.addCall(event.callId, event.name, event.input);
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
      stream.endStep();
      const reason = event.isCut ? "length" : "stop";
      if (event.isCut) stream.add({ type: "data-stop", data: { reason } });
      return stream.finish(version >= 6 ? { finishReason: reason } : {});
    }
    case "cancelled":
      stream.endStep();
      stream.add({ type: "abort" });
      return stream.finish({});
    case "failed": {
      const { code, message, retryable } = event;
      stream.endStep();
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
  readonly #parts: UiPart[] = [];
  #state: UiState;

  constructor({ state, run }: { readonly state: UiState; readonly run: FramedRun }) {
    this.#state = state;
    this.#run = run;
  }

  get result(): UiStep {
    return { state: this.#state, parts: this.#parts };
  }

  /** Begins the message, unless an earlier event has. The run's ids are data, because clients may check metadata. */
  start(): void {
    if (this.#state.isStarted) return;
    const { runId, conversationId, userMessageId, answerId } = this.#run;
    this.#change({ isStarted: true });
    this.add({ type: "start", messageId: answerId });
    const data = { run_id: runId, conversation_id: conversationId, user_message_id: userMessageId };
    this.add({ type: "data-run", data });
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

  /**
   * Adds a call. `providerExecuted` keeps clients from waiting for a result of their own, and `dynamic` from looking the tool up
   * among their types.
   */
  addCall(toolCallId: string, toolName: string, input: unknown): void {
    this.#beginStep();
    this.#closeBlock();
    const about = { toolCallId, toolName };
    this.add({ type: "tool-input-start", ...about, ...SERVER_TOOL });
    this.add({ type: "tool-input-available", ...about, input, ...SERVER_TOOL });
  }

  addResult({
    callId: toolCallId,
    ok,
    output,
    citations = [],
  }: AgentEvent & { type: "tool-finished" }): void {
    const text = preview(output, RESULT_PREVIEW);
    this.#change({ step: "has-results" });
    if (this.#state.denied.includes(toolCallId)) return;
    this.add(
      ok
        ? { type: "tool-output-available", toolCallId, output: text, ...SERVER_TOOL }
        : { type: "tool-output-error", toolCallId, errorText: text, ...SERVER_TOOL },
    );
    if (citations.length > 0) this.#addCitations(toolCallId, citations);
  }

  /** Adds that a call waits. Releases before 6 do not know approvals, and none knows tools of other clients. */
  addWaiting(event: AgentEvent & { type: "call-waiting" }, version: AiSdkVersion): void {
    const { callId: toolCallId, waitsFor } = event;
    if (waitsFor === "approval" && version >= 6)
      return this.add({ type: "tool-approval-request", approvalId: toolCallId, toolCallId });
    this.#addApproval(event, "requested");
  }

  addDecision(event: AgentEvent & { type: "call-decided" }, version: AiSdkVersion): void {
    const { callId: toolCallId, decision } = event;
    if (version < 6 || decision.kind === "answered")
      return this.#addApproval({ ...event, expiresAt: null }, decision.kind);
    if (decision.kind === "approved") return;
    this.#change({ denied: [...this.#state.denied, toolCallId] });
    this.add({ type: "tool-output-denied", toolCallId });
  }

  /** A part with the same id replaces the earlier one. */
  #addApproval(
    {
      callId,
      name,
      expiresAt,
    }: { readonly callId: string; readonly name: string; readonly expiresAt: number | null },
    state: "requested" | "approved" | "rejected" | "answered",
  ): void {
    const expires_at = expiresAt === null ? null : formatTimestamp(expiresAt);
    const data = { tool_call_id: callId, tool_name: name, state, expires_at };
    this.add({ type: "data-approval", id: callId, data });
  }

  endStep(): void {
    this.#closeBlock();
    if (this.#state.step !== "none") this.add({ type: "finish-step" });
    this.#change({ step: "none" });
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
    const blocks = this.#state.blocks + 1;
    const id = String(blocks);
    this.#change({ blocks, block: { kind, id } });
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

const SERVER_TOOL = { providerExecuted: true, dynamic: true } as const;
