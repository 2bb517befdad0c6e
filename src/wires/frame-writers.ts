import { aiSdkWriter } from "./ai-sdk.ts";
import { chatCompletionsWriter } from "./chat-completions.ts";
import { toFrames } from "./native.ts";
import { responsesWriter } from "./responses.ts";
import { widgetWriter } from "./widget.ts";
import type { FramedRun, FrameWriter, Wire } from "./wire.ts";

/** Returns a function that writes the events of one run for one follower in the format of a wire. */
export function frameWriterOf(wire: Wire, run: FramedRun): FrameWriter {
  switch (wire.kind) {
    case "native":
      return (event, seq, answerBefore) => toFrames(event, run.runId, seq, answerBefore);
    case "widget":
      return widgetWriter(run);
    case "ai-sdk":
      return aiSdkWriter(wire.version, run);
    case "chat-completions":
      return chatCompletionsWriter(wire, run);
    case "responses":
      return responsesWriter(wire, run);
  }
}
