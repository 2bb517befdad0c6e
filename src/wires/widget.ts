import { type AgentEvent, STATUS } from "../architectures/events.ts";
import { toFrames } from "./native.ts";
import { sentenceForVisitors } from "./visitor-errors.ts";
import type { FramedRun, FrameWriter } from "./wire.ts";

/**
 * Returns a function that writes the events of a run for a visitor of a web page: native frames, without what concerns the agent's
 * owner only. Security: visitors are strangers, and what tools send and receive may come from the owner's own systems.
 */
export const widgetWriter =
  ({ runId }: Pick<FramedRun, "runId">): FrameWriter =>
  (event, seq, answerBefore) => {
    const shown = shownToVisitors(event);
    return shown ? toFrames(shown, runId, seq, answerBefore) : "";
  };

/** Returns an event as visitors see it, or `undefined` if they do not. */
function shownToVisitors(event: AgentEvent): AgentEvent | undefined {
  switch (event.type) {
    case "status":
      if (event.text === STATUS.validating) return undefined;
      return event.text === STATUS.loading ? { ...event, text: "Connecting to agent..." } : event;
    case "tool-started":
    case "call-waiting":
      return { ...event, arguments: "{}", input: {} };
    case "tool-finished": {
      const { citations: _citations, ...others } = event;
      return { ...others, output: "" };
    }
    case "failed":
      return { ...event, message: sentenceForVisitors(event.code, event.message) };
    case "block-compacted":
    case "memory-updated":
    case "reasoning":
    case "usage":
      return undefined;
    default:
      return event;
  }
}
