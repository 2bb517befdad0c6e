import { resultWithin } from "../shared/async.ts";
import type { AgentEvent } from "../architectures/events.ts";

/** How long text may wait to be joined with later text. Each write to a client costs CPU. */
const INTERVAL_MS = 25;

/**
 * Joins pieces of text that arrive faster than a client needs them. The first piece is yielded at once; pieces that
 * arrive within `intervalMs` milliseconds of the last yield are joined. Other events are never joined and never
 * overtake text.
 */
export async function* paceText(
  source: AsyncIterable<AgentEvent>,
  intervalMs: number = INTERVAL_MS,
): AsyncGenerator<AgentEvent, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let upcoming = take(iterator);
  let lastTextAt = Number.NEGATIVE_INFINITY;

  for (let result = await upcoming; !result.done; result = await upcoming) {
    let event = result.value;
    upcoming = take(iterator);

    if (isText(event)) {
      const dueAt = lastTextAt + intervalMs;
      let text: Text = event;
      for (
        let more = await within(upcoming, dueAt, text.type);
        more;
        more = await within(upcoming, dueAt, text.type)
      ) {
        text = { type: text.type, text: text.text + more.text };
        upcoming = take(iterator);
      }
      event = text;
      lastTextAt = Date.now();
    }
    yield event;
  }
}

function take(iterator: AsyncIterator<AgentEvent>): Promise<IteratorResult<AgentEvent>> {
  const next = iterator.next();
  // Awaited later; until then a failure must not count as unhandled.
  next.catch(() => undefined);
  return next;
}

type Text = Extract<AgentEvent, { readonly type: "text" | "reasoning" }>;

const isText = (event: AgentEvent): event is Text => event.type === "text" || event.type === "reasoning";

/**
 * Returns the upcoming piece of text of this type if it arrives before `dueAt` (milliseconds since the epoch), else
 * `undefined`.
 */
async function within(
  upcoming: Promise<IteratorResult<AgentEvent>>,
  dueAt: number,
  type: Text["type"],
): Promise<Text | undefined> {
  const waitMs = dueAt - Date.now();
  if (waitMs <= 0) return undefined;

  try {
    const result = await resultWithin(waitMs, upcoming);
    if (!result || result.done || !isText(result.value)) return undefined;
    return result.value.type === type ? result.value : undefined;
  } catch {
    // The main loop awaits the same promise and throws this failure, after the text before it.
    return undefined;
  }
}
