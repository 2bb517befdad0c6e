import type { TokenUsage } from "../llm/model.ts";
import type { Message, StoredToolCall } from "../messages/model.ts";
import type { AgentEvent } from "./events.ts";

/** Gathers from a turn's events what is stored of its answer. */
export class AnswerProgress {
  readonly #message: Message;
  readonly #calls: StoredToolCall[] = [];
  readonly #arguments = new Map<string, string>();
  #text = "";
  usage: TokenUsage | null = null;

  /** `message` is the answer before anything was said. */
  constructor(message: Message) {
    this.#message = message;
  }

  /** Whether there is anything to keep: words, or a tool call that has run. */
  get hasBegun(): boolean {
    return this.hasText || this.#calls.length > 0;
  }

  get hasText(): boolean {
    return this.#text.trim() !== "";
  }

  /** Events that are no part of the answer are passed over. */
  add(event: AgentEvent): void {
    if (event.type === "text") this.#text += event.text;
    if (event.type === "tool-started") this.#arguments.set(event.callId, event.arguments);
    if (event.type === "tool-finished") {
      const { callId: id, name, ok: success, output } = event;
      this.#calls.push({ id, name, arguments: this.#arguments.get(id) ?? "", output, success });
    }
  }

  /** The answer as it stands. */
  message(status: Message["status"]): Message {
    return {
      ...this.#message,
      status,
      content: this.#text.toWellFormed(),
      toolCalls: [...this.#calls],
      usage: this.usage,
    };
  }
}
