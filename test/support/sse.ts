import type { Client } from "./app.ts";

/** An event of the stream, as it came over the wire. */
export interface WireEvent {
  readonly event_type: string;
  readonly content: string | null;
  readonly message_id: string | null;
  readonly tool_name: string | null;
  readonly tool_args: Record<string, unknown> | null;
  readonly success: boolean | null;
  readonly run_id: string;
  readonly seq: number;
  readonly [extra: string]: unknown;
}

/** Frames that repeat an event for the latest single-page application. */
const REPEATING = ["USER_MESSAGE_SAVED", "ASSISTANT_MESSAGE_SAVED"];

/** The events of a stream's text, each once. Throws for anything that is neither a `data:` line nor a comment. */
export const parseEvents = (text: string): WireEvent[] =>
  parseFrames(text).filter(({ event_type }) => !REPEATING.includes(event_type));

/** The frames of a stream's text. Throws for anything that is neither a `data:` line nor a comment. */
export function parseFrames(text: string): WireEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      if (!block.startsWith("data: ") || block.includes("\n")) throw new Error(`Not one data line: ${block}`);
      return JSON.parse(block.slice("data: ".length)) as WireEvent;
    });
}

/** Sends a message and reads the whole answer. */
export async function say(client: Client, path: string, content: string, more: Record<string, unknown> = {}) {
  const { status, headers, body } = await client("POST", path, { content, ...more });
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const events = isStream ? parseEvents(body as string) : [];
  return { status, headers, body, events, text: textOf(events), last: events.at(-1) };
}

/** The text of the answer, joined. */
export const textOf = (events: readonly WireEvent[]): string =>
  events
    .filter(({ event_type }) => event_type === "AGENT_RESPONSE_TO_USER")
    .map(({ content }) => content)
    .join("");

export const typesOf = (events: readonly WireEvent[]): string[] => events.map(({ event_type }) => event_type);
