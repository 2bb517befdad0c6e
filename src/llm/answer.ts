import { providerError } from "./errors.ts";
import { eventData } from "./event-stream.ts";
import { type Json, objectFrom } from "./json.ts";
import type { ModelChunk, TokenUsage } from "./model.ts";
import type { ToolCalls } from "./tool-calls.ts";

/** What one protocol makes of the events of an answer. */
export interface AnswerReader<Event> {
  /** Takes an event in and gives the text in it, if any. Throws an `AppError` where the event is an error. */
  take(event: Event): string;
  readonly calls: ToolCalls;
  readonly usage: TokenUsage | undefined;
  /** Why the model stopped; empty until it says so. */
  readonly finish: string;
  /** Whether nothing follows. */
  readonly isOver: boolean;
}

/** What the reasons to stop mean that are not the end of a good answer. */
export type BadFinishes = Readonly<Record<string, (cause: unknown) => Error>>;

/**
 * Reads one answer: text as it comes, then the usage and the calls. It is whole with a reason to stop, with an end
 * mark, or with tool calls that are; otherwise it was cut off.
 */
export async function* readAnswer<Event>(
  events: AsyncIterable<Event>,
  reader: AnswerReader<Event>,
  badFinishes: BadFinishes,
): AsyncGenerator<ModelChunk, void, void> {
  try {
    for await (const event of events) {
      const text = reader.take(event);
      if (text) yield { type: "text", text };
      if (reader.isOver) break;
    }
  } catch (cause) {
    // A connection that breaks behind the end has cost nothing but the token count.
    if (reader.finish === "") throw cause;
  }

  if (reader.usage) yield { type: "usage", usage: reader.usage };
  const bad = Object.hasOwn(badFinishes, reader.finish) ? badFinishes[reader.finish] : undefined;
  if (bad) throw bad(new Error(`The model stopped: ${reader.finish}`));
  if (reader.finish === "" && !reader.isOver && !reader.calls.areWhole()) throw providerError.truncated();
  for (const call of reader.calls.all()) yield { type: "call", call };
}

/** The end mark of OpenAI's protocol, which is no JSON. */
export const END_MARK = "[DONE]";

/** The JSON objects of a server-sent event stream. */
export async function* jsonEvents(
  { headers, body }: Response,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<Json | typeof END_MARK, void, void> {
  const isStream = headers.get("content-type")?.includes("text/event-stream") ?? false;
  if (!body || !isStream) throw providerError.unreadable(new Error("The answer is not an event stream."));

  for await (const data of eventData(body, idleMs, signal)) {
    const event = data.trim() === END_MARK ? END_MARK : objectFrom(data);
    if (!event) throw providerError.unreadable(new Error("An event is no object."));
    yield event;
  }
}
