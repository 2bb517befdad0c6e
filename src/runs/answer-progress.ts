import { type Citation, citationsIn } from "../knowledge/citation-model.ts";
import type { TokenUsage } from "../llm/model.ts";
import type { TurnResult } from "../architectures/architecture.ts";
import type { Message, ResponseData, StoredToolCall } from "../messages/model.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { type ClientPause, ClientPauseFinder } from "./client-pauses.ts";

/** Collects the answer to store from a turn's events. */
export class AnswerProgress {
  readonly #message: Message;
  readonly #calls: StoredToolCall[] = [];
  readonly #started = new Map<string, Pick<StoredToolCall, "arguments" | "step">>();
  readonly #providerData: ResponseData[] = [];
  readonly #citations: Citation[] = [];
  readonly #clientPauses = new ClientPauseFinder();
  #text = "";
  #waits = false;
  usage: TokenUsage | null = null;
  /** See `Message.tokenRatio`. */
  tokenRatio: number | null = null;
  /** Whether the answer ended at a limit on its length. */
  isCut = false;

  /** `message` is the empty answer. */
  constructor(message: Message) {
    this.#message = message;
  }

  /** Whether there is anything to store: text, or a tool call that has run, or that is left to the client. */
  get hasBegun(): boolean {
    return this.hasText || this.#calls.length > 0 || this.#waits;
  }

  get hasText(): boolean {
    return this.#text.trim() !== "";
  }

  /** Where the run has left calls to its client; undefined if it never has. `isOver`: the calls since the last pause are left to it. */
  clientPauses(isOver: boolean): readonly ClientPause[] | undefined {
    if (!this.#clientPauses.hasAsked) return undefined;
    return this.#clientPauses.pauses(isOver ? this.usage : undefined);
  }

  /** Adds an event. Events that are not part of the answer are ignored. */
  add(event: AgentEvent): void {
    this.#clientPauses.add(event);
    if (event.type === "text") this.#text += event.text;
    if (event.type === "call-waiting") this.#waits = true;
    if (event.type === "tool-started") {
      const { callId, step, providerData } = event;
      this.#started.set(callId, { arguments: event.arguments, ...(step !== undefined && { step }) });
      if (providerData) this.#providerData.push({ step: step ?? 0, providerData });
    }
    if (event.type === "tool-finished") {
      const { callId: id, name, ok: success, output, citations = [] } = event;
      this.#citations.push(...citations);
      this.#calls.push({ id, name, output, success, ...(this.#started.get(id) ?? { arguments: "" }) });
    }
  }

  /** Adds what is known once the model has completed the answer. */
  complete({ usage, isCut, providerData, tokenRatio }: TurnResult): void {
    this.usage = usage;
    this.isCut = isCut;
    this.tokenRatio = tokenRatio;
    if (providerData && this.#providerData.at(-1)?.step !== providerData.step)
      this.#providerData.push(providerData);
  }

  /** Returns the answer so far, with the citations that its text refers to. */
  message(status: Message["status"]): Message {
    const citations = citationsIn(this.#text, this.#citations);
    return {
      ...this.#message,
      status,
      content: this.#text.toWellFormed(),
      toolCalls: [...this.#calls],
      usage: this.usage,
      tokenRatio: this.tokenRatio,
      ...(citations.length > 0 && { citations }),
      ...(this.#providerData.length > 0 && { providerData: [...this.#providerData] }),
    };
  }
}
