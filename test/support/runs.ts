import type { Client } from "./app.ts";
import { parseEvents, type WireEvent } from "./sse.ts";

/** A turn that was begun and whose answer is not read yet. */
export interface OpenedTurn {
  /** The next piece of the stream, as events; none at its end. */
  next(): Promise<readonly WireEvent[]>;
  /** Everything up to the end, or as far as the stream came. */
  rest(): Promise<readonly WireEvent[]>;
  leave(): Promise<void>;
  readonly runId: string;
}

/** Sends a message and reads its first events; the rest is read, or left, as the test likes. */
export async function open(
  client: Client,
  path: string,
  content: string,
  headers: Record<string, string> = {},
) {
  const { response } = await client.raw("POST", path, { content }, { headers });
  if (response.status !== 200) throw new Error(await response.text());
  return follow(response);
}

/** Reads a response's events piece by piece. */
export async function follow(response: Response): Promise<OpenedTurn> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";

  const next = async (): Promise<readonly WireEvent[]> => {
    for (;;) {
      const { done = true, value = "" } = (await reader?.read()) ?? {};
      if (done) return [];
      pending += value;
      const end = pending.lastIndexOf("\n\n") + 2;
      const events = parseEvents(pending.slice(0, end));
      pending = pending.slice(end);
      if (events.length > 0) return events;
    }
  };

  const first = await next();
  let given = false;
  return {
    runId: first[0]?.run_id ?? "",
    next: async () => {
      if (given) return next();
      given = true;
      return first;
    },
    rest: async () => {
      const events = given ? [] : [...first];
      given = true;
      try {
        for (let piece = await next(); piece.length > 0; piece = await next()) events.push(...piece);
      } catch {
        // A stream whose server died ends in an error; what had come is what there is.
      }
      return events;
    },
    leave: async () => reader?.cancel(),
  };
}

/** The events of a run behind a number, to the end of the stream. */
export async function eventsAfter(
  client: Client,
  conversationId: string,
  runId: string,
  after: number | string,
) {
  const path = `/conversations/${conversationId}/runs/${runId}/events?after=${after}`;
  const { status, body } = await client("GET", path);
  return { status, body, events: status === 200 ? parseEvents(body as string) : [] };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
