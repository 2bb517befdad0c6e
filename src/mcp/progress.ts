import { type Json, textAt } from "../shared/json.ts";

/** The events of a run that its progress names, with what they say about themselves. */
const TOLD = [
  "LIFECYCLE_NOTIFICATION",
  "TOOL_CALL_START",
  "TOOL_CALL_RESULT",
  "MEMORY_UPDATED",
  "CONTEXT_COMPACTED",
];

/** The fewest characters of the answer between two messages about it, so that a long answer is not told word by word. */
const STEP_CHARS = 500;
/** The longest message, in characters. */
const MAX_CHARS = 200;

/** Turns the events of a run into the messages of MCP's progress notifications. */
export class ProgressMessages {
  #chars = 0;
  #told = 0;

  /** Returns the message about an event; `undefined` if it is not worth one. */
  after(event: Json): string | undefined {
    const type = textAt(event, "event_type");
    const content = textAt(event, "content");
    if (type === "AGENT_RESPONSE_TO_USER") return this.#written(content.length);
    if (!TOLD.includes(type)) return undefined;
    return type === "TOOL_CALL_RESULT"
      ? `${textAt(event, "tool_name")} ${event["success"] === true ? "succeeded" : "failed"}`
      : content.slice(0, MAX_CHARS).toWellFormed();
  }

  #written(chars: number): string | undefined {
    const isFirst = this.#chars === 0;
    this.#chars += chars;
    if (!isFirst && this.#chars < this.#told + STEP_CHARS) return undefined;
    this.#told = this.#chars;
    return `Writing the answer (${this.#chars} characters so far)`;
  }
}
